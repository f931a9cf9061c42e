//! The time before a message: TAI64N, or UTC that people can read.

use rbox_core::push;
use rbox_core::text::Right;
use rbox_core::time::Civil;

/// A moment's TAI64N label, `@` and 24 digits.
pub fn tai64n((seconds, nanos): (u64, u32)) -> Vec<u8> {
    // TAI was 10 seconds ahead in 1970; daemontools counts so ever since.
    let label = (1u64 << 62) + 10 + seconds;
    let mut text = b"@".to_vec();
    push!(text, rbox_core::text::Hex(label), Right(rbox_core::text::Hex(nanos.into()), 8, b'0'));
    text
}

/// What stands before a message with `-t` given that often.
pub fn stamp(times: usize, now: (u64, u32)) -> Vec<u8> {
    let mut text = match times {
        0 => return Vec::new(),
        1 => tai64n(now),
        _ => civil(now, if times == 2 { "_" } else { "T" }),
    };
    text.push(b' ');
    text
}

fn civil((seconds, nanos): (u64, u32), separator: &str) -> Vec<u8> {
    let civil = Civil::from_clock(seconds as i64);
    let two = |number: u8| Right(number, 2, b'0');
    let mut text = Vec::with_capacity(32);
    push!(text, Right(civil.year.max(0) as u64, 4, b'0'), "-", two(civil.month), "-", two(civil.day), separator);
    push!(text, two(civil.hour), ":", two(civil.minute), ":", two(civil.second), ".", Right(nanos / 10_000, 5, b'0'));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_digits() {
        assert_eq!(stamp(0, (1, 2)), b"");
        assert_eq!(stamp(1, (0, 255)), b"@400000000000000a000000ff ");
        assert_eq!(stamp(2, (951_868_800, 12_345_678)), b"2000-03-01_00:00:00.01234 ");
        assert_eq!(stamp(3, (1, 0)), b"1970-01-01T00:00:01.00000 ");
    }
}
