//! Who is logged in, and who was: the records of utmp(5), 384 bytes each as on every 64-bit Linux with 32-bit times.
//!
//! The files are written only where they exist: an administrator who wants them creates them.

use crate::sys::fs::{Mode, OFlags};
use crate::sys::{OwnedFd, fd, fs};
use crate::time::Moment;

/// A record's size in bytes.
const SIZE: usize = 384;
const UTMP: &str = "/var/run/utmp";
const WTMP: &str = "/var/log/wtmp";

/// What a record is about: utmp(5), ut_type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The machine goes to another run level, or down.
    RunLevel = 1,
    /// Somebody is logged in.
    User = 7,
    /// The process has ended.
    Dead = 8,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What it is about.
    pub kind: Kind,
    /// The process.
    pub pid: i32,
    /// The terminal without /dev/.
    pub line: &'a [u8],
    /// The user's name.
    pub user: &'a [u8],
    /// Where the user comes from.
    pub host: &'a [u8],
}

impl Record<'_> {
    fn bytes(&self) -> [u8; SIZE] {
        let mut record = [0; SIZE];
        let mut put = |at: usize, room: usize, bytes: &[u8]| {
            let length = bytes.len().min(room);
            record[at..at + length].copy_from_slice(&bytes[..length]);
        };
        let now = Moment::now();
        put(0, 2, &(self.kind as i16).to_ne_bytes());
        put(4, 4, &self.pid.to_ne_bytes());
        put(8, 32, self.line);
        put(40, 4, id(self.line));
        put(44, 32, self.user);
        put(76, 256, self.host);
        put(340, 4, &(now.seconds as u32).to_ne_bytes());
        record
    }
}

/// utmp(5), ut_id: the end of the terminal's name.
fn id(line: &[u8]) -> &[u8] {
    &line[line.len().saturating_sub(4)..]
}

fn open(path: &str, flags: OFlags) -> Option<OwnedFd> {
    fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Adds a record to the history, /var/log/wtmp.
pub fn append(record: &Record<'_>) {
    if let Some(file) = open(WTMP, OFlags::WRONLY | OFlags::APPEND) {
        // A full disk must not keep anybody from logging in or the machine from going down.
        let _ = fd::write(&file, &record.bytes());
    }
}

/// Sets the record of the terminal in /var/run/utmp and adds it to the history.
pub fn set(record: &Record<'_>) {
    append(record);
    let Some(file) = open(UTMP, OFlags::RDWR) else { return };
    let new = record.bytes();
    let (mut at, mut old) = (0, [0; SIZE]);
    while fd::pread(&file, &mut old, at) == Ok(SIZE) {
        if old[40..44] == new[40..44] {
            break;
        }
        at += SIZE as u64;
    }
    // A full disk must not keep anybody from logging in.
    let _ = fd::pwrite(&file, &new, at);
}

/// How many are logged in, as /var/run/utmp has it.
pub fn users() -> u64 {
    terminals().len() as u64
}

/// The terminals, without /dev/, of those who are logged in.
pub fn terminals() -> Vec<Vec<u8>> {
    logins().into_iter().map(|(terminal, _)| terminal).collect()
}

/// The user who is logged in at a terminal, which is without /dev/.
pub fn user_at(terminal: &[u8]) -> Option<Vec<u8>> {
    logins().into_iter().find(|(line, _)| line == terminal).map(|(_, user)| user)
}

/// The terminals and the users of those who are logged in.
fn logins() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut logins = Vec::new();
    let Some(file) = open(UTMP, OFlags::RDONLY) else { return logins };
    let (mut at, mut record) = (0, [0; SIZE]);
    let text = |field: &'_ [u8]| field.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
    while fd::pread(&file, &mut record, at) == Ok(SIZE) {
        // A record without a name is free again.
        if record[0] == Kind::User as u8 && record[44] != 0 {
            logins.push((text(&record[8..40]), text(&record[44..76])));
        }
        at += SIZE as u64;
    }
    logins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_fields_where_utmp_says() {
        let record = Record { kind: Kind::User, pid: 258, line: b"pts/12", user: b"root", host: &[b'h'; 300] };
        let bytes = record.bytes();
        assert_eq!((&bytes[..8], &bytes[8..15]), (&[7, 0, 0, 0, 2, 1, 0, 0][..], &b"pts/12\0"[..]));
        assert_eq!((&bytes[40..44], &bytes[44..49], &bytes[330..334]), (&b"s/12"[..], &b"root\0"[..], &b"hh\0\0"[..]));
    }
}
