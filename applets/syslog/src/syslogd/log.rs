//! What happens to one message: it is taken apart, written as a line, and goes to all that want it.

use rbox_core::bytes;
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::system::uname;
use rbox_core::syslog::{FACILITIES, SEVERITIES};
use rbox_core::term::{Shown, clean};
use rbox_core::time::{self, Moment, Zone};

use super::files::{Limits, Line, Target};
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
    /// The last message, as it came: for `drop_same`.
    pub last: Vec<u8>,
    /// The time and the host's name.
    pub clock: Clock,
}

/// What is written in each line and changes once a second at most.
#[derive(Default)]
pub struct Clock {
    second: i64,
    time: Vec<u8>,
    host: Vec<u8>,
}

impl Clock {
    fn set(&mut self, second: i64, zone: &Zone) {
        if second != self.second {
            self.second = second;
            self.time = time::format(TIME, Moment { seconds: second, ..Moment::now() }, zone);
            self.host = uname().nodename().to_bytes().to_vec();
        }
    }

    /// Forgets the time: the zone may be another one.
    pub fn reset(&mut self) {
        self.second = 0;
    }
}

/// RFC 3164 4.1.2, for strftime(3).
const TIME: &[u8] = b"%b %e %H:%M:%S";

impl Log {
    /// Takes what one datagram holds: messages between NUL bytes.
    pub fn take(&mut self, env: &mut Env, datagram: &[u8]) {
        for message in
            datagram.split(|byte| *byte == 0).map(<[u8]>::trim_ascii_end).filter(|message| !message.is_empty())
        {
            if self.drop_same && message == self.last {
                continue;
            }
            if self.drop_same {
                self.last.clear();
                self.last.extend_from_slice(message);
            }
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
        let second = Moment::now().seconds;
        self.clock.set(second, &self.zone);
        let time = sent.filter(|_| !self.arrival).unwrap_or(&self.clock.time);
        for remote in &mut self.remotes {
            remote.send(priority, time, &self.clock.host, text);
        }
        if !self.local {
            return;
        }
        let mut text = clean(text, b"\t\n", Shown::Caret);
        // A message is one line.
        text.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        text.push(b'\n');
        let mut head = Vec::new();
        if let Some(kernel) = &mut self.kernel {
            // The kernel's log has its own times and takes the priority at the start: dev-kmsg.
            push!(head, "<", priority, ">");
            let limits = Limits { rotate_at: 0, keep: 0 };
            if let Err(error) = kernel.write(Line { head: &head, text: &text, second }, limits) {
                env.report(&error);
            }
            return;
        }
        push!(head, time, " ");
        if !self.small {
            push!(head, &self.clock.host, " ");
            push_priority(&mut head, priority);
            head.push(b' ');
        }
        match &self.ring {
            Some(ring) => ring.add(&[head, text].concat()),
            None => self.write_files(env, priority, Line { head: &head, text: &text, second }),
        }
    }

    /// Writes a line to the files whose rules want it, or else to the first one.
    fn write_files(&mut self, env: &mut Env, priority: u16, line: Line<'_>) {
        let mut written: Vec<usize> = Vec::new();
        for at in 0..self.rules.len() {
            if self.rules[at].wants(priority) {
                let target = self.target(at);
                // Two rules with one file write a message once.
                if !written.contains(&target) {
                    written.push(target);
                    self.write_file(env, target, line);
                }
            }
        }
        if written.is_empty() {
            self.write_file(env, 0, line);
        }
    }

    fn write_file(&mut self, env: &mut Env, target: usize, line: Line<'_>) {
        if let Err(error) = self.targets[target].write(line, self.limits) {
            // The loss of the log can be reported on the console alone.
            env.report(&error);
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

/// RFC 3164 4.1.2: `Mmm dd hh:mm:ss `, if the sender wrote it. Anything else at the start is part of the text.
fn take_time(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let is_time = text.get(..16).is_some_and(|field| {
        const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let number = |at: usize, low, high| {
            let digits = field[at..at + 2].strip_prefix(b" ").filter(|_| at == 4).unwrap_or(&field[at..at + 2]);
            parse_decimal(digits).is_some_and(|number| (low..=high).contains(&number))
        };
        MONTHS.chunks_exact(3).any(|month| month == &field[..3])
            && [3, 6, 15].iter().all(|&at| field[at] == b' ')
            && [9, 12].iter().all(|&at| field[at] == b':')
            && number(4, 1, 31)
            && number(7, 0, 23)
            && number(10, 0, 59)
            // A leap second.
            && number(13, 0, 60)
    });
    if is_time { (Some(&text[..15]), &text[16..]) } else { (None, text) }
}

fn push_priority(line: &mut Vec<u8>, priority: u16) {
    let facility = FACILITIES.name_of(u64::from(priority >> 3));
    let severity = SEVERITIES.name_of(u64::from(priority & 7));
    match facility.zip(severity) {
        Some((facility, severity)) => line.extend_from_slice(&[facility, ".", severity].concat().into_bytes()),
        None => line.extend_from_slice(&[b"<", Decimal::new(priority.into()).as_bytes(), b">"].concat()),
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (priority, text) = take_priority(data);
    let (_, text) = take_time(text);
    let mut line = Vec::new();
    push_priority(&mut line, priority);
    line.extend_from_slice(&clean(text, b"\t", Shown::Caret));
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
    fn what_only_looks_like_a_time_is_text() {
        for text in [
            &b"\x1bcX \x1b[ 2J:\x1b]:\x07\n evil"[..],
            b"Jax  2 03:04:05 a",
            b"Jan 32 03:04:05 a",
            b"Jan  2 24:04:05 a",
            b"Jan  2  3:04:05 a",
            b"Jan  2 03:04:61 a",
            b"Jan  2 03:04:05",
            b"Jan +2 03:04:05 a",
            b"Jan  0 03:04:05 a",
        ] {
            assert_eq!(take_time(text), (None, text));
        }
        assert_eq!(take_time(b"Dec 31 23:59:60 x").1, b"x");
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
            clean(text, b"", Shown::Caret);
        }
    }
}
