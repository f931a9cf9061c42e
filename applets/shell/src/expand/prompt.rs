//! Prompts: PS1, PS2 and PS4 (XCU 2.5.3), with BusyBox's escapes in the first two.

use crate::state::Shell;
use crate::syntax::copied::Copied;
use rbox_core::escape::{self, Escape, Style};
use rbox_core::number::Decimal;
use rbox_core::sys::{fd, process, system, termios};
use rbox_core::time::{Moment, Zone, format};

impl Shell {
    /// The prompt of a command, or of a line that continues one.
    pub fn command_prompt(&mut self, continued: bool) -> Vec<u8> {
        let text = self.get(if continued { b"PS2" } else { b"PS1" }).unwrap_or_default().copied();
        self.show_prompt(&text)
    }

    /// A prompt with expansions and escapes applied.
    pub fn show_prompt(&mut self, text: &[u8]) -> Vec<u8> {
        let text = self.expand_prompt(text);
        self.prompt_escapes(&text)
    }

    /// A prompt with its parameters, commands and arithmetic expanded. The status stays as it was.
    ///
    /// This comes before the escapes, so that `\w` only shows a directory called `$(reboot)`.
    pub fn expand_prompt(&mut self, text: &[u8]) -> Vec<u8> {
        self.expand_document(text, true)
    }

    /// PS4 with its expansions; it has no escapes.
    pub fn expand_trace_prompt(&mut self, text: &[u8]) -> Vec<u8> {
        self.expand_document(text, false)
    }

    fn expand_document(&mut self, text: &[u8], escapes: bool) -> Vec<u8> {
        if !text.iter().any(|byte| matches!(byte, b'$' | b'`' | b'\\')) {
            return text.copied();
        }
        // As in double quotes, but `\$` is left for the escapes.
        let mut source = Vec::with_capacity(text.len() + 8);
        let mut at = 0;
        while at < text.len() {
            if escapes && text[at..].starts_with(b"\\$") {
                source.extend_from_slice(b"\\\\\\$");
                at += 2;
            } else if text[at] == b'\\' {
                source.extend_from_slice(&text[at..(at + 2).min(text.len())]);
                at += 2;
            } else {
                source.push(text[at]);
                at += 1;
            }
        }
        let (status, xtrace) = (self.status, core::mem::take(&mut self.options.xtrace));
        let word = crate::syntax::parser::parse_document(&source, self).ok();
        let expanded = word.and_then(|word| self.expand_one(&word).ok());
        self.status = status;
        self.options.xtrace = xtrace;
        expanded.unwrap_or_else(|| text.copied())
    }

    fn prompt_escapes(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            at += 1;
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            let Some(&character) = text.get(at) else {
                out.push(b'\\');
                break;
            };
            at += 1;
            if self.options.bash && self.bash_escape(character, text, &mut at, &mut out) {
                continue;
            }
            if !self.prompt_escape(character, &mut out) {
                at -= 1;
                match escape::read(text, &mut at, Style::Prompt) {
                    Escape::Byte(byte) => out.push(byte),
                    _ => {
                        // bash shows what it does not know as it is written.
                        out.extend(self.options.bash.then_some(b'\\'));
                        out.push(character);
                        at += 1;
                    }
                }
            }
        }
        // A NUL would end the prompt on some terminals.
        out.retain(|&byte| byte != 0);
        out
    }

    /// Escapes of prompts alone; false for those that `echo` has too.
    fn prompt_escape(&mut self, character: u8, out: &mut Vec<u8>) -> bool {
        match character {
            b'w' | b'W' => out.extend_from_slice(&self.prompt_directory(character == b'W')),
            b'u' => {
                let user = rbox_core::users::User::by_id(process::geteuid().as_raw());
                out.extend_from_slice(&user.map(|user| user.name).unwrap_or_default());
            }
            b'h' | b'H' => {
                let name = system::uname();
                let name = name.nodename().to_bytes();
                let end = name.iter().position(|&byte| byte == b'.' && character == b'h').unwrap_or(name.len());
                out.extend_from_slice(&name[..end]);
            }
            b'$' => out.push(if process::geteuid().is_root() { b'#' } else { b'$' }),
            b'!' => out.extend_from_slice(Decimal::new(self.terminal.editor.history.next() as u64).as_bytes()),
            b'j' => out.extend_from_slice(Decimal::new(self.jobs.all.len() as u64).as_bytes()),
            // BusyBox shows hours and minutes of a day of 24 hours for all of them.
            b't' | b'T' | b'@' | b'A' => {
                let zone = Zone::load(self.get(b"TZ"));
                out.extend_from_slice(&format(b"%H:%M", Moment::now(), &zone));
            }
            // What is between them takes no columns; the editor recognizes escape sequences itself.
            b'[' => out.push(1),
            b']' => out.push(2),
            _ => return false,
        }
        true
    }

    /// Escapes of bash's prompts that BusyBox lacks or has otherwise.
    fn bash_escape(&mut self, character: u8, text: &[u8], at: &mut usize, out: &mut Vec<u8>) -> bool {
        let mut own = None;
        let layout: &[u8] = match character {
            b'd' => b"%a %b %d",
            b't' => b"%H:%M:%S",
            b'T' => b"%I:%M:%S",
            b'@' => b"%I:%M %p",
            b'D' if text.get(*at) == Some(&b'{') => {
                let rest = &text[*at + 1..];
                let end = rest.iter().position(|&byte| byte == b'}').unwrap_or(rest.len());
                *at += (end + 2).min(rest.len() + 1);
                if end == 0 { b"%H:%M:%S" } else { &rest[..end] }
            }
            b's' => {
                let name = rbox_core::bytes::base_name(&self.invocation.name);
                own = Some(name.strip_prefix(b"-").unwrap_or(name).copied());
                b""
            }
            b'v' | b'V' => {
                let version = self.get(b"BASH_VERSION").unwrap_or_default();
                let dots = if character == b'v' { 2 } else { 3 };
                let digits: Vec<&[u8]> = version.split(|byte| b".(".contains(byte)).take(dots).collect();
                own = Some(digits.join(&b'.'));
                b""
            }
            b'l' => {
                let name = termios::ttyname(fd::borrow(0), Vec::new());
                own = Some(
                    name.map_or_else(|_| b"tty".copied(), |name| rbox_core::bytes::base_name(name.as_bytes()).copied()),
                );
                b""
            }
            b'#' => {
                own = Some(Decimal::new(u64::from(self.terminal.entered)).as_bytes().copied());
                b""
            }
            _ => return false,
        };
        let zone = Zone::load(self.get(b"TZ"));
        out.extend_from_slice(&own.unwrap_or_else(|| format(layout, Moment::now(), &zone)));
        true
    }

    fn prompt_directory(&mut self, short: bool) -> Vec<u8> {
        let directory = self.get(b"PWD").unwrap_or_default().copied();
        let home = self.get(b"HOME").unwrap_or_default().copied();
        if home.len() > 1
            && let Some(rest) = directory.strip_prefix(&home[..])
            && (rest.is_empty() || (rest[0] == b'/' && !short))
        {
            return [b"~", rest].concat();
        }
        if short && directory.len() > 1 {
            return rbox_core::bytes::base_name(&directory).copied();
        }
        directory
    }
}
