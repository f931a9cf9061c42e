//! Debian's control files: paragraphs of fields, and versions (deb-control(5), deb-version(7)).

use core::cmp::Ordering;

use rbox_core::bytes::find_byte;
use rbox_core::prelude::*;

/// A paragraph: its lines, each with its newline. A line that begins with a blank continues the field before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paragraph(pub Vec<u8>);

impl Paragraph {
    /// Where the field of that name, in any case, begins and ends, and where its value begins.
    fn field(&self, name: &[u8]) -> Option<(usize, usize, usize)> {
        let text = &self.0;
        let mut at = 0;
        while at < text.len() {
            let mut end = at;
            loop {
                end += find_byte(b'\n', &text[end..]).map_or(text.len() - end, |length| length + 1);
                if !matches!(text.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let value = at + name.len() + 1;
            if text.get(value - 1) == Some(&b':') && text[at..value - 1].eq_ignore_ascii_case(name) {
                return Some((at, value, end));
            }
            at = end;
        }
        None
    }

    /// The value of a field; empty if there is none. It begins with a newline where it has nothing on the first line.
    pub fn get(&self, name: &str) -> &[u8] {
        let Some((_, value, end)) = self.field(name.as_bytes()) else { return b"" };
        let value = &self.0[value..end - 1];
        &value[value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()..]
    }

    /// The lines of a field; none if there is none.
    pub fn lines(&self, name: &[u8]) -> &[u8] {
        self.field(name).map_or(&b""[..], |(start, _, end)| &self.0[start..end])
    }

    /// Sets a field, or without a value removes it. The status comes after the first field, another new one last.
    pub fn set(&mut self, name: &str, value: Option<&[u8]>) {
        let end = self.0.len();
        let (start, end) = match self.field(name.as_bytes()) {
            Some((start, _, end)) => (start, end),
            None if name == "Status" => {
                let second = find_byte(b'\n', &self.0).map_or(end, |at| at + 1);
                (second, second)
            }
            None => (end, end),
        };
        let mut new = Vec::new();
        if let Some(value) = value {
            rbox_core::push!(new, name, if value.starts_with(b"\n") { ":" } else { ": " }, value, "\n");
        }
        let rest = self.0.split_off(end);
        self.0.truncate(start);
        self.0.extend_from_slice(&new);
        self.0.extend_from_slice(&rest);
    }
}

/// The paragraphs of a file, which empty lines separate. The error says which line has no field.
pub fn parse(text: &[u8]) -> Result<Vec<Paragraph>> {
    let (mut all, mut current) = (Vec::new(), Vec::new());
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            if !current.is_empty() {
                all.push(Paragraph(core::mem::take(&mut current)));
            }
            continue;
        }
        if line.starts_with(b"#") {
            continue;
        }
        let is_good = match line[0] {
            b' ' | b'\t' => !current.is_empty(),
            _ => find_byte(b':', line).is_some_and(|at| at > 0),
        };
        if !is_good {
            return Err(Error::new(rbox_core::text!("line ", number + 1, " is no field")));
        }
        rbox_core::push!(current, line, "\n");
    }
    if !current.is_empty() {
        all.push(Paragraph(current));
    }
    Ok(all)
}

/// The order of two versions: epoch, upstream version, revision.
pub fn compare_versions(one: &[u8], two: &[u8]) -> Ordering {
    let split = |version: &'_ [u8]| {
        let (epoch, rest) = find_byte(b':', version).map_or((0, 0), |at| (at, at + 1));
        let end = rbox_core::bytes::find_byte_back(b'-', version).filter(|&at| at >= rest).unwrap_or(version.len());
        [(0, epoch), (rest, end), ((end + 1).min(version.len()), version.len())]
    };
    for ((a, b), (c, d)) in split(one).into_iter().zip(split(two)) {
        match compare_parts(&one[a..b], &two[c..d]) {
            Ordering::Equal => {}
            order => return order,
        }
    }
    Ordering::Equal
}

/// deb-version(7): parts that are no digits and parts that are, in turn; `~` is before the end, letters before all else.
fn compare_parts(mut one: &[u8], mut two: &[u8]) -> Ordering {
    let rank = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None | Some(b'0'..=b'9') => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    while !one.is_empty() || !two.is_empty() {
        while one.first().is_some_and(|byte| !byte.is_ascii_digit())
            || two.first().is_some_and(|byte| !byte.is_ascii_digit())
        {
            match rank(one.first()).cmp(&rank(two.first())) {
                Ordering::Equal => (one, two) = (&one[1..], &two[1..]),
                order => return order,
            }
        }
        let number = |text: &mut &'_ [u8]| {
            let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = text.split_at(count);
            *text = rest;
            digits[digits.iter().take_while(|&&digit| digit == b'0').count()..].to_vec()
        };
        let (a, b) = (number(&mut one), number(&mut two));
        match a.len().cmp(&b.len()).then_with(|| a.cmp(&b)) {
            Ordering::Equal => {}
            order => return order,
        }
    }
    Ordering::Equal
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    if let Ok(paragraphs) = parse(data) {
        for paragraph in paragraphs {
            assert_eq!(parse(&paragraph.0).ok(), Some(vec![paragraph]));
        }
    }
    let (one, two) = data.split_at(data.len() / 2);
    assert_eq!(compare_versions(one, two), compare_versions(two, one).reverse());
}

#[cfg(test)]
mod tests {
    use core::cmp::Ordering::{Equal, Greater, Less};

    use super::*;

    #[test]
    fn paragraphs_are_read_and_written() {
        let text = b"Package: a\nDescription: b\n c\n .\n d\n\n\nPackage: e\nX:\n f\n";
        let all = parse(text).expect("paragraphs");
        assert_eq!(
            (all.len(), all[0].get("package"), all[0].get("Description")),
            (2, &b"a"[..], &b"b\n c\n .\n d"[..])
        );
        assert_eq!((all[1].get("X"), all[1].lines(b"x")), (&b"\n f"[..], &b"X:\n f\n"[..]));
        let mut one = all[0].clone();
        one.set("Status", Some(b"s"));
        one.set("description", Some(b"\n e"));
        one.set("New", Some(b"n"));
        assert_eq!(one.0, b"Package: a\nStatus: s\ndescription:\n e\nNew: n\n");
        one.set("Description", None);
        assert_eq!(one.0, b"Package: a\nStatus: s\nNew: n\n");
        for bad in [&b"x\n"[..], b" a\n", b":\n"] {
            assert!(parse(bad).is_err());
        }
    }

    #[test]
    fn any_text_is_read_or_refused() {
        let mut random = rbox_core::testing::Random::new(5);
        for _ in 0..3000 {
            let text = random.spoil(b"Package: a\nVersion: 1:2.0~b-1\nX:\n f\n .\n\nPackage: e\n");
            for paragraph in parse(&text).unwrap_or_default() {
                assert_eq!(parse(&paragraph.0).ok(), Some(vec![paragraph]));
            }
            let (one, two) = (random.bytes(6), random.bytes(6));
            assert_eq!(compare_versions(&one, &two), compare_versions(&two, &one).reverse());
        }
    }

    #[test]
    fn versions_have_an_order() {
        for (one, order, two) in [
            ("1.0", Equal, "1.0"),
            ("1.0", Less, "1.0.1"),
            ("1.0~rc1", Less, "1.0"),
            ("1:0.5", Greater, "2.0"),
            ("1.0-1", Less, "1.0-2"),
            ("1.0-1", Greater, "1.0"),
            ("1.010", Equal, "1.10"),
            ("1.a", Less, "1.+"),
            ("2.9", Less, "2.10"),
            ("0:1", Equal, "1"),
            ("1.0-1-2", Greater, "1.0-1-1"),
        ] {
            assert_eq!(compare_versions(one.as_bytes(), two.as_bytes()), order, "{one} {two}");
            assert_eq!(compare_versions(two.as_bytes(), one.as_bytes()), order.reverse(), "{two} {one}");
        }
    }
}
