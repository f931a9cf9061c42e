//! The format of /etc/mdev.conf: which device gets which owner, mode, location and command.

use rbox_core::bytes;

use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::pattern::regex::{Exec, Flags, Regex};
use rbox_core::users;

/// The device of a kernel event.
#[derive(Clone, Debug, Default)]
pub struct Device<'a> {
    /// The name below /dev, as `input/event0`.
    pub name: &'a [u8],
    /// Its numbers; none for an event without a node.
    pub numbers: Option<(u32, u32)>,
    /// The event's variables, `NAME=value`.
    pub vars: &'a [&'a [u8]],
}

/// What a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// The permissions.
    pub mode: u32,
    /// Where the node goes.
    pub location: Location,
    /// When the command runs, `@`, `$` or `*`, and what it is.
    pub command: Option<(u8, Vec<u8>)>,
    /// Lines after this one are looked at too.
    pub goes_on: bool,
}

/// Where a node goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Where the kernel names it.
    Own,
    /// There is no node.
    Nowhere,
    /// To another name below /dev.
    Moved(Vec<u8>),
    /// There, with a link at the kernel's name.
    Linked(Vec<u8>),
}

impl Default for Action {
    /// What a device gets that no rule knows.
    fn default() -> Self {
        Self { uid: 0, gid: 0, mode: 0o660, location: Location::Own, command: None, goes_on: false }
    }
}

/// A line of the file that is no comment, with its expression compiled once for all devices.
pub struct Rule {
    line: Vec<u8>,
    name: Option<Regex>,
}

impl Rule {
    /// Reads one line; `None` when there is nothing in it.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return None;
        }
        let (pattern, _) = split_word(line.strip_prefix(b"-").unwrap_or(line));
        let pattern = pattern.rsplit(|&byte| byte == b';').next().unwrap_or_default();
        let is_name = !pattern.starts_with(b"@") && !pattern.starts_with(b"$");
        Some(Self { line: line.to_vec(), name: if is_name { compile(pattern) } else { None } })
    }

    /// What the rule asks for `device`; `None` when it is wrong or not about it.
    pub fn action_for(&self, device: &Device<'_>) -> Option<Action> {
        match_line(&self.line, self.name.as_ref(), device)
    }
}

fn compile(pattern: &[u8]) -> Option<Regex> {
    Regex::new(pattern, Flags::EXTENDED | Flags::WHOLE_LINE).ok()
}

fn match_line(line: &[u8], name: Option<&Regex>, device: &Device<'_>) -> Option<Action> {
    let (goes_on, line) = match line.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (pattern, rest) = split_word(line);
    let groups = match_device(pattern, name, device)?;
    let (owner, rest) = split_word(rest);
    let (permissions, mut rest) = split_word(rest);
    let mut action = Action { goes_on, ..Action::default() };
    if !owner.is_empty() {
        let (user, group) = bytes::split_once(owner, b':')?;
        (action.uid, action.gid) = (users::user_id(user).ok()?, users::group_id(group).ok()?);
    }
    if !permissions.is_empty() {
        action.mode = parse_radix(permissions, 8).filter(|mode| *mode <= 0o7777)? as u32;
    }
    if rest.starts_with(b"=") || rest.starts_with(b">") || rest.starts_with(b"!") {
        let (word, after) = split_word(rest);
        let path = substitute(&word[1..], &groups);
        action.location = match word[0] {
            b'=' => Location::Moved(path),
            b'>' => Location::Linked(path),
            _ => Location::Nowhere,
        };
        rest = after;
    }
    if let Some((&when @ (b'@' | b'$' | b'*'), command)) = rest.split_first() {
        action.command = Some((when, substitute(command.trim_ascii(), &groups)));
    }
    Some(action)
}

/// The first word and what follows the blanks after it.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

/// Matches `[VAR=regex;]...PATTERN`. Returns what `%0` to `%9` stand for.
fn match_device(pattern: &[u8], name: Option<&Regex>, device: &Device<'_>) -> Option<Vec<Vec<u8>>> {
    let mut pattern = pattern;
    while let Some((condition, rest)) = bytes::split_once(pattern, b';') {
        match_variable(condition, device)?;
        pattern = rest;
    }
    if let Some(numbers) = pattern.strip_prefix(b"@") {
        return match_numbers(numbers, device).then(Vec::new);
    }
    if let Some(condition) = pattern.strip_prefix(b"$") {
        return match_variable(condition, device);
    }
    // The kernel's name may have a directory (input/event0); rules are written for either form.
    let name = name?;
    match_whole(name, device.name).or_else(|| match_whole(name, bytes::base_name(device.name)))
}

fn match_variable(condition: &[u8], device: &Device<'_>) -> Option<Vec<Vec<u8>>> {
    let (name, pattern) = bytes::split_once(condition, b'=')?;
    let value =
        device.vars.iter().find_map(|word| bytes::split_once(word, b'=').filter(|(other, _)| *other == name))?.1;
    match_whole(&compile(pattern)?, value)
}

/// `MAJOR[,MINOR[-MINOR]]`.
fn match_numbers(text: &[u8], device: &Device<'_>) -> bool {
    let Some((major, minor)) = device.numbers else { return false };
    let (wanted, range) = bytes::split_once(text, b',').unwrap_or((text, b""));
    let (low, high) = bytes::split_once(range, b'-').unwrap_or((range, range));
    let in_range = |low, high| (low..=high).contains(&u64::from(minor));
    parse_decimal(wanted) == Some(major.into())
        && (range.is_empty()
            || parse_decimal(low).zip(parse_decimal(high)).is_some_and(|(low, high)| in_range(low, high)))
}

/// Matches all of `text` and returns the bytes of the match and of its groups.
fn match_whole(regex: &Regex, text: &[u8]) -> Option<Vec<Vec<u8>>> {
    if !regex.is_match(text) {
        return None;
    }
    let mut spans = vec![None; regex.groups() + 1];
    if !regex.captures_at(text, 0, Exec::default(), &mut spans) || spans[0] != Some((0, text.len())) {
        return None;
    }
    Some(spans.iter().map(|span| span.map_or(Vec::new(), |(start, end)| text[start..end].to_vec())).collect())
}

/// Replaces `%0` to `%9` by the groups.
fn substitute(text: &[u8], groups: &[Vec<u8>]) -> Vec<u8> {
    let (mut result, mut rest) = (Vec::new(), text);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.split_first()) {
            (b'%', Some((&digit, after))) if digit.is_ascii_digit() => {
                result.extend_from_slice(groups.get(usize::from(digit - b'0')).map_or(&b""[..], Vec::as_slice));
                rest = after;
            }
            _ => result.push(byte),
        }
    }
    result
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let words: Vec<&[u8]> = data.split(|&byte| byte == 0).collect();
    let (rules, vars) = words.split_first().unwrap_or((&data, &[]));
    let name = vars.first().copied().unwrap_or(b"sda1");
    for rule in rules.split(|&byte| byte == b'\n').filter_map(Rule::parse) {
        rule.action_for(&Device { name, numbers: Some((8, 1)), vars });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn match_line(line: &[u8], device: &Device<'_>) -> Option<Action> {
        Rule::parse(line)?.action_for(device)
    }

    fn device(name: &'static [u8]) -> Device<'static> {
        Device { name, numbers: Some((8, 1)), vars: &[b"SUBSYSTEM=block", b"MODALIAS=pci:x"] }
    }

    #[test]
    fn any_line_is_read_without_a_panic() {
        let mut random = rbox_core::testing::Random::new(29);
        for _ in 0..3000 {
            match_line(
                &random.spoil(b"-$SUBSYSTEM=block;(sd)([a-z])[0-9]* 0:6 660 >disk/%1-%2 @/bin/x $MDEV"),
                &device(b"sda1"),
            );
            match_line(&random.bytes(40), &device(b"sda1"));
        }
    }

    #[test]
    fn names_match_whole_and_by_their_last_part() {
        let action = match_line(b"sd[a-z][0-9]*\t0:6 660", &device(b"sda1")).expect("it matches");
        assert_eq!((action.gid, action.mode), (6, 0o660));
        assert_eq!(match_line(b"sd[a-z]  0:6 660", &device(b"sda1")), None);
        assert!(match_line(b"event[0-9]+ 0:0 640 =input/", &device(b"input/event0")).is_some());
    }

    #[test]
    fn places_and_commands_take_groups() {
        let action =
            match_line(b"(sd)([a-z]1) 0:0 600 >disk/%2 */bin/x %1 $MDEV", &device(b"sda1")).expect("it matches");
        assert_eq!(action.location, Location::Linked(b"disk/a1".to_vec()));
        assert_eq!(action.command, Some((b'*', b"/bin/x sd $MDEV".to_vec())));
        assert_eq!(
            match_line(b"sda1 0:0 600 !", &device(b"sda1")).map(|action| action.location),
            Some(Location::Nowhere)
        );
    }

    #[test]
    fn variables_and_numbers_match() {
        assert!(match_line(b"-SUBSYSTEM=block;.* 0:0 660", &device(b"sda1")).is_some_and(|action| action.goes_on));
        assert_eq!(match_line(b"SUBSYSTEM=net;.* 0:0 660", &device(b"sda1")), None);
        assert!(match_line(b"$MODALIAS=pci.* 0:0 660 @modprobe", &device(b"")).is_some());
        assert!(
            match_line(b"@8,0-3 0:0 660", &device(b"x")).is_some()
                && match_line(b"@8,2 0:0 660", &device(b"x")).is_none()
        );
    }

    #[test]
    fn wrong_lines_are_about_nothing() {
        for line in [&b"# x"[..], b"", b"sda1 0 660", b"sda1 0:0 6x0", b"sda1( 0:0 660"] {
            assert_eq!(match_line(line, &device(b"sda1")), None);
        }
    }
}
