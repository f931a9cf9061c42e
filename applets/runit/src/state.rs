//! What chpst and daemontools' small programs change of a process before they run another in it.

use rbox_core::bytes;
use rbox_core::env::Vars;
use rbox_core::files;
use rbox_core::io::read;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{CWD, Mode, OFlags};
use rbox_core::sys::process::{Resource, Rlimit, getrlimit, setrlimit};
use rbox_core::sys::{AsFd, Errno, fs};
use rbox_core::text;
use rbox_core::users::{Group, User, become_ids};

/// The most of a file in an environment directory that is read: one word of execve(2) cannot be longer.
const LONGEST: usize = 128 * 1024;

/// The status of an error that is no wrong command line.
pub const TROUBLE: u8 = 111;

/// Who a program is to be.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    /// User number.
    pub uid: u32,
    /// Group numbers, the first of which is the primary one.
    pub gids: Vec<u32>,
}

impl Account {
    /// What `[:]USER[:GROUP]...` means; after a leading colon there are numbers.
    pub fn parse(word: &[u8]) -> Result<Self> {
        let unknown = |word: &[u8]| Error::new(text!("unknown user/group: ", word));
        if let Some(numbers) = word.strip_prefix(b":") {
            let ids: Option<Vec<u32>> =
                numbers.split(|&byte| byte == b':').map(|word| u32::try_from(parse_decimal(word)?).ok()).collect();
            let ids = ids.ok_or_else(|| unknown(word))?;
            let gids = if ids.len() > 1 { ids[1..].to_vec() } else { ids.clone() };
            return Ok(Self { uid: ids[0], gids });
        }
        let mut names = word.split(|&byte| byte == b':');
        let user = User::by_name(names.next().unwrap_or_default()).ok_or_else(|| unknown(word))?;
        let mut gids = Vec::new();
        for name in names {
            gids.push(Group::by_name(name).ok_or_else(|| unknown(word))?.gid);
        }
        if gids.is_empty() {
            gids.push(user.gid);
        }
        Ok(Self { uid: user.uid, gids })
    }

    /// Becomes it: all other groups are dropped.
    pub fn enter(&self) -> Result<()> {
        become_ids(Some(self.uid), Some(self.gids[0]), Some(&self.gids))
    }

    /// Tells the program about it by UID and GID.
    pub fn export(&self, vars: &mut Vars) {
        vars.set("GID", Some(&text!(self.gids[0])));
        vars.set("UID", Some(&text!(self.uid)));
    }
}

/// Sets variables by the files of a directory: the first line of each is the value of the variable of that name, an empty
/// file takes it away.
pub fn read_variables(vars: &mut Vars, path: &[u8]) -> Result<()> {
    let failed = |errno| Error::cannot("change directory to", path, errno);
    let directory = files::open_directory(CWD, path, true).map_err(failed)?;
    for entry in files::list(directory.as_fd()).map_err(failed)? {
        if entry.name.starts_with(b".") || entry.name.contains(&b'=') {
            continue;
        }
        let failed = |errno| Error::cannot("open", &bytes::join_path(path, &entry.name), errno);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(directory.as_fd(), &entry.name, flags, Mode::empty()).map_err(failed)?;
        let mut content = vec![0; LONGEST];
        let mut length = 0;
        while length < LONGEST {
            match read(file.as_fd(), &mut content[length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                // A directory is no variable.
                Err(Errno::ISDIR) => break,
                Err(errno) => return Err(failed(errno)),
            }
        }
        let value = value_of(&content[..length]);
        vars.set(&entry.name, value.as_deref());
    }
    Ok(())
}

/// The value that a file's content stands for; `None` where there is no content.
fn value_of(content: &[u8]) -> Option<Vec<u8>> {
    if content.is_empty() {
        return None;
    }
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    Some(line[..end].iter().map(|&byte| if byte == 0 { b'\n' } else { byte }).collect())
}

/// Lowers the soft limit of each resource to what `word` says, at most to the hard one.
pub fn limit(resources: &[Resource], word: &[u8]) -> Result<()> {
    let wanted = match word {
        b"=" => None,
        _ => Some(parse_decimal(word).ok_or_else(|| rbox_core::number::invalid(word).with_status(100))?),
    };
    for resource in resources {
        let hard = getrlimit(*resource).maximum;
        let current = match (wanted, hard) {
            (Some(wanted), Some(hard)) => Some(wanted.min(hard)),
            (wanted, hard) => wanted.or(hard),
        };
        setrlimit(*resource, Rlimit { current, maximum: hard }).map_err(|errno| Error::on("setrlimit", errno))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_first_line_is_a_value() {
        assert_eq!(value_of(b""), None);
        assert_eq!(value_of(b"\nx").as_deref(), Some(&b""[..]));
        assert_eq!(value_of(b" a\0b \t\nmore").as_deref(), Some(&b" a\nb"[..]));
    }

    #[test]
    fn accounts_may_be_numbers() {
        assert_eq!(Account::parse(b":7").ok(), Some(Account { uid: 7, gids: vec![7] }));
        assert_eq!(Account::parse(b":7:8:9").ok(), Some(Account { uid: 7, gids: vec![8, 9] }));
        assert!(Account::parse(b":x").is_err() && Account::parse(b":").is_err());
    }
}
