//! What is printed of one thing: words of lines, or with -j the members of an object of JSON (RFC 8259).

use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::text::{Hex, Right};
use rbox_core::{push, text};

use super::Show;

/// A record after the other.
pub struct Record {
    pub json: bool,
    pretty: bool,
    out: Vec<u8>,
}

impl Record {
    pub fn new(show: Show) -> Self {
        Self { json: show.json, pretty: show.pretty, out: if show.json { b"[".to_vec() } else { Vec::new() } }
    }

    /// Writes what is complete. JSON waits for its end.
    pub fn flush(&mut self, env: &mut Env) -> Result<()> {
        if self.json {
            return Ok(());
        }
        env.stdout.write(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self, env: &mut Env) -> Result<()> {
        if self.json {
            let end = if self.pretty { pretty(&self.out) } else { core::mem::take(&mut self.out) };
            self.out = [&end[..], if self.pretty { b" ]\n" } else { b"]\n" }].concat();
        }
        env.stdout.write(&self.out)
    }

    #[cfg(test)]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// What only lines have.
    pub fn text(&mut self, text: impl rbox_core::text::Push) {
        if !self.json {
            push!(self.out, text);
        }
    }

    /// The bytes that wait to be written.
    pub fn length(&self) -> usize {
        self.out.len()
    }

    fn key(&mut self, key: &str) {
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.out.push(b',');
        }
        if !key.is_empty() {
            push!(self.out, "\"", key, "\":");
        }
    }

    /// Begins an object or a list, the first byte of which is `bracket`; without a key within a list.
    pub fn open(&mut self, key: &str, bracket: u8) {
        if self.json {
            self.key(key);
            self.out.push(bracket);
        }
    }

    pub fn close(&mut self, bracket: u8) {
        if self.json {
            self.out.push(bracket);
        }
    }

    /// The same for what a record may not have.
    pub fn open_if(&mut self, is_there: bool, key: &str, bracket: u8) {
        if is_there {
            self.open(key, bracket);
        }
    }

    pub fn close_if(&mut self, is_there: bool, bracket: u8) {
        if is_there {
            self.close(bracket);
        }
    }

    /// A word after the words `lead`; in JSON a string.
    pub fn word(&mut self, lead: &str, key: &str, value: &[u8]) {
        if self.json {
            self.key(key);
            push_string(&mut self.out, value);
        } else {
            push!(self.out, lead, value);
        }
    }

    /// A number after the words `lead`.
    pub fn number(&mut self, lead: &str, key: &str, value: u64) {
        self.digits(lead, key, Decimal::new(value).as_bytes());
    }

    /// The digits of a number after the words `lead`.
    pub fn digits(&mut self, lead: &str, key: &str, value: &[u8]) {
        if self.json {
            self.key(key);
            push!(self.out, value);
        } else {
            push!(self.out, lead, value);
        }
    }

    /// What is there or not: a word, or `true`.
    pub fn flag(&mut self, word: &str, key: &str) {
        if self.json {
            self.key(key);
            push!(self.out, "true");
        } else {
            push!(self.out, word);
        }
    }

    /// What is on or off: a word, or `true` or `false`.
    pub fn switch(&mut self, lead: &str, key: &str, is_on: bool) {
        if self.json {
            self.key(key);
            push!(self.out, if is_on { "true" } else { "false" });
        } else {
            push!(self.out, lead, if is_on { "on" } else { "off" });
        }
    }
}

fn push_string(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    for &byte in value {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => push!(*out, "\\u", Right(text!(Hex(byte.into())), 4, b'0')),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// The same with a line for each member, as iproute2 breaks them.
fn pretty(compact: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // A bit for each open bracket: 1 for an object.
    let (mut nested, mut depth, mut in_string, mut escaped) = (0u64, 0usize, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 4 * depth, b' ');
    };
    for &byte in compact {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'{' | b'[' => {
                depth += 1;
                nested = nested << 1 | u64::from(byte == b'{');
                out.push(byte);
                if byte == b'{' { line(&mut out, depth) } else { out.push(b' ') }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                nested >>= 1;
                match byte {
                    b'}' => line(&mut out, depth),
                    _ if out.last() != Some(&b' ') => out.push(b' '),
                    _ => {}
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                if nested & 1 == 1 {
                    line(&mut out, depth);
                }
            }
            b':' => out.extend_from_slice(b": "),
            byte => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_json_hold_any_character() {
        let mut out = Vec::new();
        push_string(&mut out, b"a\"b\\c\nd");
        assert_eq!(out, b"\"a\\\"b\\\\c\\u000ad\"");
    }

    #[test]
    fn lines_are_broken_as_iproute2_does() {
        let text = pretty(br#"[{"a":1,"b":["x","y,{"],"c":[{"d":"\","}],"e":{"f":true},"g":[]}"#);
        let expected = "[ {\n        \"a\": 1,\n        \"b\": [ \"x\",\"y,{\" ],\n        \"c\": [ {\n                \
                        \"d\": \"\\\",\"\n            }";
        assert!(text.starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&text));
    }
}
