//! Redirections (XCU 2.7).

use super::jobs::SIGINT;
use crate::shell::{Fail, Shell};
use crate::syntax::ast::{RedirectFd, RedirectKind, Redirection};
use rbox_core::push;
use rbox_core::sys::fs::{self, Mode, OFlags};
use rbox_core::sys::signal::{self, SignalSet};
use rbox_core::sys::{self, AsFd, AsRawFd, BorrowedFd, Errno, IntoRawFd, OwnedFd, fd, process};
use rbox_core::text;

/// Descriptors for which a script asks without a number are here and above.
const UNNUMBERED: i32 = 10;

/// Those of the shell's own are here and above, out of the way of scripts that say `exec 10>file`; still within the
/// 64 that the kernel's smallest table has.
const PRIVATE: i32 = 50;

/// A descriptor that a redirection took away: its number and where it was kept, if it was open.
pub struct Saved {
    number: i32,
    kept: Option<OwnedFd>,
}

/// What a redirection leads to.
enum Target {
    Opened(OwnedFd),
    Number(i32),
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
            // The number was open before, or is to be closed: nothing here can fail in a way that matters.
            let _ = match one.kept {
                Some(kept) => fd::redirect(kept.as_fd(), one.number),
                None => fd::close_number(one.number),
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
                saved.push(if taken { Saved { number, kept: None } } else { keep(number) });
            }
        }
        let done = match target {
            Target::Opened(opened) => {
                if opened.as_raw_fd() == number {
                    let raw = opened.into_raw_fd();
                    fd::redirect(fd::borrow(raw), raw)
                } else {
                    fd::redirect(opened.as_fd(), number)
                }
            }
            // Open or not, as in BusyBox: nothing changes.
            Target::Number(from) if from == number => Ok(()),
            Target::Number(from) => fd::redirect(fd::borrow(from), number),
            Target::Closed => {
                let _ = fd::close_number(number);
                Ok(())
            }
        };
        match done {
            Ok(()) if both => {
                let _ = fd::redirect(fd::borrow(1), 2);
                Ok(())
            }
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
    fn redirect_variable(&mut self, name: crate::symbols::Sym, target: Target) -> Result<(), Fail> {
        let found = match target {
            Target::Opened(opened) => fd::fcntl_dupfd_cloexec(&opened, UNNUMBERED),
            Target::Number(from) => fd::fcntl_dupfd_cloexec(fd::borrow(from), UNNUMBERED),
            Target::Closed => {
                let number = self.value(name).and_then(crate::arith::small_number).unwrap_or(-1);
                if let Ok(number) = i32::try_from(number)
                    && number >= 0
                {
                    let _ = fd::close_number(number);
                }
                return Ok(());
            }
        };
        match found {
            Ok(opened) => {
                let number = opened.into_raw_fd();
                // Programs inherit it, as they inherit any other redirection.
                let _ = fd::fcntl_setfd(fd::borrow(number), fd::FdFlags::empty());
                self.set_number(name, i64::from(number))
            }
            Err(errno) => Err(self.redirect_error(sys::error_text(errno).as_bytes())),
        }
    }

    /// Opens what the redirection names; the flag says that standard error goes there too.
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
                // XCU 2.7.2: what is made must not have been there, not even as a link that leads nowhere.
                Err(_) => flags |= OFlags::EXCL,
            }
        }
        let opened = loop {
            match fs::open(path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666)) {
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

    /// A descriptor that gives the text: a pipe when it fits there, else a child that writes it.
    fn document(&mut self, text: &[u8]) -> Result<Target, Fail> {
        let (reader, writer) = match sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC) {
            Ok(ends) => ends,
            Err(errno) => return Err(self.redirect_error(&text!("pipe: ", &sys::error_text(errno)[..]))),
        };
        let number = writer.as_raw_fd();
        // A pipe holds 4096 bytes at least without a reader.
        if text.len() <= 4096 {
            let _ = crate::shell::write_all(number, text);
        } else if let Err(errno) = process::fork_run(|| {
            let _ = crate::shell::write_all(number, text);
            0
        }) {
            return Err(self.redirect_error(&text!("can't fork: ", &sys::error_text(errno)[..])));
        }
        Ok(Target::Opened(reader))
    }
}

/// Makes the descriptor of that number the one given, keeping what it was.
pub fn replace(opened: OwnedFd, number: i32) -> Saved {
    let saved = keep(number);
    // Both numbers are open, so dup2 cannot fail.
    let _ = fd::redirect(opened.as_fd(), number);
    saved
}

/// Where standard error was before the redirections: what `set -x` shows of their command goes there.
pub fn errors_before(saved: &[Saved]) -> i32 {
    let kept = saved.iter().find(|one| one.number == 2).and_then(|one| one.kept.as_ref());
    kept.map_or(2, AsRawFd::as_raw_fd)
}

fn keep(number: i32) -> Saved {
    Saved { number, kept: private_copy(fd::borrow(number)).ok() }
}

/// A copy of a descriptor for the shell's own use.
pub fn private_copy(opened: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    match fd::fcntl_dupfd_cloexec(opened, PRIVATE) {
        // `ulimit -n` may allow fewer.
        Err(Errno::INVAL | Errno::MFILE) => fd::fcntl_dupfd_cloexec(opened, UNNUMBERED),
        copy => copy,
    }
}
