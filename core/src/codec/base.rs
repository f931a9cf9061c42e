//! Base 64 and base 32 (RFC 4648): bytes as characters that every mail and terminal passes on.

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Groups of three bytes as four characters.
    Base64,
    /// Groups of five bytes as eight characters.
    Base32,
}

impl Base {
    const fn alphabet(self) -> &'static [u8] {
        match self {
            Self::Base64 => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            Self::Base32 => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        }
    }

    /// The bits of a character, and the bytes and the characters of a group.
    const fn form(self) -> (usize, usize, usize) {
        match self {
            Self::Base64 => (6, 3, 4),
            Self::Base32 => (5, 5, 8),
        }
    }

    /// How many bytes make a whole group: what is encoded in parts is cut at multiples of it.
    pub const fn group(self) -> usize {
        self.form().1
    }

    /// Adds the characters of `content` to `out`; the last group is filled up with `=`.
    pub fn encode(self, content: &[u8], out: &mut Vec<u8>) {
        if self == Self::Base64 {
            let (groups, rest) = content.as_chunks::<3>();
            encode_threes(groups, out);
            return self.encode_groups(rest, out);
        }
        self.encode_groups(content, out);
    }

    fn encode_groups(self, content: &[u8], out: &mut Vec<u8>) {
        let (alphabet, (bits, group, digits)) = (self.alphabet(), self.form());
        for part in content.chunks(group) {
            let mut bytes = [0; 8];
            bytes[..part.len()].copy_from_slice(part);
            let word = u64::from_be_bytes(bytes);
            let used = (part.len() * 8).div_ceil(bits);
            for at in 0..digits {
                let value = word >> (64 - bits * (at + 1)) & ((1 << bits) - 1);
                out.push(if at < used { alphabet[value as usize] } else { b'=' });
            }
        }
    }
}

/// The loop that matters: four characters are written at once.
fn encode_threes(groups: &[[u8; 3]], out: &mut Vec<u8>) {
    let Some(alphabet) = Base::Base64.alphabet().first_chunk::<64>() else { return };
    let start = out.len();
    out.resize(start + 4 * groups.len(), 0);
    let (slots, _) = out[start..].as_chunks_mut::<4>();
    for (slot, &[a, b, c]) in slots.iter_mut().zip(groups) {
        let word = u32::from_be_bytes([0, a, b, c]);
        let digit = |shift: u32| alphabet[(word >> shift & 63) as usize];
        *slot = [digit(18), digit(12), digit(6), digit(0)];
    }
}

/// The input has something that belongs in no such text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// Decodes what comes in parts. Blanks and line ends are passed over.
#[derive(Debug)]
pub struct Decoder {
    base: Base,
    /// The value of each character, or what else it is.
    values: [u8; 256],
    /// The bits of the group that is not whole yet, and the number of its characters.
    pending: u64,
    digits: usize,
    /// How many `=` the group has.
    padding: usize,
}

const INVALID: u8 = 0xFF;
const BLANK: u8 = 0xFE;
const PADDING: u8 = 0xFD;

impl Decoder {
    /// A decoder that passes over all that is no character when `lenient`, and else refuses it.
    pub fn new(base: Base, lenient: bool) -> Self {
        let mut values = [if lenient { BLANK } else { INVALID }; 256];
        for (value, &digit) in base.alphabet().iter().enumerate() {
            values[usize::from(digit)] = value as u8;
        }
        for blank in *b" \t\r\n" {
            values[usize::from(blank)] = BLANK;
        }
        values[usize::from(b'=')] = PADDING;
        Self { base, values, pending: 0, digits: 0, padding: 0 }
    }

    /// Adds the bytes of whole groups to `out`. A group that is padded may be followed by another text.
    pub fn decode(&mut self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Invalid> {
        let mut rest = content;
        loop {
            if self.digits == 0 && self.base == Base::Base64 {
                let count = self.decode_fours(rest, out);
                rest = &rest[count..];
                if count > 0 {
                    continue;
                }
            }
            // A blank, an equals sign, or a character of a group that is not whole here.
            let Some((&digit, after)) = rest.split_first() else { return Ok(()) };
            self.take(digit, out)?;
            rest = after;
        }
    }

    /// Decodes some groups, as long as four characters are beside each other, and returns how many characters that was.
    fn decode_fours(&self, content: &[u8], out: &mut Vec<u8>) -> usize {
        // A few lines: the space for them is zeroed before it is known how many there are.
        let (groups, _) = content[..content.len().min(256)].as_chunks::<4>();
        let start = out.len();
        out.resize(start + 3 * groups.len(), 0);
        let (slots, _) = out[start..].as_chunks_mut::<3>();
        let mut count = 0;
        for (slot, group) in slots.iter_mut().zip(groups) {
            let [a, b, c, d] = group.map(|digit| u32::from(self.values[usize::from(digit)]));
            if (a | b | c | d) > 63 {
                break;
            }
            let [_, bytes @ ..] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
            *slot = bytes;
            count += 1;
        }
        out.truncate(start + 3 * count);
        4 * count
    }

    fn take(&mut self, digit: u8, out: &mut Vec<u8>) -> Result<(), Invalid> {
        let (bits, _, digits) = self.base.form();
        match self.values[usize::from(digit)] {
            BLANK => return Ok(()),
            PADDING if self.digits > 0 => self.padding += 1,
            PADDING | INVALID => return Err(Invalid),
            _ if self.padding > 0 => return Err(Invalid),
            value => self.pending |= u64::from(value) << (64 - bits * (self.digits + 1)),
        }
        self.digits += 1;
        if self.digits == digits {
            let used = (digits - self.padding) * bits / 8;
            // RFC 4648, 6: only so many characters hold a whole number of bytes.
            if (used * 8).div_ceil(bits) != digits - self.padding {
                return Err(Invalid);
            }
            out.extend_from_slice(&self.pending.to_be_bytes()[..used]);
            (self.pending, self.digits, self.padding) = (0, 0, 0);
        }
        Ok(())
    }

    /// True when no group is begun and not whole.
    pub fn is_whole(&self) -> bool {
        self.digits == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(base: Base, content: &[u8]) -> String {
        let mut out = Vec::new();
        base.encode(content, &mut out);
        String::from_utf8(out).expect("digits")
    }

    fn decoded(base: Base, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut decoder = Decoder::new(base, false);
        // In two parts, as a file comes.
        let (head, tail) = text.split_at(text.len() / 2);
        decoder.decode(head, &mut out).and_then(|()| decoder.decode(tail, &mut out)).ok()?;
        decoder.is_whole().then_some(out)
    }

    #[test]
    fn texts_are_those_of_rfc_4648() {
        for (content, in_64, in_32) in [
            (&b""[..], "", ""),
            (b"f", "Zg==", "MY======"),
            (b"fo", "Zm8=", "MZXQ===="),
            (b"foo", "Zm9v", "MZXW6==="),
            (b"foob", "Zm9vYg==", "MZXW6YQ="),
            (b"fooba", "Zm9vYmE=", "MZXW6YTB"),
            (b"foobar", "Zm9vYmFy", "MZXW6YTBOI======"),
        ] {
            assert_eq!(encoded(Base::Base64, content), in_64);
            assert_eq!(encoded(Base::Base32, content), in_32);
            assert_eq!(decoded(Base::Base64, in_64.as_bytes()).as_deref(), Some(content));
            assert_eq!(decoded(Base::Base32, in_32.as_bytes()).as_deref(), Some(content));
        }
    }

    #[test]
    fn blanks_are_passed_over_and_texts_may_follow_one_another() {
        assert_eq!(decoded(Base::Base64, b"Zm9v\r\nYm\nFy Zg==Zg==\n").as_deref(), Some(&b"foobarff"[..]));
    }

    #[test]
    fn what_is_no_such_text_is_refused() {
        for text in [&b"Zg"[..], b"Z===", b"Zg=", b"Zg=A", b"Z!9v", b"=", b"Zm9v="] {
            assert_eq!(decoded(Base::Base64, text), None, "{text:?}");
        }
        assert_eq!(decoded(Base::Base32, b"MYQ====="), None);
        let (mut out, mut lenient) = (Vec::new(), Decoder::new(Base::Base64, true));
        assert_eq!((lenient.decode(b"Z!m-9\0v", &mut out), out.as_slice()), (Ok(()), &b"foo"[..]));
    }
}
