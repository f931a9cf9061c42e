//! `dos2unix`, `unix2dos`: change the ends of lines of a file between CR LF and LF, in place.

use rbox_core::bytes::find_byte;
use rbox_core::files::canonical;
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{self, FileType, Gid, Mode, OFlags, Uid};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};

options! {
    "[-u | -d] [FILE]...

Convert line endings of each FILE, in place, to Unix (dos2unix) or DOS (unix2dos).
Without FILE, convert standard input to standard output.

  -u, --to-unix  Convert to Unix, whatever the applet name
  -d, --to-dos   Convert to DOS";
    UNIX = "-u",
    DOS = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let to_dos = match (args.has(UNIX), args.has(DOS)) {
        (true, true) => return Err(Error::usage()),
        (false, false) => env.name == b"unix2dos",
        (_, to_dos) => to_dos,
    };
    if args.operands().is_empty() {
        convert(&mut env.stdin, &mut env.stdout, to_dos)?;
        return Ok(ExitStatus::SUCCESS);
    }
    env.for_each_operand(args.operands(), &mut |_, name| convert_file(name, to_dos))
}

fn convert(input: &mut Input, output: &mut Output, to_dos: bool) -> Result<()> {
    loop {
        let content = input.fill_for(output)?;
        if content.is_empty() {
            return Ok(());
        }
        // Every CR goes, wherever it is, so that a file may be changed twice.
        let mut rest = content;
        while let Some(at) =
            if to_dos { rest.iter().position(|byte| b"\r\n".contains(byte)) } else { find_byte(b'\r', rest) }
        {
            output.write(&rest[..at])?;
            if rest[at] == b'\n' {
                output.write(b"\r\n")?;
            }
            rest = &rest[at + 1..];
        }
        output.write(rest)?;
        let length = content.len();
        input.consume(length);
    }
}

/// Writes the new file beside the old one, and renames it, so that at any moment one of both is whole.
fn convert_file(name: &[u8], to_dos: bool) -> Result<()> {
    // A link stays one: the file that it leads to is replaced.
    let path = canonical(name, false).map_err(|errno| Error::cannot("open", name, errno))?;
    let mut input = Input::open(&path)?;
    let stat = input.fd().ok_or(Errno::BADF).and_then(fs::fstat).map_err(|errno| Error::on(name, errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::parts(&[name, b": not a regular file"]));
    }
    let mut random = [0; 6];
    getrandom(&mut random, GetRandomFlags::empty())?;
    let letters = random.map(|byte| b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte & 31)]);
    let new = [&path, &b"."[..], &letters].concat();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file =
        fs::open(&new, flags, Mode::from_raw_mode(0o600)).map_err(|errno| Error::cannot("create", &new, errno))?;
    // Who may not give files away keeps the file as his own.
    let _ = fs::fchown(&file, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
    let changed = fs::fchmod(&file, Mode::from_raw_mode(stat.st_mode & 0o7777));
    let mut output = Output::from_fd(file);
    let written = changed
        .map_err(|errno| Error::on(&new, errno))
        .and_then(|()| convert(&mut input, &mut output, to_dos))
        .and_then(|()| output.flush())
        .and_then(|()| fs::rename(&new, &path).map_err(|errno| Error::cannot("rename", &new, errno)));
    written.map_err(|error| {
        // The error that made it useless is the one to report.
        let _ = fs::unlink(&new);
        if error.is_output() {
            error.errno().map_or_else(|| Error::new("write error"), |errno| Error::on(&new, errno))
        } else {
            error
        }
    })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn ends_of_lines_are_changed() {
        assert_eq!(try_call(APPLET, &["dos2unix"], b"a\r\nb\n\rc\r").stdout, "a\nb\nc");
        assert_eq!(try_call(APPLET, &["unix2dos"], b"a\r\nb\n").stdout, "a\r\nb\r\n");
        assert_eq!(try_call(APPLET, &["dos2unix", "-d"], b"a\n").stdout, "a\r\n");
        assert_eq!(try_call(APPLET, &["dos2unix", "-ud"], b"a\n").status, 1);
    }

    #[test]
    fn a_missing_file_is_named() {
        let ran = try_call(APPLET, &["dos2unix", "/no/such"], b"");
        assert_eq!(
            (ran.status, ran.stderr.as_str()),
            (1, "dos2unix: can't open '/no/such': No such file or directory\n")
        );
    }
}
