//! A date written as a pattern says: strptime(3).

use super::{Civil, Moment, Parser, Zone, full_year, parse_decimal};

/// The moment of `text` written as `pattern` says: strptime(3), in the POSIX locale. What the pattern does not name is
/// the day of `now` and midnight. Text after it does not matter.
pub fn parse_as(text: &[u8], pattern: &[u8], now: Moment, zone: &Zone) -> Option<Moment> {
    let mut parser = Parser { civil: zone.civil(now.seconds), has_date: true, ..Parser::default() };
    parser.set_time(0, 0, 0);
    parser.take_pattern(pattern, &mut { text })?;
    parser.finish(zone)
}

impl Parser {
    fn take_pattern(&mut self, mut pattern: &[u8], text: &mut &[u8]) -> Option<()> {
        while let Some((&byte, rest)) = pattern.split_first() {
            pattern = rest;
            if byte.is_ascii_whitespace() {
                *text = text.trim_ascii_start();
            } else if byte == b'%' {
                let (&letter, rest) = pattern.split_first()?;
                pattern = rest;
                self.take_conversion(letter, text)?;
            } else {
                *text = text.strip_prefix(&[byte])?;
            }
        }
        Some(())
    }

    fn take_conversion(&mut self, letter: u8, text: &mut &[u8]) -> Option<()> {
        match letter {
            b'D' => return self.take_pattern(b"%m/%d/%y", text),
            b'F' => return self.take_pattern(b"%Y-%m-%d", text),
            b'R' => return self.take_pattern(b"%H:%M", text),
            b'T' => return self.take_pattern(b"%H:%M:%S", text),
            b'%' => *text = text.strip_prefix(b"%")?,
            b'n' | b't' => *text = text.trim_ascii_start(),
            b'a' | b'A' | b'b' | b'B' | b'h' | b'p' | b'Z' => {
                let name = take_while(text, usize::MAX, u8::is_ascii_alphabetic).to_ascii_lowercase();
                return (letter == b'Z' || self.take_name(&name)).then_some(());
            }
            b'z' => {
                let zone = take_while(text, usize::MAX, |byte| byte.is_ascii_digit() || b"+-:Zz".contains(byte));
                return self.take_zone(&zone.to_ascii_lowercase()).then_some(());
            }
            _ => self.take_field(letter, text)?,
        }
        Some(())
    }

    fn take_field(&mut self, letter: u8, text: &mut &[u8]) -> Option<()> {
        let (most, low, high) = match letter {
            b'Y' => (4, 0, 9999),
            b'C' | b'y' => (2, 0, 99),
            b'm' => (2, 1, 12),
            b'd' | b'e' => (2, 1, 31),
            b'j' => (3, 1, 366),
            b'H' | b'k' => (2, 0, 23),
            b'I' | b'l' => (2, 1, 12),
            b'M' => (2, 0, 59),
            b'S' => (2, 0, 60),
            b's' => (18, 0, u64::MAX),
            _ => return None,
        };
        *text = text.trim_ascii_start();
        let digits = take_while(text, most, u8::is_ascii_digit);
        let value = parse_decimal(digits).filter(|value| (low..=high).contains(value))? as i64;
        let civil = &mut self.civil;
        match letter {
            b'Y' => civil.year = value,
            b'C' => civil.year = value * 100 + civil.year % 100,
            b'y' => civil.year = full_year(value, 2),
            b'm' => civil.month = value as u8,
            b'j' => (civil.month, civil.day, self.days) = (1, 1, value - 1),
            b'H' | b'k' | b'I' | b'l' => civil.hour = value as u8,
            b'M' => civil.minute = value as u8,
            b'S' => civil.second = value as u8,
            b's' => (*civil, self.offset) = (Civil::from_clock(value), Some(0)),
            _ => civil.day = value as u8,
        }
        Some(())
    }
}

/// Takes the bytes off the front of `text` that `is_part` says, `most` at most.
fn take_while<'a>(text: &mut &'a [u8], most: usize, is_part: impl Fn(&u8) -> bool) -> &'a [u8] {
    let length = text.iter().take(most).take_while(|byte| is_part(byte)).count();
    let (taken, rest) = text.split_at(length);
    *text = rest;
    taken
}
