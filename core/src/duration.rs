//! Spans of time as words: `5`, `1.5`, `2m`, `inf`.

use core::time::Duration;

use crate::bytes;
use crate::error::Result;
use crate::number::parse_decimal;
use crate::sys::thread::{NanosleepRelativeResult, nanosleep};
use crate::sys::time::Timespec;

/// The span that `word` means: decimal digits with an optional fraction and a unit `s`, `m`, `h` or `d`; `inf` is the longest.
///
/// The error is BusyBox's `invalid number 'WORD'`.
pub fn parse(word: &[u8]) -> Result<Duration> {
    if word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"infinity") {
        return Ok(Duration::MAX);
    }
    parse_digits(word).ok_or_else(|| crate::number::invalid(word))
}

fn parse_digits(word: &[u8]) -> Option<Duration> {
    let (&last, rest) = word.split_last()?;
    let (digits, unit) = match last {
        b's' => (rest, 1),
        b'm' => (rest, 60),
        b'h' => (rest, 3600),
        b'd' => (rest, 86_400),
        _ => (word, 1),
    };
    let (whole, fraction) = bytes::split_once(digits, b'.').unwrap_or((digits, b""));
    if whole.is_empty() && fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = if whole.is_empty() { 0 } else { parse_decimal(whole)? };
    // Digits past the ninth are below a nanosecond.
    let nanos = (0..9).fold(0u64, |nanos, at| nanos * 10 + u64::from(fraction.get(at).map_or(0, |digit| digit - b'0')));
    let nanos = nanos * unit;
    let seconds = seconds.saturating_mul(unit).saturating_add(nanos / 1_000_000_000);
    Some(Duration::new(seconds, (nanos % 1_000_000_000) as u32))
}

/// Waits for that long, whatever signals are noted meanwhile.
pub fn sleep(span: Duration) {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    let mut left = Timespec { tv_sec: seconds, tv_nsec: span.subsec_nanos().into() };
    while let NanosleepRelativeResult::Interrupted(rest) = nanosleep(&left) {
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spans() {
        assert_eq!(parse(b"2m").ok(), Some(Duration::from_secs(120)));
        assert_eq!(parse(b"0.25").ok(), Some(Duration::from_millis(250)));
        assert_eq!(parse(b".5h").ok(), Some(Duration::from_secs(1800)));
        assert_eq!(parse(b"inf").ok(), Some(Duration::MAX));
    }

    #[test]
    fn other_words_are_errors() {
        for word in [&b""[..], b"s", b".", b"1x", b"-1", b"1.x"] {
            assert!(parse(word).is_err(), "{word:?}");
        }
    }
}
