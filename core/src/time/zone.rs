//! Time zones: TZ as POSIX XBD 8.3 has it, and the files of tzfile(5) (RFC 8536).

use super::{Civil, days_of};
use crate::bytes;
use crate::io::Input;

/// The rules of one zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Moments (seconds) from which a kind of `kinds` holds, ascending.
    changes: Vec<(i64, u8)>,
    kinds: Vec<Kind>,
    /// What holds after the last change.
    rule: Option<Rule>,
}

/// Offset from UTC in seconds, east positive; whether it is summer time; the name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    offset: i64,
    summer: bool,
    name: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Rule {
    standard: Kind,
    summer: Option<(Kind, Turn, Turn)>,
}

/// When summer time starts or ends: a day of the year and seconds after midnight.
#[derive(Clone, Copy, Debug)]
struct Turn {
    day: Day,
    seconds: i64,
}

#[derive(Clone, Copy, Debug)]
enum Day {
    /// `Jn`, 1-365, 29 February never counted.
    Julian(i64),
    /// `n`, 0-365.
    Zero(i64),
    /// `Mm.w.d`: month, week 1-5 (5 is the last), weekday from Sunday.
    Month(i64, i64, i64),
}

/// The largest zone file that is read, in bytes; real ones stay under 4 KB.
const FILE_LIMIT: usize = 64 * 1024;

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { changes: Vec::new(), kinds: Vec::new(), rule: None }
    }

    /// The zone that the value of TZ names: a rule, or a file below /usr/share/zoneinfo; /etc/localtime when it is not
    /// set. What cannot be read is UTC.
    pub fn load(tz: Option<&[u8]>) -> Self {
        let Some(tz) = tz else { return Self::read(b"/etc/localtime").unwrap_or_else(Self::utc) };
        let name = tz.strip_prefix(b":").unwrap_or(tz);
        if name.is_empty() {
            return Self::utc();
        }
        if name.starts_with(b"/") {
            return Self::read(name).unwrap_or_else(Self::utc);
        }
        let safe = !name.split(|&byte| byte == b'/').any(|part| part == b"..");
        let file = if safe { Self::read(&bytes::join_path(b"/usr/share/zoneinfo", name)) } else { None };
        file.or_else(|| Some(Self { rule: Some(Rule::parse(name)?), ..Self::utc() })).unwrap_or_else(Self::utc)
    }

    fn read(path: &[u8]) -> Option<Self> {
        let mut input = Input::open(path).ok()?;
        while input.buffered().len() < FILE_LIMIT && input.fill_more().ok()? {}
        Self::parse_file(input.buffered())
    }

    /// tzfile(5): the second, 64-bit block where there is one, and the rule that follows it.
    fn parse_file(content: &[u8]) -> Option<Self> {
        let first = Header::parse(content)?;
        if content.get(4)? < &b'2' {
            return Self::parse_block(content.get(44..)?, &first, 4).map(|(zone, _)| zone);
        }
        let second = content.get(44 + first.length(4)..)?;
        let header = Header::parse(second)?;
        let (mut zone, length) = Self::parse_block(second.get(44..)?, &header, 8)?;
        let footer = second.get(44 + length..)?.strip_prefix(b"\n")?;
        let end = bytes::find_byte(b'\n', footer)?;
        zone.rule = Rule::parse(&footer[..end]);
        Some(zone)
    }

    fn parse_block(block: &[u8], header: &Header, size: usize) -> Option<(Self, usize)> {
        let length = header.length(size);
        let block = block.get(..length)?;
        let (times, rest) = block.split_at(header.times * size);
        let (indexes, rest) = rest.split_at(header.times);
        let (kinds, rest) = rest.split_at(header.kinds * 6);
        let names = rest.get(..header.letters)?;
        let kinds: Option<Vec<Kind>> = kinds.chunks_exact(6).map(|kind| Kind::parse(kind, names)).collect();
        let kinds = kinds?;
        if indexes.iter().any(|&index| usize::from(index) >= kinds.len()) {
            return None;
        }
        let number = |time: &[u8]| time.iter().fold(0i64, |value, &byte| value << 8 | i64::from(byte));
        let signed = |time: &[u8]| if size == 4 { i64::from(number(time) as i32) } else { number(time) };
        let changes = times.chunks_exact(size).map(signed).zip(indexes.iter().copied()).collect();
        Some((Self { changes, kinds, rule: None }, length))
    }

    fn kind_at(&self, seconds: i64) -> Kind {
        let after = self.changes.partition_point(|(time, _)| *time <= seconds);
        if let Some(rule) = &self.rule
            && after == self.changes.len()
        {
            return rule.kind_at(seconds);
        }
        let index = match after {
            0 => self.kinds.iter().position(|kind| !kind.summer).unwrap_or(0),
            _ => usize::from(self.changes[after - 1].1),
        };
        self.kinds.get(index).cloned().unwrap_or_else(|| Kind { offset: 0, summer: false, name: b"UTC".to_vec() })
    }

    /// The offset from UTC at a moment, in seconds, east positive, and the zone's name then.
    pub fn at(&self, seconds: i64) -> (i64, Vec<u8>) {
        let kind = self.kind_at(seconds);
        (kind.offset, kind.name)
    }

    /// The civil time of a moment in this zone.
    pub fn civil(&self, seconds: i64) -> Civil {
        Civil::from_clock(seconds.saturating_add(self.kind_at(seconds).offset))
    }

    /// The moment at which a clock in this zone shows `civil`. Where the clock shows it twice, the first; where it
    /// jumps over it, the moment that the offset before the jump gives (POSIX mktime with tm_isdst -1).
    pub fn moment(&self, civil: &Civil) -> i64 {
        let clock = civil.clock();
        let before = self.kind_at(clock.saturating_sub(86_400)).offset;
        let after = self.kind_at(clock.saturating_add(86_400)).offset;
        let fits = |offset: &i64| self.kind_at(clock.saturating_sub(*offset)).offset == *offset;
        let offset = [before, after].into_iter().find(fits).unwrap_or(before);
        clock.saturating_sub(offset)
    }
}

/// The counts of a block of tzfile(5).
struct Header {
    universal: usize,
    standard: usize,
    leaps: usize,
    times: usize,
    kinds: usize,
    letters: usize,
}

impl Header {
    fn parse(content: &[u8]) -> Option<Self> {
        if !content.starts_with(b"TZif") {
            return None;
        }
        let count = |index: usize| -> Option<usize> {
            let field = content.get(20 + 4 * index..24 + 4 * index)?;
            let value = field.iter().fold(0usize, |value, &byte| value << 8 | usize::from(byte));
            (value <= FILE_LIMIT).then_some(value)
        };
        Some(Self {
            universal: count(0)?,
            standard: count(1)?,
            leaps: count(2)?,
            times: count(3)?,
            kinds: count(4)?,
            letters: count(5)?,
        })
    }

    fn length(&self, size: usize) -> usize {
        self.times * (size + 1)
            + self.kinds * 6
            + self.letters
            + self.leaps * (size + 4)
            + self.standard
            + self.universal
    }
}

impl Kind {
    fn parse(fields: &[u8], names: &[u8]) -> Option<Self> {
        let offset = i32::from_be_bytes(fields[..4].try_into().ok()?);
        let name = names.get(usize::from(fields[5])..)?;
        let name = name.split(|&byte| byte == 0).next()?;
        Some(Self { offset: offset.into(), summer: fields[4] != 0, name: name.to_vec() })
    }
}

impl Rule {
    /// `stdoffset[dst[offset][,start[/time],end[/time]]]` (POSIX XBD 8.3); the offset is west positive.
    fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = text;
        let name = take_name(&mut rest)?;
        let offset = -take_time(&mut rest)?;
        let standard = Kind { offset, summer: false, name };
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let name = take_name(&mut rest)?;
        let offset = if rest.is_empty() || rest[0] == b',' { offset + 3600 } else { -take_time(&mut rest)? };
        let (start, end) = match rest.strip_prefix(b",") {
            Some(turns) => {
                let (start, end) = bytes::split_once(turns, b',')?;
                (Turn::parse(start)?, Turn::parse(end)?)
            }
            None => (Turn::parse(b"M3.2.0")?, Turn::parse(b"M11.1.0")?),
        };
        Some(Self { standard, summer: Some((Kind { offset, summer: true, name }, start, end)) })
    }

    fn kind_at(&self, seconds: i64) -> Kind {
        let Some((summer, start, end)) = &self.summer else { return self.standard.clone() };
        let year = Civil::from_clock(seconds.saturating_add(self.standard.offset)).year;
        let start = start.clock(year).saturating_sub(self.standard.offset);
        let end = end.clock(year).saturating_sub(summer.offset);
        // In the south summer runs over the turn of the year.
        let is_summer = if start < end { (start..end).contains(&seconds) } else { !(end..start).contains(&seconds) };
        if is_summer { summer.clone() } else { self.standard.clone() }
    }
}

impl Turn {
    fn parse(text: &[u8]) -> Option<Self> {
        let (day, time) = match bytes::split_once(text, b'/') {
            Some((day, mut time)) => (day, take_time(&mut time)?),
            None => (text, 2 * 3600),
        };
        let number = |digits: &[u8]| crate::number::parse_decimal(digits).and_then(|value| i64::try_from(value).ok());
        let day = match day {
            [b'J', digits @ ..] => Day::Julian(number(digits).filter(|day| (1..=365).contains(day))?),
            [b'M', fields @ ..] => {
                let mut fields = fields.split(|&byte| byte == b'.').map(number);
                let mut next = |low, high| fields.next().flatten().filter(|value| (low..=high).contains(value));
                Day::Month(next(1, 12)?, next(1, 5)?, next(0, 6)?)
            }
            digits => Day::Zero(number(digits).filter(|day| *day <= 365)?),
        };
        Some(Self { day, seconds: time })
    }

    /// The seconds since 1970 that the zone's clock shows at this turn of `year`.
    fn clock(&self, year: i64) -> i64 {
        let first = days_of(year, 1, 1);
        let leap = days_of(year, 3, 1) - first == 60;
        let day = match self.day {
            Day::Julian(day) => first + day - 1 + i64::from(leap && day > 59),
            Day::Zero(day) => first + day,
            Day::Month(month, week, weekday) => {
                let start = days_of(year, month, 1);
                let day = start + (weekday - (start + 4)).rem_euclid(7) + (week - 1) * 7;
                if day >= days_of(year, month + 1, 1) { day - 7 } else { day }
            }
        };
        day.saturating_mul(86_400).saturating_add(self.seconds)
    }
}

/// Three or more letters, or `<...>`.
fn take_name(rest: &mut &[u8]) -> Option<Vec<u8>> {
    if let Some(quoted) = rest.strip_prefix(b"<") {
        let (name, after) = bytes::split_once(quoted, b'>')?;
        *rest = after;
        return Some(name.to_vec());
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, after) = rest.split_at(length);
    *rest = after;
    (length >= 3).then(|| name.to_vec())
}

/// `[+-]hh[:mm[:ss]]` in seconds.
fn take_time(rest: &mut &[u8]) -> Option<i64> {
    let sign = match rest.first()? {
        b'-' => -1,
        _ => 1,
    };
    if matches!(rest.first(), Some(b'-' | b'+')) {
        *rest = &rest[1..];
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
    let (digits, after) = rest.split_at(length);
    *rest = after;
    let mut seconds = 0;
    for (field, unit) in digits.splitn(3, |&byte| byte == b':').zip([3600, 60, 1]) {
        seconds += i64::try_from(crate::number::parse_decimal(field).filter(|value| *value <= 200)?).ok()? * unit;
    }
    Some(sign * seconds)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    for zone in [Zone::parse_file(data), Some(Zone::load(Some(data)))].into_iter().flatten() {
        for seconds in [i64::MIN, -1 << 40, -1, 0, 1_700_000_000, 1 << 40, i64::MAX] {
            zone.at(seconds);
            let civil = zone.civil(seconds);
            zone.moment(&civil);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_turn_at_their_days() {
        let zone = Zone::load(Some(b"CET-1CEST,M3.5.0,M10.5.0/3"));
        assert_eq!(zone.at(1_774_746_000 - 1), (3600, b"CET".to_vec()));
        assert_eq!(zone.at(1_774_746_000), (7200, b"CEST".to_vec()));
        assert_eq!(zone.at(1_792_890_000 - 1), (7200, b"CEST".to_vec()));
        assert_eq!(zone.at(1_792_890_000), (3600, b"CET".to_vec()));
    }

    #[test]
    fn the_ends_of_time_have_a_zone_too() {
        for rule in [&b"CET-1CEST,M3.5.0,M10.5.0/3"[..], b"AAA0BBB,J9223372036854775807,0", b"AAA0BBB,J1,365"] {
            let zone = Zone::load(Some(rule));
            for seconds in [i64::MIN, i64::MAX] {
                zone.moment(&zone.civil(seconds));
            }
        }
    }

    #[test]
    fn a_clock_time_leads_back_to_its_moment() {
        let zone = Zone::load(Some(b"EST5EDT"));
        for moment in [0, 1_700_000_000, 1_720_000_000] {
            assert_eq!(zone.moment(&zone.civil(moment)), moment);
        }
    }

    #[test]
    fn what_is_no_zone_is_utc() {
        for name in ["", "X", "../../etc/passwd", "CET-1CEST,M13.1.1,J1", "<", "AAA99999999999999999999"] {
            assert_eq!(Zone::load(Some(name.as_bytes())).at(0).0, 0, "{name}");
        }
        assert!(Zone::parse_file(b"TZif2").is_none());
        let mut lying = b"TZif2".to_vec();
        lying.resize(44, 0xff);
        assert!(Zone::parse_file(&lying).is_none());
    }
}
