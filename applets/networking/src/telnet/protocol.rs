//! TELNET's commands within a stream (RFC 854) and the agreement on options (RFC 855, by the rules of RFC 1143).

use rbox_core::prelude::*;

pub const IAC: u8 = 255;
pub const DONT: u8 = 254;
pub const DO: u8 = 253;
pub const WONT: u8 = 252;
pub const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
/// Commands of the user: erase line and character, are you there, interrupt, break.
pub const EL: u8 = 248;
pub const EC: u8 = 247;
pub const AYT: u8 = 246;
pub const IP: u8 = 244;
pub const BRK: u8 = 243;

/// Options: RFC 856, 857, 858, 1091, 1073, 1572.
pub const BINARY: u8 = 0;
pub const ECHO: u8 = 1;
pub const SGA: u8 = 3;
pub const TTYPE: u8 = 24;
pub const NAWS: u8 = 31;
pub const ENVIRON: u8 = 39;

/// The most bytes of a subnegotiation. What is longer is dropped.
const LONGEST: usize = 256;

/// What the other side said between the data.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// WILL, WONT, DO or DONT, and the option.
    Option(u8, u8),
    /// An option and what is said about it.
    About(u8, Vec<u8>),
    Command(u8),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    /// After a carriage return, whose second byte is part of it.
    Return,
    Command,
    Option(u8),
    About,
    AboutCommand,
}

/// Takes a stream apart.
pub struct Parser {
    state: State,
    about: Vec<u8>,
    /// A carriage return is what it is (RFC 856).
    pub is_binary: bool,
    /// What the newline of the network, CR LF, becomes: CR of a terminal's key, or both.
    joins_newline: bool,
}

impl Parser {
    pub fn new(joins_newline: bool) -> Self {
        Self { state: State::Data, about: Vec::new(), is_binary: false, joins_newline }
    }

    /// Adds the data of `content` to `data` up to the next thing that is said, and cuts off what was taken. `None` at the end.
    pub fn feed(&mut self, content: &mut &[u8], data: &mut Vec<u8>) -> Option<Event> {
        while let Some((&byte, rest)) = content.split_first() {
            *content = rest;
            let (state, event) = self.step(byte, data);
            self.state = state;
            if event.is_some() {
                return event;
            }
        }
        None
    }

    fn step(&mut self, byte: u8, data: &mut Vec<u8>) -> (State, Option<Event>) {
        let state = match (self.state, byte) {
            // RFC 854: CR NUL is a carriage return alone.
            (State::Return, 0) => State::Data,
            (State::Return, b'\n') if self.joins_newline => State::Data,
            (State::Data | State::Return, IAC) => State::Command,
            (State::Data | State::Return, byte) => {
                data.push(byte);
                if byte == b'\r' && !self.is_binary { State::Return } else { State::Data }
            }
            (State::Command, IAC) => {
                data.push(IAC);
                State::Data
            }
            (State::Command, WILL..=DONT) => State::Option(byte),
            (State::Command, SB) => {
                self.about.clear();
                State::About
            }
            (State::Command, byte) => return (State::Data, Some(Event::Command(byte))),
            (State::Option(verb), option) => return (State::Data, Some(Event::Option(verb, option))),
            (State::About, IAC) => State::AboutCommand,
            (State::AboutCommand, SE) => {
                let whole = self.about.split_first().filter(|(_, rest)| rest.len() < LONGEST);
                return (State::Data, whole.map(|(&option, rest)| Event::About(option, rest.to_vec())));
            }
            (State::About | State::AboutCommand, byte) => {
                if self.about.len() <= LONGEST {
                    self.about.push(byte);
                }
                State::About
            }
        };
        (state, None)
    }
}

/// Which options are on, of ours and of the other side.
#[derive(Default)]
pub struct Options {
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

impl Options {
    pub fn is_ours(&self, option: u8) -> bool {
        self.ours.contains(&option)
    }

    pub fn is_theirs(&self, option: u8) -> bool {
        self.theirs.contains(&option)
    }

    /// Says that we will, or asks the other side to.
    pub fn offer(&mut self, verb: u8, option: u8, out: &mut Vec<u8>) {
        let list = if verb == WILL { &mut self.ours } else { &mut self.theirs };
        list.push(option);
        out.extend_from_slice(&[IAC, verb, option]);
    }

    /// Obeys what the other side says about an option that `known` allows, and answers. Only a change is answered: two sides
    /// that answer each other would never end (RFC 1143). True when something has changed.
    pub fn take(&mut self, verb: u8, option: u8, known: &[u8], out: &mut Vec<u8>) -> bool {
        let is_request = matches!(verb, DO | DONT);
        let (yes, no) = if is_request { (WILL, WONT) } else { (DO, DONT) };
        let list = if is_request { &mut self.ours } else { &mut self.theirs };
        let at = list.iter().position(|other| *other == option);
        match (matches!(verb, DO | WILL), at) {
            (true, None) if known.contains(&option) => {
                list.push(option);
                out.extend_from_slice(&[IAC, yes, option]);
                true
            }
            (true, None) => {
                out.extend_from_slice(&[IAC, no, option]);
                false
            }
            (false, Some(at)) => {
                list.swap_remove(at);
                out.extend_from_slice(&[IAC, no, option]);
                true
            }
            _ => false,
        }
    }
}

/// Adds a subnegotiation.
pub fn push_about(option: u8, content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[IAC, SB, option]);
    push_data(content, out);
    out.extend_from_slice(&[IAC, SE]);
}

/// Adds data, in which IAC is doubled.
pub fn push_data(content: &[u8], out: &mut Vec<u8>) {
    for &byte in content {
        out.push(byte);
        if byte == IAC {
            out.push(IAC);
        }
    }
}

/// An error of a connection that has gone.
pub fn closed() -> Error {
    Error::new("connection closed by foreign host")
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (mut parser, mut options, mut plain, mut out) = (Parser::new(true), Options::default(), Vec::new(), Vec::new());
    for mut chunk in data.chunks(7) {
        while let Some(event) = parser.feed(&mut chunk, &mut plain) {
            if let Event::Option(verb, option) = event {
                options.take(verb, option, &[BINARY, ECHO, SGA], &mut out);
            }
        }
    }
    assert!(plain.len() <= data.len() && parser.about.len() <= LONGEST + 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &[u8]) -> (Vec<u8>, Vec<Event>) {
        let (mut parser, mut data) = (Parser::new(false), Vec::new());
        // Byte by byte, as the network may bring it.
        let events = content.iter().filter_map(|byte| parser.feed(&mut &[*byte][..], &mut data)).collect();
        (data, events)
    }

    #[test]
    fn commands_are_taken_out_of_the_data() {
        let (data, events) = parse(b"a\xff\xffb\xff\xfb\x01c\r\0d\r\ne\xff\xf6\xff\xfa\x1f\0\x50\xff\xff\x18\xff\xf0f");
        assert_eq!(data, b"a\xffbc\rd\r\nef");
        let expected = [Event::Option(WILL, ECHO), Event::Command(AYT), Event::About(NAWS, vec![0, 80, 255, 24])];
        assert_eq!(events, expected);
        let mut joined = Vec::new();
        assert_eq!(Parser::new(true).feed(&mut &b"x\r\ny\r\0z\rw"[..], &mut joined), None);
        assert_eq!(joined, b"x\ry\rz\rw");
    }

    #[test]
    fn a_subnegotiation_is_bounded() {
        let mut content = vec![IAC, SB, TTYPE];
        content.extend([b'x'; 100_000]);
        content.extend([IAC, SE, b'y']);
        assert_eq!(parse(&content), (b"y".to_vec(), Vec::new()));
    }

    #[test]
    fn only_changes_are_answered() {
        let (mut options, mut out) = (Options::default(), Vec::new());
        assert!(options.take(WILL, ECHO, &[ECHO], &mut out));
        assert!(!options.take(WILL, ECHO, &[ECHO], &mut out));
        assert!(!options.take(DO, TTYPE, &[ECHO], &mut out));
        assert!(!options.take(WONT, SGA, &[ECHO], &mut out));
        assert!(options.take(WONT, ECHO, &[ECHO], &mut out));
        assert_eq!(out, [IAC, DO, ECHO, IAC, WONT, TTYPE, IAC, DONT, ECHO]);
    }
}
