//! Calling an applet in a unit test: literal words and standard input in, status and both outputs out.

use crate::applet::{Applet, Registry, Table};
use crate::env::{Env, Vars};
use crate::io::{Input, Output};

/// What a call left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit status.
    pub status: u8,
    /// Standard output, as text; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, as text.
    pub stderr: String,
}

/// Bytes that look random and are the same in each run (xorshift64): for parsers of what the outside sends.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// `seed` is anything but 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    /// Up to `most` bytes; small values, separators and digits come more often than others.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        const COMMON: &[u8] = b"\0\x01\x04\xff\xc0 \n\t:,.=/-09azAZ#<>[]";
        let count = self.below(most + 1);
        (0..count)
            .map(|_| match self.below(3) {
                0 => self.below(256) as u8,
                1 => COMMON[self.below(COMMON.len())],
                _ => self.below(32) as u8,
            })
            .collect()
    }

    /// `text` with a few bytes changed, taken out or put in.
    pub fn spoil(&mut self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(text.len() + 1);
            match self.below(3) {
                0 => text.insert(at, self.below(256) as u8),
                1 if at < text.len() => text[at] = self.below(256) as u8,
                _ => text.truncate(at.max(text.len().saturating_sub(8))),
            }
        }
        text
    }
}

/// A registry without applets.
fn no_applets() -> Registry {
    let table = || Table { paths: "", names: &[], files: &[], forms: &[], usages: b"", usage_ends: &[] };
    Registry::new(table, |_, _, _| unreachable!("find knows no applet"))
}

/// Surroundings of that name in memory: nothing on standard input, an empty environment.
pub fn env(name: &[u8]) -> Env {
    Env {
        name: name.to_vec(),
        stdin: Input::from_bytes(Vec::new()),
        stdout: Output::memory(),
        stderr: Output::memory(),
        vars: Vars::List(Vec::new()),
        registry: no_applets(),
    }
}

/// Calls `applet` on `words` (the first is its name) with `stdin`, and an empty environment.
pub fn try_call(applet: Applet, words: &[&str], stdin: &[u8]) -> Ran {
    try_call_with(applet, words, stdin, &[])
}

/// The same, with environment words `NAME=value`.
pub fn try_call_with(applet: Applet, words: &[&str], stdin: &[u8], vars: &[&str]) -> Ran {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    let vars = vars.iter().map(|word| word.as_bytes().to_vec()).collect();
    let mut env = Env { stdin: Input::from_bytes(stdin.to_vec()), vars: Vars::List(vars), ..env(words[0]) };
    let status = applet.call(&mut env, &words).0;
    let text = |output: Output| String::from_utf8_lossy(&output.into_bytes()).into_owned();
    Ran { status, stdout: text(env.stdout), stderr: text(env.stderr) }
}
