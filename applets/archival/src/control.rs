//! Debian's control files: paragraphs of fields, and versions (deb-control(5), deb-version(7)).

use core::cmp::Ordering;

use rbox_core::bytes::find_byte;
use rbox_core::prelude::*;

/// A paragraph: names of fields and their values, in which lines that continue a value keep the blank before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paragraph(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Paragraph {
    /// The value of a field, whose name is in any case; empty if there is none.
    pub fn get(&self, name: &str) -> &[u8] {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.map_or(&b""[..], |(_, value)| value)
    }

    /// Sets a field; a new one is the last, unless `at` says before which.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())) {
            Some((_, old)) => *old = value.to_vec(),
            None => self.0.push((name.as_bytes().to_vec(), value.to_vec())),
        }
    }

    /// The text of the paragraph, each line with its newline.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (name, value) in &self.0 {
            push_field(&mut text, name, value);
        }
        text
    }
}

/// Appends a field. A value that begins with a newline has nothing on its first line.
pub fn push_field(text: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let blank = if value.starts_with(b"\n") || value.is_empty() { "" } else { " " };
    rbox_core::push!(*text, name, ":", blank, value, "\n");
}

/// The paragraphs of a file, which empty lines separate. The error says which line has no field.
pub fn parse(text: &[u8]) -> Result<Vec<Paragraph>> {
    let (mut all, mut current) = (Vec::new(), Paragraph::default());
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            if !current.0.is_empty() {
                all.push(core::mem::take(&mut current));
            }
            continue;
        }
        if line.starts_with(b"#") {
            continue;
        }
        let wrong = || Error::new(rbox_core::text!("line ", number + 1, " is no field"));
        if matches!(line[0], b' ' | b'\t') {
            let (_, value) = current.0.last_mut().ok_or_else(wrong)?;
            value.push(b'\n');
            value.extend_from_slice(line);
            continue;
        }
        let colon = find_byte(b':', line).filter(|&at| at > 0).ok_or_else(wrong)?;
        current.0.push((line[..colon].to_vec(), line[colon + 1..].trim_ascii_start().to_vec()));
    }
    if !current.0.is_empty() {
        all.push(current);
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
            assert_eq!(parse(&paragraph.text()).ok(), Some(vec![paragraph]));
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
        assert_eq!(all[1].text(), b"Package: e\nX:\n f\n");
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
                assert_eq!(parse(&paragraph.text()).ok(), Some(vec![paragraph]));
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
