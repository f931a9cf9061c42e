//! `link`, `unlink`: one call of link(2) or unlink(2) (POSIX XCU link, unlink).

use rbox_core::prelude::*;
use rbox_core::sys::fs;

options! {
    "FILE [NAME]

link: create hard link NAME to FILE. unlink: remove FILE."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if env.name == b"unlink" {
        let [file] = args.operands() else { return Err(Error::usage()) };
        fs::unlink(*file).map_err(|errno| Error::cannot("remove file", file, errno))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let [file, name] = args.operands() else { return Err(Error::usage()) };
    fs::link(*file, *name)
        .map_err(|errno| Error::on([b"can't create hardlink '", *name, b"' to '", *file, b"'"].concat(), errno))?;
    Ok(ExitStatus::SUCCESS)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn names_what_is_missing() {
        let ran = try_call(APPLET, &["unlink", "/proc/nonexistent/x"], b"");
        assert_eq!(
            (ran.status, ran.stderr.as_str()),
            (1, "unlink: can't remove file '/proc/nonexistent/x': No such file or directory\n")
        );
        let ran = try_call(APPLET, &["link", "/proc/nonexistent/x", "y"], b"");
        assert_eq!(ran.stderr, "link: can't create hardlink 'y' to '/proc/nonexistent/x': No such file or directory\n");
    }
}
