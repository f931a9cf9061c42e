//! Password hashes as crypt(5) describes them: `$y$` (yescrypt), `$7$` (scrypt), `$2b$` and its kin (bcrypt), `$6$`
//! (SHA-512), `$5$` (SHA-256), `$1$` (MD5).

mod bcrypt;
mod yescrypt;

use crate::bytes;
use crate::error::{Error, Result};
use crate::hash::{self, Algorithm, Hash};
use crate::names;
use crate::names::Names;
use crate::number::parse_decimal;
use crate::sys::rand::{GetRandomFlags, getrandom};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// True when `password` is the one of `hash`. A hash of an unknown method is nobody's.
pub fn verify(password: &[u8], hash: &[u8]) -> bool {
    crypt(password, hash).is_some_and(|again| same(&again, hash))
}

/// Compares in a time that does not tell where the first difference is.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Hashes `password` with the method, rounds and salt of `setting`, which may be a whole hash. `None` for another method.
pub fn crypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
    match setting {
        [b'$', b'5', b'$', rest @ ..] => Some(sha_crypt(Algorithm::Sha256, password, b"$5$", rest)),
        [b'$', b'6', b'$', rest @ ..] => Some(sha_crypt(Algorithm::Sha512, password, b"$6$", rest)),
        [b'$', b'1', b'$', rest @ ..] => Some(md5_crypt(password, rest)),
        [b'$', b'2', b'a' | b'b' | b'y', b'$', ..] => bcrypt::crypt(password, setting),
        [b'$', b'y', b'$', ..] => yescrypt::crypt(password, setting),
        [b'$', b'7', b'$', ..] => yescrypt::scrypt(password, setting),
        _ => None,
    }
}

/// The methods by the names that mkpasswd(1) of BusyBox and of whois and crypt(5) have for them, each with its position in `FORMS`.
const METHODS: Names = names! {
    "md5" = 0, "md5crypt" = 0, "sha256" = 1, "sha-256" = 1, "sha256crypt" = 1, "sha512" = 2, "sha-512" = 2,
    "sha512crypt" = 2, "bcrypt" = 3, "yescrypt" = 4,
};

/// For each method what its setting starts with.
const FORMS: &str = "$1$ $5$ $6$ $2b$10$ $y$j9T$";

/// For each method the most characters of its salt.
const SALTS: [u8; 5] = [8, 16, 16, BCRYPT_SALT as u8, 24];

/// bcrypt takes no shorter salt.
const BCRYPT_SALT: usize = 22;

/// What `crypt` needs for a method (`md5`, `sha256`, `sha512`, `bcrypt`, `yescrypt`) and a salt; that of SHA may begin
/// with `rounds=N$`. The error names the method or the salt.
pub fn setting(method: &[u8], salt: &[u8]) -> Result<Vec<u8>> {
    let number = METHODS.number_of(method).ok_or_else(|| Error::parts(&[b"unknown method: ", method]))? as usize;
    let (magic, most) = (FORMS.split(' ').nth(number).unwrap_or_default(), usize::from(SALTS[number]));
    let bad = || Error::parts(&[b"bad salt: ", salt]);
    let (rounds, rest) = match bytes::split_once(salt, b'$') {
        Some((rounds, rest)) if matches!(magic, "$5$" | "$6$") => {
            rounds.strip_prefix(b"rounds=").and_then(parse_decimal).ok_or_else(bad)?;
            (&salt[..=rounds.len()], rest)
        }
        _ => (&b""[..], salt),
    };
    // Another character would be read as the end of the salt, or of the field of shadow(5).
    let is_short = most == BCRYPT_SALT && rest.len() < most;
    if is_short || rest.iter().any(|byte| !ALPHABET.contains(byte)) {
        return Err(bad());
    }
    Ok([magic.as_bytes(), rounds, &rest[..rest.len().min(most)]].concat())
}

/// The same with a random salt of full length.
pub fn new_setting(method: &[u8]) -> Result<Vec<u8>> {
    let mut salt = [0; 24];
    getrandom(&mut salt, GetRandomFlags::empty())?;
    setting(method, &salt.map(|byte| ALPHABET[usize::from(byte & 63)]))
}

/// The SHA-crypt specification, version 0.6, whose step numbers are below.
fn sha_crypt(algorithm: Algorithm, password: &[u8], magic: &[u8], setting: &[u8]) -> Vec<u8> {
    let (mut rounds, mut rest, mut given) = (5000, setting, false);
    if let Some(after) = setting.strip_prefix(b"rounds=")
        && let Some((digits, after)) = bytes::split_once(after, b'$')
        && let Some(count) = parse_decimal(digits)
    {
        (rounds, rest, given) = (count.clamp(1000, 999_999_999), after, true);
    }
    let salt = rest.split(|&byte| byte == b'$').next().unwrap_or_default();
    let salt = &salt[..salt.len().min(16)];
    // Steps 4-8 and 1-12.
    let b = hash::of(algorithm, &[password, salt, password]);
    let mut a = Hash::new(algorithm);
    a.update(password);
    a.update(salt);
    a.update(&stretch(&b, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        a.update(if bits & 1 == 1 { &b[..] } else { password });
        bits >>= 1;
    }
    let mut digest = a.finish();
    // Steps 13-20.
    let mut dp = Hash::new(algorithm);
    (0..password.len()).for_each(|_| dp.update(password));
    let p = stretch(&dp.finish(), password.len());
    let mut ds = Hash::new(algorithm);
    (0..16 + usize::from(digest[0])).for_each(|_| ds.update(salt));
    let s = stretch(&ds.finish(), salt.len());
    // Step 21.
    for round in 0..rounds {
        let odd = round & 1 == 1;
        let mut c = Hash::new(algorithm);
        c.update(if odd { &p } else { &digest });
        if round % 3 != 0 {
            c.update(&s);
        }
        if round % 7 != 0 {
            c.update(&p);
        }
        c.update(if odd { &digest } else { &p });
        digest = c.finish();
    }
    let mut text = magic.to_vec();
    if given {
        text.extend_from_slice(&[b"rounds=", crate::number::Decimal::new(rounds).as_bytes(), b"$"].concat());
    }
    text.extend_from_slice(salt);
    text.push(b'$');
    push_sha(&mut text, &digest);
    text
}

/// `digest` again and again, up to `length` bytes.
fn stretch(digest: &[u8], length: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(length).collect()
}

/// Step 22: the order of the bytes differs between the two methods.
fn push_sha(text: &mut Vec<u8>, digest: &[u8]) {
    let long = digest.len() == 64;
    let (mut a, mut b, mut c) = if long { (0, 21, 42) } else { (0, 10, 20) };
    for _ in 0..digest.len() / 3 {
        push_24_bits(text, [digest[a], digest[b], digest[c]], 4);
        (a, b, c) = if long { (b + 1, c + 1, a + 1) } else { (c + 1, a + 1, b + 1) };
    }
    if long { push_24_bits(text, [0, 0, digest[63]], 2) } else { push_24_bits(text, [0, digest[31], digest[30]], 3) }
}

/// Writes `count` characters, six bits each, the lowest first.
fn push_24_bits(text: &mut Vec<u8>, bytes: [u8; 3], count: usize) {
    let bits = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2]);
    push_digits(text, ALPHABET, [bits, bits >> 6, bits >> 12, bits >> 18], count);
}

/// Writes the first `count` numbers as characters of `alphabet`, by their lowest six bits.
fn push_digits(text: &mut Vec<u8>, alphabet: &[u8; 64], numbers: [u32; 4], count: usize) {
    text.extend(numbers.into_iter().take(count).map(|number| alphabet[number as usize & 63]));
}

fn md5_crypt(password: &[u8], setting: &[u8]) -> Vec<u8> {
    let salt = setting.split(|&byte| byte == b'$').next().unwrap_or_default();
    let salt = &salt[..salt.len().min(8)];
    let other = hash::of(Algorithm::Md5, &[password, salt, password]);
    let mut hash = Hash::new(Algorithm::Md5);
    [password, b"$1$", salt].iter().for_each(|part| hash.update(part));
    hash.update(&stretch(&other, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        hash.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut digest = hash.finish();
    for round in 0..1000 {
        let odd = round & 1 == 1;
        let mut hash = Hash::new(Algorithm::Md5);
        hash.update(if odd { password } else { &digest });
        if round % 3 != 0 {
            hash.update(salt);
        }
        if round % 7 != 0 {
            hash.update(password);
        }
        hash.update(if odd { &digest } else { password });
        digest = hash.finish();
    }
    let mut text = [b"$1$", salt, b"$"].concat();
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        push_24_bits(&mut text, [digest[a], digest[b], digest[c]], 4);
    }
    push_24_bits(&mut text, [0, 0, digest[11]], 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_specification() {
        let hash =
            b"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
        assert!(verify(b"Hello world!", hash) && !verify(b"Hello world", hash));
        assert!(verify(b"Hello world!", b"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"));
        assert!(verify(b"Hello world!", b"$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1"));
        let hash = b"$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA";
        assert_eq!(crypt(b"Hello world!", b"$5$rounds=10000$saltstringsaltstring").as_deref(), Some(&hash[..]));
    }

    #[test]
    fn settings_have_salts_and_rounds() {
        let text = |method: &[u8], salt: &[u8]| setting(method, salt).map_err(|error| error.message().to_vec());
        assert_eq!(text(b"sha512", b"rounds=1000$salt").as_deref(), Ok(&b"$6$rounds=1000$salt"[..]));
        assert_eq!(text(b"md5", b"rounds=1000$salt"), Err(b"bad salt: rounds=1000$salt".to_vec()));
        assert_eq!(text(b"sha256", b"rounds=x$salt"), Err(b"bad salt: rounds=x$salt".to_vec()));
        assert_eq!(text(b"bcrypt", b"short"), Err(b"bad salt: short".to_vec()));
        assert_eq!(text(b"des", b"xx"), Err(b"unknown method: des".to_vec()));
        for method in [&b"bcrypt"[..], b"yescrypt", b"sha-512"] {
            let setting = new_setting(method).expect("a method");
            let hash = crypt(b"pw", &setting).expect("a setting");
            assert!(verify(b"pw", &hash) && !verify(b"pw2", &hash));
        }
    }

    #[test]
    fn any_setting_is_read_without_a_panic() {
        let mut random = crate::testing::Random::new(13);
        for _ in 0..200 {
            let setting = random.spoil(b"$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1");
            verify(b"x", &setting);
            let setting = random.spoil(b"$5$rounds=1000$salt$x");
            // A larger number of rounds is right, and slow.
            if !setting.starts_with(b"$5$rounds=") {
                verify(b"x", &setting);
            }
        }
    }

    #[test]
    fn unknown_methods_and_locked_hashes_are_nobodys() {
        for hash in [&b"*"[..], b"!", b"x", b"", b"$7$a$b", b"$6$", b"$6", b"$3$x", b"$2b$", b"$y$"] {
            assert!(!verify(b"", hash));
        }
    }
}
