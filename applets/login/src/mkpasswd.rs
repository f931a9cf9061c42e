//! `mkpasswd`, `cryptpw`: print the hash of a password (crypt(5)).

use rbox_core::crypt;
use rbox_core::io::Input;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::{fd, termios};
use rbox_core::text;
use rbox_core::tty::ask_secret;

options! {
    "[-s | -P FD] [-m METHOD] [-S SALT] [PASSWORD] [SALT]

Print the hash of PASSWORD, or of a line of standard input.

  -P, --password-fd=FD  Read the password from descriptor FD
  -s, --stdin           Read it from standard input without a prompt
  -m, -a, --method=METHOD  md5, sha256, sha512, bcrypt or yescrypt (sha512)
  -S, --salt=SALT       Use SALT, not a random one; SHA: also rounds=N$SALT";
    DESCRIPTOR = "-P",
    STDIN = "-s",
    METHOD = "-m",
    SALT = "-S",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 2)?;
    let method = args.value(METHOD).unwrap_or(b"sha512");
    let setting = match args.value(SALT).or(operands.get(1).copied()) {
        Some(salt) => crypt::setting(method, salt)?,
        None => crypt::new_setting(method)?,
    };
    let descriptor = args.value(DESCRIPTOR).map(|word| parse_in_range(word, 0, i32::MAX as u64)).transpose()?;
    let password = match (operands.first(), descriptor) {
        (Some(word), _) => word.to_vec(),
        (None, Some(number)) if number > 0 => {
            let file = fd::inherited(number as i32).map_err(|errno| Error::on(text!(number), errno))?;
            first_line(&mut Input::from_fd(file, b"password"))?
        }
        (None, _) if !args.has(STDIN) && env.stdin.fd().is_some_and(termios::isatty) => {
            ask_secret(2, b"Password: ", None)?.unwrap_or_default()
        }
        (None, _) => first_line(&mut env.stdin)?,
    };
    let hash =
        crypt::crypt(&password, &setting).ok_or_else(|| Error::new("the salt has a character that no salt has"))?;
    env.stdout.write(&[&hash[..], b"\n"].concat())?;
    Ok(ExitStatus::SUCCESS)
}

fn first_line(input: &mut Input) -> Result<Vec<u8>> {
    Ok(input.line()?.unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn a_salt_gives_a_hash() {
        let ran = try_call(APPLET, &["mkpasswd", "-m", "md5", "-S", "abcdefgh"], b"secret\n");
        assert_eq!(ran.stdout, "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1\n");
        assert_eq!(try_call(APPLET, &["mkpasswd", "-m", "des", "x"], b"").status, 1);
        assert_eq!(try_call(APPLET, &["mkpasswd", "-S", "a:b", "x"], b"").status, 1);
    }
}
