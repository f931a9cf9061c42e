//! Redirections (XCU 2.7).

use crate::state::{Fail, Shell};
use crate::syntax::ast::{RedirectFd, RedirectKind, Redirection};
use rbox_core::push;
use rbox_core::signals::SIGINT;
use rbox_core::sys::fd::Private;
use rbox_core::sys::fs::{self, Mode, OFlags};
use rbox_core::sys::signal::{self, SignalSet};
use rbox_core::sys::{self, AsFd, AsRawFd, Errno, OwnedFd, fd, process};
use rbox_core::text;

/// Descriptors for which a script asks without a number are here and above.
const UNNUMBERED: i32 = 10;

/// A descriptor that a redirection took away: its number, and its copy if it was open.
pub struct Saved {
    number: i32,
    copy: Option<Private>,
}

/// The target of a redirection.
enum Target {
    /// A file that was opened.
    Opened(OwnedFd),
    /// Another descriptor.
    Number(i32),
    /// None: the descriptor is closed.
    Closed,
}

impl Shell {
    /// Makes the redirections, keeping what they replace.
    pub fn redirect(&mut self, all: &[Redirection]) -> Result<Vec<Saved>, Fail> {
        let mut saved = Vec::new();
        for one in all {
            if let Err(fail) = self.redirect_one(one, Some(&mut saved)) {
                self.undo_redirections(saved);
                return Err(fail);
            }
        }
        Ok(saved)
    }

    /// Makes the redirections for good: `exec`, and children.
    pub fn redirect_for_good(&mut self, all: &[Redirection]) -> Result<(), Fail> {
        all.iter().try_for_each(|one| self.redirect_one(one, None))
    }

    /// Takes the redirections back.
    pub fn undo_redirections(&mut self, saved: Vec<Saved>) {
        for one in saved.into_iter().rev() {
            // The copy is open, so that only a lack of descriptors can make this fail; then the number stays what it is.
            let _ = match one.copy {
                Some(copy) => self.streams.descriptors.restore(copy, one.number),
                None => self.streams.descriptors.close(one.number),
            };
        }
    }

    fn redirect_one(&mut self, one: &Redirection, saved: Option<&mut Vec<Saved>>) -> Result<(), Fail> {
        let input = matches!(
            one.kind,
            RedirectKind::Read
                | RedirectKind::ReadWrite
                | RedirectKind::DupIn
                | RedirectKind::Here
                | RedirectKind::HereString
        );
        let (target, both) = self.target(one)?;
        let number = match one.fd {
            RedirectFd::Default => i32::from(!input),
            RedirectFd::Number(number) => number,
            RedirectFd::Variable(name) => return self.redirect_variable(name, target),
        };
        if let Some(saved) = saved {
            for number in [number, 2].into_iter().take(1 + usize::from(both)) {
                // Where the number was free, the file may have got it when it was opened.
                let taken = matches!(&target, Target::Opened(opened) if opened.as_raw_fd() == number);
                saved.push(if taken { Saved { number, copy: None } } else { self.keep(number)? });
            }
        }
        let mut done = match target {
            Target::Opened(opened) => self.streams.descriptors.install(opened, number),
            Target::Number(from) => {
                let copied =
                    self.streams.descriptors.named(from).and_then(|from| self.streams.descriptors.set(from, number));
                // In BusyBox and dash a number made a copy of itself need not be open.
                if from == number && !self.options.bash { Ok(()) } else { copied }
            }
            Target::Closed => {
                // Closing what is not open is no error (XCU 2.7.5).
                let _ = self.streams.descriptors.close(number);
                Ok(())
            }
        };
        if both && done.is_ok() {
            done = fd::redirect(fd::borrow(1), 2);
        }
        match done {
            Ok(()) => Ok(()),
            Err(errno) => {
                let word = self.expand_one(&one.word)?;
                Err(self.redirect_error(&text!(&word, ": ", &sys::error_text(errno)[..])))
            }
        }
    }

    fn redirect_error(&mut self, text: &[u8]) -> Fail {
        self.plain_report(text);
        self.status = 1;
        Fail::Redirection
    }

    /// `{name}>file`: a free descriptor, its number in the variable.
    fn redirect_variable(&mut self, name: crate::syntax::symbols::Sym, target: Target) -> Result<(), Fail> {
        let found = match target {
            Target::Opened(opened) => self.streams.descriptors.add(opened.as_fd(), UNNUMBERED),
            Target::Number(from) => {
                self.streams.descriptors.named(from).and_then(|from| self.streams.descriptors.add(from, UNNUMBERED))
            }
            Target::Closed => {
                let number = self.value(name).and_then(crate::syntax::expression::small_number).unwrap_or(-1);
                if let Ok(number) = i32::try_from(number)
                    && number >= 0
                {
                    // Closing what is not open is no error (XCU 2.7.5).
                    let _ = self.streams.descriptors.close(number);
                }
                return Ok(());
            }
        };
        match found {
            Ok(number) => self.set_number(name, i64::from(number)),
            Err(errno) => Err(self.redirect_error(sys::error_text(errno).as_bytes())),
        }
    }

    /// Opens the file of a redirection; the flag is set when standard error goes there too.
    fn target(&mut self, one: &Redirection) -> Result<(Target, bool), Fail> {
        if let Some(here) = &one.here {
            let body = match here.body.get() {
                Some(word) => self.expand_one(word)?,
                None => Vec::new(),
            };
            return Ok((self.document(&body)?, false));
        }
        let word = self.redirect_word(one)?;
        match one.kind {
            RedirectKind::HereString => {
                let text = [&word[..], b"\n"].concat();
                return Ok((self.document(&text)?, false));
            }
            RedirectKind::DupIn | RedirectKind::DupOut => {
                if word == b"-" {
                    return Ok((Target::Closed, false));
                }
                if let Some(number) = rbox_core::number::parse_decimal(&word).and_then(|n| i32::try_from(n).ok()) {
                    return Ok((Target::Number(number), false));
                }
                if one.kind == RedirectKind::DupIn || one.fd != RedirectFd::Default {
                    return Err(self.redirect_error(b"redir error"));
                }
                return Ok((self.open(&word, RedirectKind::Write)?, true));
            }
            _ => {}
        }
        let both = matches!(one.kind, RedirectKind::Both | RedirectKind::BothAppend);
        Ok((self.open(&word, one.kind)?, both))
    }

    /// The word of a redirection: one text; in bash mode split and matched with files, of which there must be one.
    fn redirect_word(&mut self, one: &Redirection) -> Result<Vec<u8>, Fail> {
        if !self.options.bash || self.options.posix || one.kind == RedirectKind::HereString {
            return self.expand_one(&one.word);
        }
        let mut words = self.expand_words(std::slice::from_ref(&one.word))?;
        match words.pop() {
            Some(word) if words.is_empty() => Ok(word),
            _ => Err(self.redirect_error(b"ambiguous redirect")),
        }
    }

    fn open(&mut self, path: &[u8], kind: RedirectKind) -> Result<Target, Fail> {
        let create = OFlags::WRONLY | OFlags::CREATE;
        let flags = match kind {
            RedirectKind::Read => OFlags::RDONLY,
            RedirectKind::ReadWrite => OFlags::RDWR | OFlags::CREATE,
            RedirectKind::Append | RedirectKind::BothAppend => create | OFlags::APPEND,
            _ => create | OFlags::TRUNC,
        };
        let mut flags = flags;
        if matches!(kind, RedirectKind::Write | RedirectKind::Both) && self.options.noclobber {
            match fs::stat(path).map(|stat| fs::FileType::from_raw_mode(stat.st_mode)) {
                Ok(fs::FileType::RegularFile) => {
                    return Err(self.redirect_error(&text!("can't create ", path, ": File exists")));
                }
                Ok(_) => flags = OFlags::WRONLY,
                // XCU 2.7.2: the file must not exist, not even as a dangling link.
                Err(_) => flags |= OFlags::EXCL,
            }
        }
        let opened = loop {
            match fs::open_once(path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666)) {
                // XCU 2.12: a trap waits until the command has ended; it must not keep a FIFO from being opened. Ctrl-C may.
                Err(Errno::INTR) if signal::pending() & SignalSet::of(&[SIGINT]).0 == 0 => {}
                opened => break opened,
            }
        };
        match opened {
            Ok(opened) => Ok(Target::Opened(opened)),
            Err(errno) => {
                let creates = flags.contains(OFlags::CREATE);
                let mut text = text!(if creates { "can't create " } else { "can't open " }, path, ": ");
                match errno {
                    Errno::NOENT | Errno::NOTDIR if creates => push!(text, "nonexistent directory"),
                    Errno::NOENT | Errno::NOTDIR => push!(text, "no such file"),
                    errno => push!(text, &sys::error_text(errno)[..]),
                }
                Err(self.redirect_error(&text))
            }
        }
    }

    /// Makes the standard stream the descriptor given, keeping what it was.
    pub(super) fn replace(&mut self, opened: OwnedFd, number: i32) -> Result<Saved, Fail> {
        let saved = self.keep(number)?;
        match fd::install(opened, number) {
            Ok(()) => Ok(saved),
            Err(errno) => {
                self.undo_redirections(vec![saved]);
                Err(self.redirect_error(sys::error_text(errno).as_bytes()))
            }
        }
    }

    fn keep(&mut self, number: i32) -> Result<Saved, Fail> {
        match self.streams.descriptors.keep_number(number) {
            Ok(copy) => Ok(Saved { number, copy: Some(copy) }),
            Err(Errno::BADF) => Ok(Saved { number, copy: None }),
            Err(errno) => Err(self.redirect_error(&text!(i64::from(number), ": ", &sys::error_text(errno)[..]))),
        }
    }

    /// A descriptor that gives the text: a pipe when it fits there, else a child that writes it.
    fn document(&mut self, text: &[u8]) -> Result<Target, Fail> {
        let (reader, writer) = match sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC) {
            Ok(ends) => ends,
            Err(errno) => return Err(self.redirect_error(&text!("pipe: ", &sys::error_text(errno)[..]))),
        };
        // A pipe holds 4096 bytes at least without a reader.
        if text.len() <= 4096 {
            // The reader is open, and the pipe has space.
            let _ = rbox_core::io::write_all(writer.as_fd(), text);
        } else if let Err(errno) = process::fork_run(|| {
            // A reader that ends early gives EPIPE: the rest is not wanted.
            let _ = rbox_core::io::write_all(writer.as_fd(), text);
            0
        }) {
            return Err(self.redirect_error(&text!("can't fork: ", &sys::error_text(errno)[..])));
        }
        Ok(Target::Opened(reader))
    }
}

/// Where standard error was before the redirections, if it was open: what `set -x` shows of their command goes there.
pub fn errors_before(saved: &[Saved]) -> Option<Private> {
    saved.iter().find(|one| one.number == 2).and_then(|one| one.copy)
}
