//! The rules of `/etc/syslog.conf`: which messages go to which file (syslog.conf(5), the part about local files).

use rbox_core::bytes;
use rbox_core::prelude::*;
use rbox_core::syslog::{FACILITIES, SEVERITIES};

/// Facilities that a message can have: 0 to 23.
const COUNT: usize = 24;
/// Every severity: one bit for each of 0 to 7.
const ALL: u8 = 0xff;

/// One line of the file.
pub struct Rule {
    /// For each facility the severities that are wanted, one bit each.
    wanted: [u8; COUNT],
    /// Where they go.
    pub path: Vec<u8>,
}

impl Rule {
    /// Whether a message with this priority (facility * 8 + severity) is wanted.
    pub fn wants(&self, priority: u16) -> bool {
        self.wanted.get(usize::from(priority >> 3)).is_some_and(|severities| severities & 1 << (priority & 7) != 0)
    }
}

/// Reads all rules; the name of the file is for the message about a bad line.
pub fn parse(text: &[u8], name: &[u8]) -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut words = bytes::words(line);
        let Some(selectors) = words.next().filter(|word| !word.starts_with(b"#")) else {
            continue;
        };
        let bad = || Error::parts(&[name, b": bad line: ", line]);
        let path = words.next().ok_or_else(bad)?;
        if words.next().is_some() {
            return Err(bad());
        }
        let mut wanted = [0; COUNT];
        for selector in selectors.split(|byte| *byte == b';') {
            select(selector, &mut wanted).ok_or_else(bad)?;
        }
        rules.push(Rule { wanted, path: path.to_vec() });
    }
    Ok(rules)
}

/// Applies one `facility[,facility...].[!][=]severity` to what the selectors before it chose.
fn select(selector: &[u8], wanted: &mut [u8; COUNT]) -> Option<()> {
    let (facilities, severity) = bytes::split_once(selector, b'.')?;
    let (without, severity) = match severity.strip_prefix(b"!") {
        Some(rest) => (true, rest),
        None => (false, severity),
    };
    let (only, severity) = match severity.strip_prefix(b"=") {
        Some(rest) => (true, rest),
        None => (false, severity),
    };
    let mask = match severity {
        b"*" => ALL,
        b"none" => 0,
        _ => {
            let number = SEVERITIES.number_of(severity)? as u8;
            // This severity and the more urgent ones, which have lower numbers.
            if only { 1 << number } else { ALL >> (7 - number) }
        }
    };
    for facility in facilities.split(|byte| *byte == b',') {
        let chosen = if facility == b"*" {
            &mut wanted[..]
        } else {
            let number = FACILITIES.number_of(facility)? as usize;
            wanted.get_mut(number..number + 1)?
        };
        for severities in chosen {
            *severities = match (without, severity) {
                (true, _) => *severities & !mask,
                (false, b"none") => 0,
                (false, _) => *severities | mask,
            };
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(line: &[u8], priority: u16) -> bool {
        parse(line, b"conf").unwrap()[0].wants(priority)
    }

    #[test]
    fn any_rules_are_read_without_a_panic() {
        let mut random = rbox_core::testing::Random::new(31);
        for _ in 0..20_000 {
            if let Ok(rules) = parse(&random.spoil(b"*.*;kern,user.!=err;mail.none /var/log/x\n"), b"conf") {
                assert!(rules.iter().filter(|rule| rule.wants(random.below(2000) as u16)).count() <= rules.len());
            }
        }
    }

    #[test]
    fn a_severity_stands_for_the_more_urgent_ones_too() {
        assert!(wants(b"kern.err /k", 3));
        assert!(wants(b"kern.err /k", 0));
        assert!(!wants(b"kern.err /k", 4));
        assert!(!wants(b"kern.err /k", 1 << 3 | 3));
        assert!(wants(b"kern,user.=info /k", 1 << 3 | 6));
        assert!(!wants(b"kern,user.=info /k", 1 << 3 | 5));
    }

    #[test]
    fn later_selectors_take_away() {
        assert!(wants(b"*.*;kern.none\t/m", 23 << 3 | 7));
        assert!(!wants(b"*.*;kern.none\t/m", 6));
        assert!(!wants(b"*.*;user.!err /m", 1 << 3 | 3));
        assert!(wants(b"*.*;user.!err /m", 1 << 3 | 4));
    }

    #[test]
    fn a_bad_line_is_refused_and_a_comment_is_not_a_line() {
        assert!(parse(b"# kern.x\n\n  \n", b"conf").unwrap().is_empty());
        for line in [&b"kern.err"[..], b"kern /k", b"nobody.err /k", b"kern.loud /k", b"kern.err /k more"] {
            assert!(parse(line, b"conf").is_err());
        }
    }
}
