//! Byte strings: searching, trimming, parts of pathnames. Names and contents need not be UTF-8.

pub use memchr::{memchr as find_byte, memchr_iter as find_bytes, memrchr as find_byte_back};

use crate::error::{Error, Result};
use crate::sys::alloc;

/// Reserves memory for `more` bytes in a buffer whose size depends on the input. The error is `out of memory`.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<()> {
    alloc::try_reserve(buffer, more).map_err(|_| Error::out_of_memory())
}

/// Appends to a buffer whose size depends on the input. The error is `out of memory`.
pub fn append(buffer: &mut Vec<u8>, content: &[u8]) -> Result<()> {
    if buffer.capacity() - buffer.len() < content.len() {
        reserve(buffer, content.len())?;
    }
    buffer.extend_from_slice(content);
    Ok(())
}

/// The position of `needle` in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(hay, needle)
}

/// How many bytes at the start of both are equal.
///
/// musl's memcmp(3), which `==` calls, takes byte by byte.
pub fn common_prefix(one: &[u8], two: &[u8]) -> usize {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let pairs = one.as_chunks::<32>().0.iter().zip(two.as_chunks::<32>().0);
    let equal = pairs.take_while(|(a, b)| {
        let ([a, b, c, d], [e, f, g, h]) = (a.as_chunks().0, b.as_chunks().0) else { return false };
        word(a) ^ word(e) | word(b) ^ word(f) | word(c) ^ word(g) | word(d) ^ word(h) == 0
    });
    let at = 32 * equal.count();
    at + one[at..].iter().zip(&two[at..]).take_while(|(a, b)| a == b).count()
}

/// How many bytes at the end of both are equal.
pub fn common_suffix(one: &[u8], two: &[u8]) -> usize {
    let pairs = one.as_rchunks::<8>().1.iter().rev().zip(two.as_rchunks::<8>().1.iter().rev());
    let end = 8 * pairs.take_while(|(a, b)| u64::from_le_bytes(**a) == u64::from_le_bytes(**b)).count();
    let left = |bytes: &'_ [u8]| bytes.len() - end;
    end + one[..left(one)].iter().rev().zip(two[..left(two)].iter().rev()).take_while(|(a, b)| a == b).count()
}

/// The parts before and after the first `separator`.
pub fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = find_byte(separator, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The words between blanks (space, tab, newline).
pub fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b' ' | b'\t' | b'\n')).filter(|word| !word.is_empty())
}

/// The last component of a pathname, trailing slashes not counted; `/` for slashes only (basename(3)).
pub fn base_name(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(path.len().min(1), |at| at + 1);
    let path = &path[..end];
    // Names are short, and every start asks: choosing the processor's best search costs more than this one.
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) if at + 1 < end => &path[at + 1..],
        _ => path,
    }
}

/// `directory/name`, without a second slash.
pub fn join_path(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
    path.extend_from_slice(directory);
    if !directory.is_empty() && !directory.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// The length without an incomplete character of UTF-8 at the end.
pub fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(3).take_while(|&&byte| byte & 0xC0 == 0x80).count();
    let start = bytes.len() - tail;
    match start.checked_sub(1).map(|lead| bytes[lead].leading_ones() as usize) {
        Some(length @ 2..=4) if length > tail + 1 => start - 1,
        _ => bytes.len(),
    }
}

/// The length through the `left`th newline, or of all where there are fewer; `left` is lowered by those that were met.
pub fn through_lines(bytes: &[u8], left: &mut u64) -> usize {
    for at in find_bytes(b'\n', bytes) {
        *left -= 1;
        if *left == 0 {
            return at + 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_name_ignores_trailing_slashes() {
        assert_eq!(base_name(b"/usr/bin/"), b"bin");
        assert_eq!(base_name(b"name"), b"name");
        assert_eq!(base_name(b"//"), b"/");
        assert_eq!(base_name(b""), b"");
    }

    #[test]
    fn equal_ends_are_found_at_every_offset() {
        let one = [7; 100];
        for at in 0..100 {
            let mut two = one;
            two[at] = 8;
            assert_eq!((common_prefix(&one, &two), common_suffix(&one, &two)), (at, 99 - at));
            assert_eq!((common_prefix(&one, &one[at..]), common_suffix(&one[at..], &one)), (100 - at, 100 - at));
        }
    }

    #[test]
    fn lines_are_counted_down() {
        let mut left = 3;
        assert_eq!((through_lines(b"a\nb\nc", &mut left), left), (5, 1));
        assert_eq!((through_lines(b"d\ne\n", &mut left), left), (2, 0));
    }

    #[test]
    fn join_path_puts_one_slash() {
        assert_eq!(join_path(b"/", b"etc"), b"/etc");
        assert_eq!(join_path(b"a", b"b"), b"a/b");
    }

    #[test]
    fn no_character_is_split() {
        assert_eq!(whole_characters("aé".as_bytes()), 3);
        assert_eq!(whole_characters(b"a\xc3"), 1);
        assert_eq!(whole_characters(b"a\xe2\x82"), 1);
        assert_eq!(whole_characters(b"\xf0\x9f\x98"), 0);
        assert_eq!(whole_characters("€".as_bytes()), 3);
        assert_eq!(whole_characters(b"\x80\x80\x80\x80"), 4);
        assert_eq!(whole_characters(b"\xff"), 1);
    }
}
