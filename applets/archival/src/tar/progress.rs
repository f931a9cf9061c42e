//! `--checkpoint` and `--totals`: what is reported while a person waits.

use rbox_core::call;
use rbox_core::number::{PLAIN, parse_count};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::process;
use rbox_core::sys::thread::nanosleep;
use rbox_core::sys::time::Timespec;
use rbox_core::text;

use super::{ACTION, APPEND, BLOCKING, CHECKPOINT, CREATE, RECORD_SIZE, TOTALS, UPDATE};

/// What is done at a checkpoint.
enum Action {
    Dot,
    Echo(Vec<u8>),
    Run(Vec<u8>),
    Sleep(u64),
}

/// The state of both options.
pub struct Progress {
    every: u64,
    actions: Vec<Action>,
    record: u64,
    next: u64,
    count: u64,
    totals: bool,
    writes: bool,
    has_dots: bool,
}

impl Progress {
    /// What the command line asks for.
    pub fn of(args: &Args<'_>) -> Result<Self> {
        let mut actions = Vec::new();
        let writes = [CREATE, APPEND, UPDATE].iter().any(|option| args.has(*option));
        for word in args.values(ACTION) {
            actions.push(match word {
                b"dot" | b"." => Action::Dot,
                b"echo" => Action::Echo(default_text(writes)),
                _ => match rbox_core::bytes::split_once(word, b'=') {
                    Some((b"echo", text)) => Action::Echo(text.to_vec()),
                    Some((b"exec", command)) => Action::Run(command.to_vec()),
                    Some((b"sleep", seconds)) => Action::Sleep(parse_count(seconds, PLAIN)?),
                    _ => return Err(Error::parts(&[b"unknown checkpoint action '", word, b"'"])),
                },
            });
        }
        let mut every = 0;
        if args.has(CHECKPOINT) || !actions.is_empty() {
            every = 10;
            match args.value(CHECKPOINT) {
                None => {}
                // The dot as a value, for a line of dots.
                Some(b".") => actions.push(Action::Dot),
                Some(word) => every = parse_count(word, PLAIN)?.max(1),
            }
            if actions.is_empty() {
                actions.push(Action::Echo(default_text(writes)));
            }
        }
        let record = record_size(args)?;
        Ok(Self { every, actions, record, next: every, count: 0, totals: args.has(TOTALS), writes, has_dots: false })
    }

    /// Does what is due once so many bytes of the archive have been read or written.
    pub fn at(&mut self, env: &mut Env, bytes: u64) -> Result<()> {
        while self.every > 0 && bytes / self.record >= self.next {
            self.count = self.next;
            self.next += self.every;
            for at in 0..self.actions.len() {
                self.act(env, at)?;
            }
        }
        Ok(())
    }

    fn act(&mut self, env: &mut Env, at: usize) -> Result<()> {
        match &self.actions[at] {
            Action::Dot => {
                self.has_dots = true;
                env.stderr.write(b".")?;
                env.stderr.flush()
            }
            Action::Echo(text) => {
                let mut line = Vec::new();
                let mut rest = text.iter();
                while let Some(&byte) = rest.next() {
                    match byte {
                        b'%' => match rest.next() {
                            Some(b'u') => push!(line, self.count),
                            Some(b's') => push!(line, if self.writes { "write" } else { "read" }),
                            Some(&other) => line.push(other),
                            None => line.push(b'%'),
                        },
                        _ => line.push(byte),
                    }
                }
                env.report(&Error::new(line));
                Ok(())
            }
            Action::Run(command) => {
                let count = text!("TAR_CHECKPOINT=", self.count);
                env.vars.set("TAR_CHECKPOINT", Some(&count[15..]));
                let change = call::run(env, &[b"sh", b"-c", command])?;
                match change {
                    process::Change::Exited(0) => Ok(()),
                    _ => Err(Error::parts(&[b"checkpoint command '", command, b"' failed"])),
                }
            }
            Action::Sleep(seconds) => {
                // A signal ends the pause.
                let _ = nanosleep(&Timespec { tv_sec: (*seconds).min(i64::MAX as u64) as i64, tv_nsec: 0 });
                Ok(())
            }
        }
    }

    /// Ends a line of dots, and reports the total.
    pub fn end(&mut self, env: &mut Env, bytes: u64) -> Result<()> {
        if self.has_dots {
            env.stderr.write(b"\n")?;
        }
        if self.totals {
            let what = if self.writes { "Total bytes written: " } else { "Total bytes read: " };
            env.stdout.flush()?;
            env.stderr.write(&text!(what, bytes, "\n"))?;
        }
        Ok(())
    }
}

fn default_text(writes: bool) -> Vec<u8> {
    if writes { b"Write checkpoint %u".to_vec() } else { b"Read checkpoint %u".to_vec() }
}

/// Bytes of a record: the archive's length is a multiple of it.
pub fn record_size(args: &Args<'_>) -> Result<u64> {
    let size = super::number(args, RECORD_SIZE)?;
    if size.is_some_and(|size| size % 512 != 0) {
        return Err(Error::new("the record size is not a multiple of 512"));
    }
    match size.map(|size| size / 512).or(super::number(args, BLOCKING)?) {
        None => Ok(20 * 512),
        Some(blocks) if (1..=1 << 20).contains(&blocks) => Ok(blocks * 512),
        Some(_) => Err(Error::new("invalid blocking factor")),
    }
}
