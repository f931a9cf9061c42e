//! Floating point numbers as words, by the C library: exact, as C prints them, and a quarter of the bytes of Rust's
//! own.

use std::ffi::CString;

/// The number that `text` begins with, and its length: `strtod(3)`. `None` when it begins with none.
///
/// Leading white space, signs, hexadecimal digits, `inf` and `nan` are taken as there. A number too large is infinite.
pub fn parse(text: &[u8]) -> Option<(f64, usize)> {
    // A number has no NUL byte, so what follows one does not matter.
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let word = CString::new(&text[..end]).ok()?;
    let mut after = core::ptr::null_mut();
    // SAFETY: word is NUL-terminated and lives until the call returns; after is valid for the call.
    let value = unsafe { libc::strtod(word.as_ptr(), &mut after) };
    let taken = after as usize - word.as_ptr() as usize;
    (taken > 0).then_some((value, taken))
}

/// The whole of `text` as a number.
pub fn parse_all(text: &[u8]) -> Option<f64> {
    parse(text).filter(|&(_, length)| length == text.len()).map(|(value, _)| value)
}

/// Adds the number as `snprintf(3)` prints it by the conversion `letter`, one of `aAeEfFgG`.
///
/// `precision` as there, at most 2147483647. `alternate` is its flag `#`.
pub fn push(out: &mut Vec<u8>, value: f64, letter: u8, precision: Option<usize>, alternate: bool) {
    let letter = if b"aAeEfFgG".contains(&letter) { letter } else { b'g' };
    let precision = precision.map_or(-1, |precision| i32::try_from(precision).unwrap_or(i32::MAX));
    let format: [u8; 6] =
        if alternate { [b'%', b'#', b'.', b'*', letter, 0] } else { [b'%', b'.', b'*', letter, 0, 0] };
    // The largest number has 309 digits before the point; then come the sign, the point and the digits after it.
    let start = out.len();
    out.resize(start + 330 + precision.max(0) as usize, 0);
    let room = out.len() - start;
    // SAFETY: format is NUL-terminated and asks for an int and a double, which follow; at most room bytes are written
    // to out, which has them.
    let length =
        unsafe { libc::snprintf(out[start..].as_mut_ptr().cast(), room, format.as_ptr().cast(), precision, value) };
    out.truncate(start + usize::try_from(length).unwrap_or(0).min(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64, letter: u8, precision: Option<usize>, alternate: bool) -> String {
        let mut out = b"=".to_vec();
        push(&mut out, value, letter, precision, alternate);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn numbers_are_as_c_prints_them() {
        assert_eq!(text(2.71, b'f', Some(2), false), "=2.71");
        assert_eq!(text(-0.5, b'e', None, false), "=-5.000000e-01");
        assert_eq!(text(100000.0, b'g', None, false), "=100000");
        assert_eq!(text(1e300, b'G', None, false), "=1E+300");
        assert_eq!(text(1.0, b'g', None, true), "=1.00000");
        assert_eq!(text(f64::MAX, b'f', Some(0), false).len(), 310);
        assert_eq!(text(f64::INFINITY, b'f', None, false), "=inf");
    }

    #[test]
    fn words_are_read_as_far_as_they_are_numbers() {
        assert_eq!(parse(b"1.5e3x"), Some((1500.0, 5)));
        assert_eq!(parse(b" 0x1f"), Some((31.0, 5)));
        assert_eq!(parse(b"x"), None);
        assert_eq!(parse_all(b"1e"), None);
        assert_eq!(parse_all(b"1\x002"), None);
    }
}
