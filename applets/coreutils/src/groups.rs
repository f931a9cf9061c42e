//! `groups`: the groups of a user or of this process (GNU coreutils).

use rbox_core::prelude::*;
use rbox_core::sys::process::{getgid, getgroups};
use rbox_core::users::{NameCache, User};

options! {
    "[USER]...

Print the groups of each USER, or of this process."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.operands().is_empty() {
        let mut ids = vec![getgid().as_raw()];
        ids.extend(getgroups()?.iter().map(|id| id.as_raw()));
        print(env, ids)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let several = args.operands().len() > 1;
    env.for_each_operand(args.operands(), &mut |env, name| {
        let user = User::by_name(name).ok_or_else(|| Error::parts(&[b"unknown user ", name]))?;
        if several {
            env.stdout.write(&[name, b" : "].concat())?;
        }
        print(env, user.groups())
    })
}

fn print(env: &mut Env, mut ids: Vec<u32>) -> Result<()> {
    let mut names = NameCache::default();
    let mut seen = Vec::new();
    ids.retain(|id| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    for (at, id) in ids.into_iter().enumerate() {
        if at > 0 {
            env.stdout.push(b' ')?;
        }
        env.stdout.write(names.group(id))?;
    }
    env.stdout.push(b'\n')
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn names_an_unknown_user() {
        let ran = try_call(APPLET, &["groups", "no such user"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "groups: unknown user no such user\n"));
    }
}
