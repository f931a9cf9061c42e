//! Who is logged in, and who was: the records of utmp(5), 384 bytes each as on every 64-bit Linux with 32-bit times.
//!
//! The files are written only where they exist: an administrator who wants them creates them.

use crate::error::{Error, Result};
use crate::sys::fs::{Mode, OFlags};
use crate::sys::{OwnedFd, fd, fs};
use crate::time::Moment;

/// A record's size in bytes.
const SIZE: usize = 384;
const UTMP: &str = "/var/run/utmp";
/// The history of logins.
pub const WTMP: &str = "/var/log/wtmp";

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

/// A record as it is read.
#[derive(Clone, Debug)]
pub struct Entry([u8; SIZE]);

impl Entry {
    fn text(&self, at: usize, room: usize) -> &[u8] {
        self.0[at..at + room].split(|&byte| byte == 0).next().unwrap_or_default()
    }

    fn number(&self, at: usize) -> i32 {
        let [one, two, three, four] = [0, 1, 2, 3].map(|offset| self.0[at + offset]);
        i32::from_ne_bytes([one, two, three, four])
    }

    /// What it is about: utmp(5), ut_type, 0-9.
    pub fn kind(&self) -> i16 {
        i16::from_ne_bytes([self.0[0], self.0[1]])
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        self.number(4)
    }

    /// The terminal without /dev/.
    pub fn line(&self) -> &[u8] {
        self.text(8, 32)
    }

    /// utmp(5), ut_id.
    pub fn id(&self) -> &[u8] {
        self.text(40, 4)
    }

    /// The user's name.
    pub fn user(&self) -> &[u8] {
        self.text(44, 32)
    }

    /// Where the user comes from.
    pub fn host(&self) -> &[u8] {
        self.text(76, 256)
    }

    /// The signal that ended the process, and its status: utmp(5), ut_exit.
    pub fn exit(&self) -> (i16, i16) {
        let both = self.number(332).to_ne_bytes();
        (i16::from_ne_bytes([both[0], both[1]]), i16::from_ne_bytes([both[2], both[3]]))
    }

    /// When it was written: seconds since 1970, unsigned as newer C libraries read them.
    pub fn seconds(&self) -> i64 {
        (self.number(340) as u32).into()
    }

    /// The address of the host: utmp(5), ut_addr_v6.
    pub fn address(&self) -> core::net::IpAddr {
        let bytes: [u8; 16] = core::array::from_fn(|at| self.0[348 + at]);
        match bytes {
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => core::net::Ipv4Addr::new(a, b, c, d).into(),
            _ => core::net::Ipv6Addr::from(bytes).into(),
        }
    }

    /// Whether it is about somebody who is logged in. A record without a name is free again.
    pub fn is_user(&self) -> bool {
        self.kind() == Kind::User as i16 && !self.user().is_empty()
    }
}

/// The records of a file, in any order.
#[derive(Debug)]
pub struct Records {
    file: OwnedFd,
    name: Vec<u8>,
    /// The bytes of the block that was read last, and its number.
    block: Vec<u8>,
    number: u64,
}

impl Records {
    /// Bytes that are read at once: 64 records.
    const BLOCK: usize = 64 * SIZE;

    /// The file at `path`, or /var/run/utmp. The error is `PATH: reason`.
    pub fn open(path: Option<&[u8]>) -> Result<Self> {
        let path = path.unwrap_or(UTMP.as_bytes());
        let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let file = file.map_err(|errno| Error::on(path, errno))?;
        Ok(Self { file, name: path.to_vec(), block: Vec::new(), number: u64::MAX })
    }

    /// The record of that number, from 0; `None` after the last one.
    pub fn get(&mut self, index: u64) -> Result<Option<Entry>> {
        let (number, at) = (index / 64, (index % 64) as usize * SIZE);
        if number != self.number {
            self.block.resize(Self::BLOCK, 0);
            let mut got = 0;
            while got < Self::BLOCK {
                let position = number * Self::BLOCK as u64 + got as u64;
                match fd::pread(&self.file, &mut self.block[got..], position) {
                    Ok(0) => break,
                    Ok(count) => got += count,
                    Err(errno) => return Err(Error::on(&self.name, errno)),
                }
            }
            self.block.truncate(got);
            self.number = number;
        }
        Ok(self.block.get(at..at + SIZE).and_then(|bytes| bytes.try_into().ok()).map(Entry))
    }

    /// How many whole records there are.
    pub fn count(&self) -> u64 {
        fs::fstat(&self.file).map_or(0, |stat| stat.st_size.max(0) as u64) / SIZE as u64
    }
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
    let (mut logins, mut index) = (Vec::new(), 0);
    let Ok(mut records) = Records::open(None) else { return logins };
    while let Ok(Some(entry)) = records.get(index) {
        if entry.is_user() {
            logins.push((entry.line().to_vec(), entry.user().to_vec()));
        }
        index += 1;
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
        let entry = Entry(bytes);
        assert_eq!((entry.kind(), entry.pid(), entry.line(), entry.id()), (7, 258, &b"pts/12"[..], &b"s/12"[..]));
        assert_eq!((entry.user(), entry.host(), entry.exit()), (&b"root"[..], &[b'h'; 256][..], (0, 0)));
    }
}
