//! Who may see a page: the Basic scheme (RFC 7617) against the logins of httpd.conf.

use rbox_core::bytes::split_once;
use rbox_core::codec::base::{Base, Decoder};
use rbox_core::crypt;
use rbox_core::users::{self, User};

use super::config::Login;

/// Whether finding out takes time: hashes are slow to compute.
pub fn is_slow(logins: &[&Login]) -> bool {
    logins.iter().any(|login| login.password == b"*" || login.password.starts_with(b"$"))
}

/// The user of the credentials, if one of the logins is theirs.
pub fn user(logins: &[&Login], credentials: Option<&[u8]>) -> Option<Vec<u8>> {
    let (scheme, word) = split_once(credentials?, b' ')?;
    if !scheme.eq_ignore_ascii_case(b"Basic") {
        return None;
    }
    let mut plain = Vec::new();
    Decoder::new(Base::Base64, false).decode(word.trim_ascii(), &mut plain).ok()?;
    let (name, password) = split_once(&plain, b':')?;
    let fits = |login: &&&Login| login.user == b"*" || login.user == name;
    let known = logins.iter().filter(fits).any(|login| is_right(login, name, password));
    known.then(|| name.to_vec())
}

fn is_right(login: &Login, name: &[u8], password: &[u8]) -> bool {
    match &login.password[..] {
        // An account without a password is open at a terminal, not to the network.
        b"*" => {
            let hash = User::by_name(name).map(|user| users::password_hash(&user));
            users::verify(password, hash.as_deref().filter(|hash| !hash.is_empty()))
        }
        hash if hash.starts_with(b"$") => crypt::verify(password, hash),
        plain => crypt::same(plain, password),
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::*;

    #[test]
    fn passwords_are_plain_or_hashes() {
        let mut config = Config::default();
        config.add(b"/:me:word\n/:you:$1$salt$ez2vlPGdaLYkJam5pWs/Y1", b"");
        let logins = config.logins(b"/x");
        let user = |plain: &str| {
            let mut word = b"basic ".to_vec();
            Base::Base64.encode(plain.as_bytes(), &mut word);
            user(&logins, Some(&word)).map(|name| String::from_utf8_lossy(&name).into_owned())
        };
        assert_eq!(user("me:word").as_deref(), Some("me"));
        assert_eq!(user("you:secret").as_deref(), Some("you"));
        for plain in ["me:wor", "me:words", "you:word", "me", "", "x:word", "you:$1$salt$ez2vlPGdaLYkJam5pWs/Y1"] {
            assert_eq!(user(plain), None, "{plain}");
        }
        assert_eq!((super::user(&logins, None), super::user(&logins, Some(b"Basic !"))), (None, None));
    }
}
