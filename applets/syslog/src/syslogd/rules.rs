//! The format of /etc/syslog.conf: `facility.level[;facility.level]... FILE`, one rule a line.

use rbox_core::bytes;
use rbox_core::syslog::{FACILITIES, SEVERITIES, number_of};

/// Facilities that a rule can name: 0-23.
const COUNT: usize = 24;

/// Which messages go to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// For each facility the severities as a set: bit N stands for severity N.
    severities: [u8; COUNT],
    /// Where they go.
    pub path: Vec<u8>,
}

impl Rule {
    /// True when messages of this priority go to the rule's file.
    pub fn takes(&self, priority: u16) -> bool {
        let set = self.severities.get(usize::from(priority >> 3)).copied().unwrap_or(0);
        set & 1 << (priority & 7) != 0
    }

    /// Reads one line that is neither empty nor a comment; `None` when it is wrong.
    fn parse(line: &[u8]) -> Option<Self> {
        let end = line.iter().position(u8::is_ascii_whitespace)?;
        let (selectors, path) = (&line[..end], line[end..].trim_ascii());
        // A dash asks other daemons not to sync; there is no syncing here anyway.
        let path = path.strip_prefix(b"-").unwrap_or(path);
        if !path.starts_with(b"/") {
            return None;
        }
        let mut rule = Self { severities: [0; COUNT], path: path.to_vec() };
        for selector in selectors.split(|&byte| byte == b';').filter(|selector| !selector.is_empty()) {
            rule.select(selector)?;
        }
        Some(rule)
    }

    /// `FACILITY[,FACILITY]....[!][=]LEVEL`: the level and all that is more urgent, `=` the level alone, `!` none of these.
    fn select(&mut self, selector: &[u8]) -> Option<()> {
        let (facilities, level) = bytes::split_once(selector, b'.')?;
        let (negate, level) = level.strip_prefix(b"!").map_or((false, level), |level| (true, level));
        let (single, level) = level.strip_prefix(b"=").map_or((false, level), |level| (true, level));
        let (negate, set) = match level {
            b"none" => (true, 0xff),
            b"*" => (negate, 0xff),
            _ => {
                let number = number_of(SEVERITIES, level)?;
                (negate, if single { 1 << number } else { u8::MAX >> (7 - number) })
            }
        };
        for name in facilities.split(|&byte| byte == b',') {
            let chosen = if name == b"*" { 0..COUNT } else {
                let number = usize::from(number_of(FACILITIES, name)?);
                number..number + 1
            };
            for severities in &mut self.severities[chosen] {
                *severities = if negate { *severities & !set } else { *severities | set };
            }
        }
        Some(())
    }
}

/// Reads the text of the file. `complain` is told the number of each line that is wrong.
pub fn parse(text: &[u8], complain: &mut dyn FnMut(u64)) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match Rule::parse(line) {
            Some(rule) => rules.push(rule),
            None => complain(index as u64 + 1),
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(line: &[u8], facility: u16, severity: u16) -> bool {
        parse(line, &mut |_| ())[0].takes(facility << 3 | severity)
    }

    #[test]
    fn a_level_takes_what_is_more_urgent() {
        assert!(takes(b"kern.info /a", 0, 6) && takes(b"kern.info /a", 0, 0) && !takes(b"kern.info /a", 0, 7));
        assert!(takes(b"kern.=info\t-/a", 0, 6) && !takes(b"kern.=info /a", 0, 5) && !takes(b"kern.info /a", 1, 6));
    }

    #[test]
    fn selectors_add_and_take_away() {
        assert!(takes(b"*.*;mail.none /a", 1, 7) && !takes(b"*.*;mail.none /a", 2, 0));
        assert!(takes(b"auth,authpriv.*;auth.!err /a", 10, 0) && !takes(b"auth,authpriv.*;auth.!err /a", 4, 3));
        assert!(!takes(b"*.* /a", 200, 0));
    }

    #[test]
    fn wrong_lines_are_named() {
        let mut wrong = Vec::new();
        parse(b"# x\nkern.info\nnobody.* /a\nkern.loud /a\n*.* @host\n*.* /ok", &mut |line| wrong.push(line));
        assert_eq!(wrong, [2, 3, 4, 5]);
    }
}
