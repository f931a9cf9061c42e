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

/// The time before messages: the part that is the same for a whole second is kept.
#[derive(Debug)]
pub struct Stamp {
    /// How often `-t` was given.
    pub times: usize,
    second: u64,
    text: Vec<u8>,
    /// The length of what is kept.
    kept: usize,
}

impl Stamp {
    /// The form for `-t` given that often.
    pub fn new(times: usize) -> Self {
        Self { times, second: u64::MAX, text: Vec::new(), kept: 0 }
    }

    /// What is before a message at that moment.
    pub fn at(&mut self, now: (u64, u32)) -> &[u8] {
        if self.times == 0 {
            return &[];
        }
        if now.0 != self.second {
            self.text = match self.times {
                1 => tai64n((now.0, 0)),
                times => civil(now.0, if times == 2 { "_" } else { "T" }),
            };
            self.kept = if self.times == 1 { self.text.len() - 8 } else { self.text.len() };
            self.second = now.0;
        }
        self.text.truncate(self.kept);
        if self.times == 1 {
            push!(self.text, Right(rbox_core::text::Hex(now.1.into()), 8, b'0'), " ");
        } else {
            push!(self.text, Right(now.1 / 10_000, 5, b'0'), " ");
        }
        &self.text
    }
}

/// Up to the point before the fraction of the second.
fn civil(seconds: u64, separator: &str) -> Vec<u8> {
    let civil = Civil::from_clock(seconds as i64);
    let two = |number: u8| Right(number, 2, b'0');
    let mut text = Vec::with_capacity(32);
    push!(text, Right(civil.year.max(0) as u64, 4, b'0'), "-", two(civil.month), "-", two(civil.day), separator);
    push!(text, two(civil.hour), ":", two(civil.minute), ":", two(civil.second), ".");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_digits() {
        let stamp = |times, now| Stamp::new(times).at(now).to_vec();
        assert_eq!(stamp(0, (1, 2)), b"");
        assert_eq!(stamp(1, (0, 255)), b"@400000000000000a000000ff ");
        assert_eq!(stamp(2, (951_868_800, 12_345_678)), b"2000-03-01_00:00:00.01234 ");
        assert_eq!(stamp(3, (1, 0)), b"1970-01-01T00:00:01.00000 ");
        let mut stamp = Stamp::new(2);
        stamp.at((1, 5));
        assert_eq!(stamp.at((1, 999_999_999)), b"1970-01-01_00:00:01.99999 ");
        assert_eq!(stamp.at((2, 0)), b"1970-01-01_00:00:02.00000 ");
    }
}
