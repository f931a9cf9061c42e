//! `chat`: talk to a modem by a script of what is expected and what is sent (chat(8) of ppp).

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::io::{Input, write_all};
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::signal::{Disposition, set};
use rbox_core::sys::signal_queue::SIGHUP;
use rbox_core::sys::termios::OptionalActions;
use rbox_core::sys::{Errno, fd, termios};
use rbox_core::term::{Shown, clean};
use rbox_core::tty::wait_readable;

options! {
    "EXPECT [SEND [EXPECT [SEND]...]]

Wait for EXPECT on standard input, then send SEND with a carriage return to standard output, and so on. In the position
of EXPECT may also be: ABORT STRING, CLR_ABORT STRING, REPORT STRING, CLR_REPORT STRING, TIMEOUT SECONDS (45), ECHO
ON|OFF, SAY STRING, HANGUP ON|OFF. EXPECT may be EXPECT-SEND-EXPECT: SEND is sent if the first one does not come in
time. SEND may be EOT, BREAK, or @FILE. Escapes: \\b \\n \\r \\s \\t \\\\ \\NNN \\N ^X; in SEND \\c (no carriage return), \\d
(wait a second), \\p (a tenth), \\K (break). The status is 0, 1 for wrong words, 2 at the end of the input, 3 for a
timeout, 4 and on for the first and further ABORT strings."
}

/// The applet. Every word may be data.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

const END: u8 = 2;
const TIMEOUT: u8 = 3;
const ABORTED: u8 = 4;

/// Bytes of what came last that are kept: strings may be that long.
const KEPT: usize = 4096;

/// The dialog.
struct Chat<'a> {
    env: &'a mut Env,
    /// Strings that end the dialog, and those whose lines are printed.
    aborts: Vec<Vec<u8>>,
    reports: Vec<Vec<u8>>,
    milliseconds: u64,
    echoes: bool,
    /// What came last, at most `KEPT` bytes.
    last: Vec<u8>,
    /// The line of a report that has begun.
    report: Option<Vec<u8>>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = rbox_core::options::after_dashes(args.operands());
    if words.is_empty() {
        return Err(Error::usage());
    }
    // A serial line passes bytes as they are; one that cannot be set is used as it is.
    let before = env.stdin.fd().and_then(|file| termios::tcgetattr(file).ok());
    set_mode(
        env,
        before.as_ref().map(|before| {
            let mut raw = before.clone();
            raw.make_raw();
            raw
        }),
    );
    let (aborts, reports, last) = (Vec::new(), Vec::new(), Vec::new());
    let mut chat = Chat { env, aborts, reports, milliseconds: 45_000, echoes: false, last, report: None };
    let result = chat.run(words);
    chat.end_report()?;
    set_mode(env, before);
    result.map(ExitStatus)
}

fn set_mode(env: &Env, mode: Option<termios::Termios>) {
    if let (Some(file), Some(mode)) = (env.stdin.fd(), mode) {
        // A line that has gone shows at the next read.
        let _ = termios::tcsetattr(file, OptionalActions::Drain, &mode);
    }
}

impl Chat<'_> {
    fn run(&mut self, words: &[&[u8]]) -> Result<u8> {
        let mut rest = words;
        while let [word, after @ ..] = rest {
            rest = after;
            let is_directive = matches!(
                *word,
                b"ABORT" | b"CLR_ABORT" | b"REPORT" | b"CLR_REPORT" | b"TIMEOUT" | b"ECHO" | b"SAY" | b"HANGUP"
            );
            if is_directive {
                let missing = || Error::usage_because(&[word, b" needs a word"]);
                let (value, after) = rest.split_first().ok_or_else(missing)?;
                rest = after;
                self.direct(word, value)?;
                continue;
            }
            let status = self.expect(word)?;
            if status != 0 {
                return Ok(status);
            }
            if let [word, after @ ..] = rest {
                rest = after;
                self.send(word)?;
            }
        }
        Ok(0)
    }

    fn direct(&mut self, directive: &[u8], value: &[u8]) -> Result<()> {
        let is_on = || match value {
            b"ON" => Ok(true),
            b"OFF" => Ok(false),
            _ => Err(Error::usage_because(&[directive, b": neither ON nor OFF: '", value, b"'"])),
        };
        match directive {
            b"ABORT" => self.aborts.push(decode(value)),
            b"REPORT" => self.reports.push(decode(value)),
            b"CLR_ABORT" => self.aborts.retain(|string| *string != decode(value)),
            b"CLR_REPORT" => self.reports.retain(|string| *string != decode(value)),
            b"TIMEOUT" => {
                let seconds = parse_decimal(value).filter(|seconds| (1..=1 << 30).contains(seconds));
                self.milliseconds = seconds.ok_or_else(|| invalid(value))? * 1000;
            }
            b"ECHO" => self.echoes = is_on()?,
            b"SAY" => {
                self.env.stderr.write(&decode(value))?;
                self.env.stderr.flush()?;
            }
            _ => {
                let how = if is_on()? { Disposition::Default } else { Disposition::Ignore };
                set(SIGHUP, how).map_err(|errno| Error::on("HANGUP", errno))?;
            }
        }
        Ok(())
    }

    /// Waits for one of `EXPECT-SEND-EXPECT...`; after a timeout the next SEND is sent and the next EXPECT waited for.
    fn expect(&mut self, word: &[u8]) -> Result<u8> {
        let mut parts = alternatives(word).into_iter();
        loop {
            let status = self.wait_for(&decode(&parts.next().unwrap_or_default()))?;
            match parts.next() {
                Some(send) if status == TIMEOUT => self.send(&send)?,
                _ => return Ok(status),
            }
        }
    }

    /// Reads byte by byte, since what follows is another program's, until the string has come.
    fn wait_for(&mut self, string: &[u8]) -> Result<u8> {
        if string.is_empty() {
            return Ok(0);
        }
        let end = uptime_milliseconds() + self.milliseconds;
        self.last.clear();
        loop {
            let left = end.saturating_sub(uptime_milliseconds());
            let ready = self.env.stdin.fd().is_none_or(|file| wait_readable(file, Some(left)));
            if !ready {
                if uptime_milliseconds() >= end {
                    return Ok(TIMEOUT);
                }
                continue;
            }
            let mut byte = [0];
            match self.read(&mut byte) {
                Ok(0) => return Ok(END),
                Ok(_) => {}
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(errno) => return Err(Error::on("standard input", errno).with_status(END)),
            }
            self.take(byte[0])?;
            if self.last.ends_with(string) {
                return Ok(0);
            }
            if let Some(at) = self.aborts.iter().position(|abort| self.last.ends_with(abort)) {
                return Ok(ABORTED.saturating_add(u8::try_from(at).unwrap_or(u8::MAX)));
            }
        }
    }

    fn read(&mut self, byte: &mut [u8; 1]) -> core::result::Result<usize, Errno> {
        match self.env.stdin.fd() {
            Some(file) => fd::read(file, byte),
            None => self.env.stdin.read(byte).map_err(|_| Errno::IO),
        }
    }

    fn take(&mut self, byte: u8) -> Result<()> {
        if self.last.len() == KEPT {
            self.last.drain(..KEPT / 2);
        }
        self.last.push(byte);
        if self.echoes {
            // It is a stranger's text.
            self.env.stderr.write(&clean(&[byte], b"\r\n\t", Shown::Caret))?;
            self.env.stderr.flush()?;
        }
        match &mut self.report {
            Some(_) if matches!(byte, b'\r' | b'\n') => self.end_report()?,
            Some(line) if line.len() < KEPT => line.push(byte),
            Some(_) => {}
            None => self.report = self.reports.iter().find(|string| self.last.ends_with(string)).cloned(),
        }
        Ok(())
    }

    fn end_report(&mut self) -> Result<()> {
        if let Some(line) = self.report.take() {
            self.env.stderr.write(&[&clean(&line, b"\t", Shown::Caret), &b"\n"[..]].concat())?;
            self.env.stderr.flush()?;
        }
        Ok(())
    }

    /// Sends a string and a carriage return; what waits in it is sent in time.
    fn send(&mut self, word: &[u8]) -> Result<()> {
        match word {
            b"EOT" => return self.write(b"\x04"),
            b"BREAK" => return self.send_break(),
            [b'@', path @ ..] => {
                let mut content = Input::open(path)?.read_to_end()?;
                content.truncate(content.trim_ascii_end().len());
                content.push(b'\r');
                return self.write(&content);
            }
            _ => {}
        }
        let (mut rest, mut ends) = (word, true);
        let mut text = Vec::new();
        while let Some(&byte) = rest.first() {
            let escape = if byte == b'\\' { rest.get(1).copied() } else { None };
            if let Some(escape @ (b'c' | b'd' | b'p' | b'K' | b'q')) = escape {
                rest = &rest[2..];
                self.write(&core::mem::take(&mut text))?;
                match escape {
                    b'c' => ends = false,
                    b'd' => pause(1000),
                    b'p' => pause(100),
                    b'K' => self.send_break()?,
                    // `\q` keeps a password out of ppp's log; there is none here.
                    _ => {}
                }
                continue;
            }
            rest = decode_one(rest, &mut text);
        }
        if ends {
            text.push(b'\r');
        }
        self.write(&text)
    }

    fn write(&mut self, text: &[u8]) -> Result<()> {
        match self.env.stdout.fd() {
            Some(file) => write_all(file, text).map_err(|errno| Error::output(errno).with_status(END)),
            None => self.env.stdout.write(text),
        }
    }

    fn send_break(&mut self) -> Result<()> {
        let sent = self.env.stdout.fd().map_or(Ok(()), termios::tcsendbreak);
        sent.map_err(|errno| Error::on("break", errno).with_status(END))
    }
}

/// The parts between dashes; `\-` is a dash.
fn alternatives(word: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut bytes) = (vec![Vec::new()], word.iter());
    while let Some(&byte) = bytes.next() {
        if byte == b'-' {
            parts.push(Vec::new());
            continue;
        }
        let part = parts.last_mut().expect("there is at least one part");
        part.push(byte);
        if byte == b'\\'
            && let Some(&next) = bytes.next()
        {
            if next == b'-' {
                part.pop();
            }
            part.push(next);
        }
    }
    parts
}

/// A string with its escapes decoded.
fn decode(word: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::new(), word);
    while !rest.is_empty() {
        rest = decode_one(rest, &mut text);
    }
    text
}

/// Decodes the first character or escape; returns what follows.
fn decode_one<'a>(word: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    match word {
        [b'^', byte, rest @ ..] => {
            text.push(byte & 0x1f);
            return rest;
        }
        [b'\\', digits @ ..] if digits.first().is_some_and(|digit| (b'0'..=b'7').contains(digit)) => {
            let length = digits.iter().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
            text.push(digits[..length].iter().fold(0, |value, digit| value << 3 | digit & 7));
            return &digits[length..];
        }
        [b'\\', byte, rest @ ..] => {
            text.push(match byte {
                b'b' => 8,
                b'n' => b'\n',
                b'N' => 0,
                b'r' => b'\r',
                b's' => b' ',
                b't' => b'\t',
                // These mean something only where they are sent.
                b'c' | b'd' | b'p' | b'K' | b'q' => return rest,
                other => *other,
            });
            return rest;
        }
        _ => {}
    }
    text.push(word[0]);
    &word[1..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rbox_core::testing::try_call;

    #[test]
    fn escapes_are_decoded_and_dashes_separate() {
        assert_eq!(decode(b"a\\s\\r\\101^C\\N\\\\\\x\\c"), b"a \rA\x03\0\\x");
        assert_eq!(alternatives(b"ogin:--ogin:"), [&b"ogin:"[..], b"", b"ogin:"]);
        assert_eq!(alternatives(b"a\\-b-\\\\-c"), [&b"a-b"[..], b"\\\\", b"c"]);
    }

    #[test]
    fn a_dialog_ends_with_a_status() {
        let ran =
            try_call(APPLET, &["chat", "", "ATZ", "OK", "ATD1\\c", "CONNECT", "hi"], b"ATZ\r\nOK\r\nCONNECT 9600\r\n");
        assert_eq!((ran.status, ran.stdout.as_str()), (0, "ATZ\rATD1hi\r"));
        let ran = try_call(APPLET, &["chat", "ABORT", "BUSY", "ABORT", "NO\\sCARRIER", "CONNECT"], b"NO CARRIER\r\n");
        assert_eq!((ran.status, ran.stdout.as_str()), (5, ""));
        let ran = try_call(APPLET, &["chat", "REPORT", "CONNECT", "ogin:"], b"CONNECT 9600\x1b\r\nlogin:");
        assert_eq!((ran.status, ran.stderr.as_str()), (0, "CONNECT 9600^[\n"));
        assert_eq!(try_call(APPLET, &["chat", "x"], b"abc").status, 2);
        assert_eq!(try_call(APPLET, &["chat", "TIMEOUT", "x"], b"").status, 1);
    }
}
