//! bcrypt, `$2a$`, `$2b$` and `$2y$` of crypt(5), by the crate of that name. The three differ in faults of old programs.

use super::push_digits;

const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Bytes of a password that count, the NUL after it included.
const LONGEST: usize = 72;

/// `setting` is `$2b$COST$SALT`, two digits and 22 characters; more may follow.
pub fn crypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
    let cost = setting.get(4..6).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let cost = u32::from(cost[0] - b'0') * 10 + u32::from(cost[1] - b'0');
    if !(4..=31).contains(&cost) || setting.get(6) != Some(&b'$') {
        return None;
    }
    let (mut salt, mut bits, mut count, mut at) = ([0; 16], 0, 0, 0);
    for character in setting.get(7..29)? {
        let digit = ALPHABET.iter().position(|other| other == character)?;
        (bits, count) = (bits << 6 | digit, count + 6);
        if count >= 8 {
            count -= 8;
            if let Some(byte) = salt.get_mut(at) {
                *byte = (bits >> count) as u8;
            }
            at += 1;
        }
    }
    // A NUL would end the password early.
    let mut key: Vec<u8> = password.iter().copied().take_while(|&byte| byte != 0).take(LONGEST - 1).collect();
    key.push(0);
    if password.len() >= LONGEST {
        key[LONGEST - 1] = password[LONGEST - 1];
    }
    let hash = bcrypt::bcrypt(cost, salt, &key);
    let mut text = setting[..7].to_vec();
    push_base64(&mut text, &salt);
    // The last byte has always been left out.
    push_base64(&mut text, &hash[..23]);
    Some(text)
}

/// Six bits a character, the highest first.
fn push_base64(text: &mut Vec<u8>, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        push_digits(text, ALPHABET, [bits >> 18, bits >> 12, bits >> 6, bits], group.len() + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::crypt;

    #[test]
    fn hashes_are_those_of_libxcrypt() {
        let hash = b"$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
        assert_eq!(crypt(b"secret", hash).as_deref(), Some(&hash[..]));
        // jBCrypt's: no password at all.
        let hash = b"$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.";
        assert_eq!(crypt(b"", hash).as_deref(), Some(&hash[..]));
        for setting in
            [&b"$2b$05$short"[..], b"$2b$99$abcdefghijklmnopqrstuu", b"$2b$0x$abcdefghijklmnopqrstuu", b"$2b$"]
        {
            assert_eq!(crypt(b"secret", setting), None);
        }
    }
}
