//! What happens to one message: it is taken apart, written as a line, and goes to all that want it.

use rbox_core::bytes;
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::system::uname;
use rbox_core::syslog::{FACILITIES, SEVERITIES};
use rbox_core::time::{self, Moment, Zone};

use super::files::{Limits, Target};
use super::remote::Remote;
use super::rules::Rule;
use crate::ring::Ring;

/// Where messages go besides to files, and how their lines look.
pub struct Log {
    /// The first one takes what no rule wants.
    pub targets: Vec<Target>,
    /// Which messages go to a file of their own.
    pub rules: Vec<Rule>,
    /// How large a file gets and how many old ones are kept.
    pub limits: Limits,
    /// Messages of this level, and of less urgent ones, are dropped: 1-8.
    pub level: u16,
    /// No host name, facility and severity.
    pub small: bool,
    /// Drop a message that is like the last one.
    pub drop_same: bool,
    /// Use the time of arrival.
    pub arrival: bool,
    /// Write files, or what is in their place.
    pub local: bool,
    /// Shared memory in place of files.
    pub ring: Option<Ring<true>>,
    /// The kernel's log in place of files.
    pub kernel: Option<Target>,
    /// Other machines.
    pub remotes: Vec<Remote>,
    /// Local time.
    pub zone: Zone,
    /// The last message, as it came.
    pub last: Vec<u8>,
}

impl Log {
    /// Takes what one datagram holds: messages between NUL bytes.
    pub fn take(&mut self, env: &mut Env, datagram: &[u8]) {
        for message in
            datagram.split(|byte| *byte == 0).map(<[u8]>::trim_ascii_end).filter(|message| !message.is_empty())
        {
            if self.drop_same && message == self.last {
                continue;
            }
            self.last = message.to_vec();
            let (priority, text) = take_priority(message);
            self.put(env, priority, text);
        }
    }

    /// Writes one message, unless its level is too low.
    pub fn put(&mut self, env: &mut Env, priority: u16, text: &[u8]) {
        if priority & 7 >= self.level {
            return;
        }
        let (sent, text) = take_time(text);
        let time = match sent {
            Some(sent) if !self.arrival => sent.to_vec(),
            _ => time::format(b"%b %e %H:%M:%S", Moment::now(), &self.zone),
        };
        for remote in &mut self.remotes {
            remote.send(priority, &time, text);
        }
        if !self.local {
            return;
        }
        let mut line = Vec::new();
        if let Some(kernel) = &mut self.kernel {
            // The kernel's log has its own times and takes the priority at the start: dev-kmsg.
            line.extend_from_slice(&[b"<", Decimal::new(priority.into()).as_bytes(), b">"].concat());
            push_text(&mut line, text);
            line.push(b'\n');
            if let Err(error) = kernel.write(&line, Limits { rotate_at: 0, keep: 0 }) {
                env.report(&error);
            }
            return;
        }
        line.extend_from_slice(&time);
        line.push(b' ');
        if !self.small {
            line.extend_from_slice(uname().nodename().to_bytes());
            line.push(b' ');
            push_priority(&mut line, priority);
            line.push(b' ');
        }
        push_text(&mut line, text);
        line.push(b'\n');
        match &self.ring {
            Some(ring) => ring.add(&line),
            None => self.write_files(env, priority, &line),
        }
    }

    /// Writes a line to the files whose rules want it, or else to the first one.
    fn write_files(&mut self, env: &mut Env, priority: u16, line: &[u8]) {
        let mut wanted: Vec<usize> = Vec::new();
        for at in 0..self.rules.len() {
            if self.rules[at].wants(priority) {
                let target = self.target(at);
                // Two rules with one file write a message once.
                if !wanted.contains(&target) {
                    wanted.push(target);
                }
            }
        }
        if wanted.is_empty() {
            wanted.push(0);
        }
        for target in wanted {
            if let Err(error) = self.targets[target].write(line, self.limits) {
                // The console is the last place to say that the log is lost.
                env.report(&error);
                self.targets[target].close();
            }
        }
    }

    /// The file of a rule; rules with the same path share one, or rotation would tear it apart.
    fn target(&mut self, rule: usize) -> usize {
        let path = &self.rules[rule].path;
        match self.targets.iter().position(|target| target.path == *path) {
            Some(at) => at,
            None => {
                self.targets.push(Target::new(path));
                self.targets.len() - 1
            }
        }
    }
}

/// The number in `<N>` at the start, `user.notice` without one, and the text after it.
fn take_priority(message: &[u8]) -> (u16, &[u8]) {
    let level = message.strip_prefix(b"<").and_then(|rest| bytes::split_once(rest, b'>'));
    match level.and_then(|(digits, text)| Some((parse_decimal(digits).filter(|&number| number < 1024)?, text))) {
        Some((number, text)) => (number as u16, text),
        None => (1 << 3 | 5, message),
    }
}

/// RFC 3164 4.1.2: `Mmm dd hh:mm:ss `, if the sender wrote it.
fn take_time(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let blanks = [3, 6, 15].iter().all(|&at| text.get(at) == Some(&b' '));
    let colons = [9, 12].iter().all(|&at| text.get(at) == Some(&b':'));
    if blanks && colons { (Some(&text[..15]), &text[16..]) } else { (None, text) }
}

fn push_priority(line: &mut Vec<u8>, priority: u16) {
    let facility = FACILITIES.name_of(u64::from(priority >> 3));
    let severity = SEVERITIES.name_of(u64::from(priority & 7));
    match facility.zip(severity) {
        Some((facility, severity)) => line.extend_from_slice(&[facility, ".", severity].concat().into_bytes()),
        None => line.extend_from_slice(&[b"<", Decimal::new(priority.into()).as_bytes(), b">"].concat()),
    }
}

/// Control bytes are shown as `^X`, so that no sender can write to the terminal of who reads the log.
fn push_text(line: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'\t' => line.push(byte),
            // A message is one line.
            b'\n' => line.push(b' '),
            0..32 | 127 => line.extend_from_slice(&[b'^', byte ^ 64]),
            _ => line.push(byte),
        }
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (priority, text) = take_priority(data);
    let (_, text) = take_time(text);
    let mut line = Vec::new();
    push_priority(&mut line, priority);
    push_text(&mut line, text);
    assert!(!line.iter().any(|&byte| byte < b' ' && byte != b'\t'));
    if let Ok(rules) = super::rules::parse(data, b"conf") {
        for rule in rules {
            rule.wants(priority);
        }
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::Random;

    use super::*;

    #[test]
    fn messages_are_taken_apart() {
        assert_eq!(take_priority(b"<13>a: b"), (13, &b"a: b"[..]));
        assert_eq!(take_priority(b"<x>a"), (13, &b"<x>a"[..]));
        assert_eq!(take_time(b"Jan  2 03:04:05 a: b"), (Some(&b"Jan  2 03:04:05"[..]), &b"a: b"[..]));
        assert_eq!(take_time(b"short"), (None, &b"short"[..]));
    }

    #[test]
    fn control_bytes_are_shown() {
        let mut line = Vec::new();
        push_text(&mut line, b"a\x1b[m\x7f\t\n\xc3\xa9");
        assert_eq!(line, b"a^[[m^?\t \xc3\xa9");
    }

    #[test]
    fn priorities_have_names() {
        let mut line = Vec::new();
        push_priority(&mut line, 131);
        push_priority(&mut line, 999);
        assert_eq!(line, b"local0.err<999>");
    }

    #[test]
    fn any_datagram_is_taken_apart_without_a_panic() {
        let mut random = Random::new(7);
        for _ in 0..20_000 {
            let message = random.spoil(b"<13>Jan  2 03:04:05 tag: text");
            let (_, text) = take_priority(&message);
            let (_, text) = take_time(text);
            push_text(&mut Vec::new(), text);
        }
    }
}
