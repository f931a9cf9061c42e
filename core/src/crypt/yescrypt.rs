//! yescrypt, `$y$` of crypt(5), and scrypt, `$7$`, by the crate yescrypt.

use yescrypt::{Mode, Params};

use super::{ALPHABET, push_digits};
use crate::bytes;

/// The most memory that a hash may ask for, in bytes.
const MEMORY: u64 = 1 << 30;

/// `setting` is `$y$PARAMETERS$SALT`; more may follow after a `$`.
pub fn crypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
    let (parameters, rest) = bytes::split_once(setting.strip_prefix(b"$y$")?, b'$')?;
    let salt = rest.split(|&byte| byte == b'$').next()?;
    let params = str::from_utf8(parameters).ok()?.parse().ok()?;
    let hash = derive(password, &decode(salt)?, &params)?;
    Some(join(&[b"$y$", parameters, b"$", salt], &hash))
}

/// `setting` is `$7$`, log2(N) in one character, r and p in five each, and the salt itself.
pub fn scrypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
    let parameters = setting.get(3..14)?;
    let salt = setting[14..].split(|&byte| byte == b'$').next()?;
    let number = |characters: &[u8]| characters.iter().rev().try_fold(0, |sum, &byte| Some(sum << 6 | digit(byte)?));
    let (log, r, p) = (number(&parameters[..1])?, number(&parameters[1..6])?, number(&parameters[6..])?);
    let params = Params::new(Mode::Classic, 1u64.checked_shl(log)?, r, p).ok()?;
    let hash = derive(password, salt, &params)?;
    Some(join(&[b"$7$", parameters, salt], &hash))
}

fn derive(password: &[u8], salt: &[u8], params: &Params) -> Option<[u8; 32]> {
    let block = 128 * u64::from(params.r());
    let memory = params.n().checked_add(params.p().into())?.checked_mul(block)?;
    let mut hash = [0; 32];
    (memory <= MEMORY).then(|| yescrypt::yescrypt(password, salt, params, &mut hash).ok())??;
    Some(hash)
}

fn join(parts: &[&[u8]], hash: &[u8]) -> Vec<u8> {
    let mut text = parts.concat();
    text.push(b'$');
    // Six bits a character, the lowest first.
    for group in hash.chunks(3) {
        let bits = group.iter().rev().fold(0, |bits, &byte| bits << 8 | u32::from(byte));
        push_digits(&mut text, ALPHABET, [bits, bits >> 6, bits >> 12, bits >> 18], group.len() + 1);
    }
    text
}

fn digit(byte: u8) -> Option<u32> {
    ALPHABET.iter().position(|&other| other == byte).map(|digit| digit as u32)
}

/// The bytes of a salt of at most 64. Bits that are left over must be 0.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    for group in text.chunks(4) {
        let mut bits = group.iter().rev().try_fold(0, |bits, &byte| Some(bits << 6 | digit(byte)?))?;
        // One character alone is no byte.
        let count = group.len().checked_sub(1).filter(|&count| count > 0)?;
        for _ in 0..count {
            decoded.push(bits as u8);
            bits >>= 8;
        }
        if bits != 0 {
            return None;
        }
    }
    (decoded.len() <= 64).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_libxcrypt() {
        for hash in [
            &b"$y$j9T$abcdefghijkl$XFQnRmFDoRnfefa6tLCdzcaB9xoGhmmkRgfG1lm0pK1"[..],
            b"$y$jC5$abcdefghijkl$npD96Lc11WGCI4jYIhtZE91ekd5tYo469pz0/7aOPZA",
        ] {
            assert_eq!(crypt(b"secret", hash).as_deref(), Some(hash));
        }
        let hash = b"$7$CU..../....abcdefghij$.w7/gqQct3JmUlx15XM.ULCsWtoSvfW3R3D7lQ6FAM1";
        assert_eq!(scrypt(b"secret", hash).as_deref(), Some(&hash[..]));
    }

    #[test]
    fn what_asks_for_too_much_or_is_no_setting_is_refused() {
        for setting in [&b"$y$"[..], b"$y$j9T", b"$y$jzz$abcd", b"$y$j9T$a!cd$", b"$y$j9T$abcde", b"$y$$$"] {
            assert_eq!(crypt(b"x", setting), None);
        }
        for setting in [&b"$7$"[..], b"$7$zzzzzzzzzzzabc", b"$7$C..../", b"$7$CU....!....abc"] {
            assert_eq!(scrypt(b"x", setting), None);
        }
    }
}
