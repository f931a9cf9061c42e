//! Changing /etc/passwd, /etc/shadow, /etc/group and /etc/gshadow: under their lock, whole files at a time, safe against a
//! loss of power.

use crate::bytes;
use crate::daemon::pause;
use crate::error::{Error, Result};
use crate::files::replace;
use crate::io::Input;
use crate::number::{Decimal, parse_decimal};
use crate::sys::fs::{FlockOperation, Mode, OFlags};
use crate::sys::{Errno, OwnedFd, fs};
use crate::time::Moment;
use crate::users::User;
use crate::{push, text};

/// lckpwdf(3): whoever changes these files holds a write lock of this one.
const LOCK: &str = "/etc/.pwd.lock";

/// Seconds to wait for the lock: a program that is stopped while it holds it must not stop all others. lckpwdf(3) waits
/// for 15, in which 100 programs that begin at once do not all get their turn on a slow disk.
const PATIENCE: u32 = 60;

/// The files. Those with hashes need not exist.
pub const PASSWD: &[u8] = b"/etc/passwd";
/// See `PASSWD`.
pub const SHADOW: &[u8] = b"/etc/shadow";
/// See `PASSWD`.
pub const GROUP: &[u8] = b"/etc/group";
/// See `PASSWD`.
pub const GSHADOW: &[u8] = b"/etc/gshadow";

/// The numbers that are given to new users and groups of the system, and to others.
pub const SYSTEM_IDS: (u32, u32) = (100, 999);
/// See `SYSTEM_IDS`.
pub const IDS: (u32, u32) = (1000, 59_999);

/// Holds the lock of the account files; waits for another program that has it. Dropping it releases it.
pub fn lock() -> Result<OwnedFd> {
    let failed = |errno| Error::on(LOCK, errno);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = fs::open(LOCK, flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
    for _ in 0..PATIENCE * 50 {
        match fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::AGAIN | Errno::ACCESS) => pause(20),
            Err(errno) => return Err(failed(errno)),
        }
    }
    Err(Error::parts(&[LOCK.as_bytes(), b": locked by another program"]))
}

/// Sets the password hash of `name`: in /etc/shadow, with the day of the change, where it has a line there; else in
/// /etc/passwd. False when neither file knows the name. The caller holds the lock.
pub fn set_hash(name: &[u8], hash: &[u8]) -> Result<bool> {
    let day = today();
    let in_shadow = change_line(SHADOW, name, &[(1, hash), (2, day.as_bytes())]);
    let in_shadow = match in_shadow {
        // A system without shadow(5).
        Err(error) if error.errno() == Some(Errno::NOENT) => false,
        result => result?,
    };
    // The hash must not be in the file that all may read as well.
    let other: &[u8] = if in_shadow { b"x" } else { hash };
    Ok(change_line(PASSWD, name, &[(1, other)])? || in_shadow)
}

/// The day, since 1970: shadow(5).
fn today() -> Decimal {
    Decimal::new(Moment::now().seconds.max(0) as u64 / 86_400)
}

/// The contents of a file; `None` if there is none.
pub fn read(path: &[u8]) -> Result<Option<Vec<u8>>> {
    match Input::open(path).and_then(|mut file| file.read_to_end()) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.errno() == Some(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A new name: letters, digits and `_.@-`, not at the start a dash or a dot, and a `$` at the end, which Samba's have.
pub fn check_name(name: &[u8]) -> Result<()> {
    let start = name.strip_suffix(b"$").unwrap_or(name);
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.@-".contains(byte);
    match start.first().is_some_and(|byte| !b".-@".contains(byte)) && start.iter().all(is_good) && name.len() <= 32 {
        true => Ok(()),
        false => Err(Error::parts(&[b"illegal name '", name, b"'"])),
    }
}

/// The numbers in the third field of all lines, sorted.
fn numbers(text: &[u8]) -> Vec<u32> {
    let number = |line: &'_ [u8]| parse_decimal(line.split(|&byte| byte == b':').nth(2)?)?.try_into().ok();
    let mut numbers: Vec<u32> = text.split(|&byte| byte == b'\n').filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// The lowest number of a range that no user has, and no group, as is asked.
pub fn free_number((first, last): (u32, u32), of_users: bool, of_groups: bool) -> Result<u32> {
    let mut used = Vec::new();
    if of_users {
        used.push(numbers(&read(PASSWD)?.unwrap_or_default()));
    }
    if of_groups {
        used.push(numbers(&read(GROUP)?.unwrap_or_default()));
    }
    let is_free = |number: &u32| used.iter().all(|numbers| numbers.binary_search(number).is_err());
    (first..=last).find(is_free).ok_or_else(|| Error::new("no id left"))
}

/// Whether a line of the file has that number.
pub fn is_used(path: &[u8], number: u32) -> Result<bool> {
    Ok(numbers(&read(path)?.unwrap_or_default()).binary_search(&number).is_ok())
}

/// Adds the line of `name`. One that a killed program left behind goes. False if there is no such file.
fn add_line(path: &[u8], name: &[u8], rest: &[u8]) -> Result<bool> {
    let Some(text) = read(path)? else { return Ok(false) };
    let mut new = without(&text, name);
    if !new.is_empty() && !new.ends_with(b"\n") {
        new.push(b'\n');
    }
    push!(new, name, rest, "\n");
    replace(path, &new, true)?;
    Ok(true)
}

/// The lines of all other names.
fn without(text: &[u8], name: &[u8]) -> Vec<u8> {
    let is_other = |line: &&[u8]| bytes::split_once(line, b':').is_none_or(|(other, _)| other != name);
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').filter(is_other).collect();
    lines.concat()
}

/// Removes the lines of `name`. False if there are none.
pub fn remove(path: &[u8], name: &[u8]) -> Result<bool> {
    let Some(text) = read(path)? else { return Ok(false) };
    let new = without(&text, name);
    if new.len() < text.len() {
        replace(path, &new, true)?;
    }
    Ok(new.len() < text.len())
}

/// Adds a group without members. The caller holds the lock, and knows that name and number are free.
pub fn add_group(name: &[u8], gid: u32) -> Result<()> {
    add_line(GSHADOW, name, b":!::")?;
    missing(add_line(GROUP, name, &text!(":x:", gid, ":"))?, GROUP)
}

/// Whether a new user's fields can be in a line of passwd(5).
pub fn check_user(user: &User) -> Result<()> {
    check_name(&user.name)?;
    let fields = [&user.comment, &user.home, &user.shell];
    match fields.into_iter().find(|field| field.iter().any(|byte| byte.is_ascii_control() || *byte == b':')) {
        Some(field) => Err(Error::parts(&[b"illegal character in '", field, b"'"])),
        None => Ok(()),
    }
}

/// Adds a user, who cannot log in by a password yet. The line of /etc/passwd is the last to be written: whoever sees the
/// user sees the rest. The caller holds the lock, and knows that fields are good and that name and number are free.
pub fn add_user(user: &User) -> Result<()> {
    let in_shadow = add_line(SHADOW, &user.name, &text!(":!:", today().as_bytes(), ":0:99999:7:::"))?;
    let hash = if in_shadow { ":x:" } else { ":!:" };
    let fields = text!(":", &user.comment, ":", &user.home, ":", &user.shell);
    missing(add_line(PASSWD, &user.name, &text!(hash, user.uid, ":", user.gid, fields))?, PASSWD)
}

fn missing(is_there: bool, path: &[u8]) -> Result<()> {
    if is_there { Ok(()) } else { Err(Error::on(path, Errno::NOENT)) }
}

/// Makes the user a member of the group, or no longer one; of all groups without `group`. True if that changed a line
/// of /etc/group.
pub fn set_member(group: Option<&[u8]>, user: &[u8], is_member: bool) -> Result<bool> {
    let mut is_changed = false;
    for path in [GSHADOW, GROUP] {
        let Some(text) = read(path)? else { continue };
        let new = with_member(&text, group, user, is_member);
        is_changed = new != text;
        if is_changed {
            replace(path, &new, true)?;
        }
    }
    Ok(is_changed)
}

/// The fourth field of group(5) and gshadow(5) is the list of members.
fn with_member(text: &[u8], group: Option<&[u8]>, user: &[u8], is_member: bool) -> Vec<u8> {
    let mut new = Vec::with_capacity(text.len() + 64);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let (bare, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |line| (line, b"\n"));
        let mut fields: Vec<&[u8]> = bare.split(|&byte| byte == b':').collect();
        if fields.len() != 4 || group.is_some_and(|group| group != fields[0]) {
            new.extend_from_slice(line);
            continue;
        }
        let mut members: Vec<&[u8]> = fields[3].split(|&byte| byte == b',').filter(|name| !name.is_empty()).collect();
        if is_member != members.contains(&user) {
            members.retain(|name| *name != user);
            if is_member {
                members.push(user);
            }
            fields[3] = b"";
            new.extend_from_slice(&fields.join(&b':'));
            new.extend_from_slice(&members.join(&b','));
            new.extend_from_slice(end);
        } else {
            new.extend_from_slice(line);
        }
    }
    new
}

/// Sets fields, counted from 0, of the line of `name` in the file at `path`. False when there is no such line.
fn change_line(path: &[u8], name: &[u8], fields: &[(usize, &[u8])]) -> Result<bool> {
    let text = Input::open(path)?.read_to_end()?;
    let Some(new) = with_fields(&text, name, fields) else { return Ok(false) };
    if new != text {
        replace(path, &new, true)?;
    }
    Ok(true)
}

fn with_fields(text: &[u8], name: &[u8], fields: &[(usize, &[u8])]) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(text.len() + 128);
    let mut found = false;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let is_it = bytes::split_once(line, b':').is_some_and(|(other, _)| other == name);
        // A second line of that name is never read.
        if !is_it || found {
            new.extend_from_slice(line);
            continue;
        }
        found = true;
        let (line, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |line| (line, b"\n"));
        let mut words: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
        for (number, value) in fields {
            if words.len() <= *number {
                words.resize(number + 1, b"");
            }
            words[*number] = value;
        }
        new.extend_from_slice(&words.join(&b':'));
        new.extend_from_slice(end);
    }
    found.then_some(new)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let fields: [(usize, &[u8]); 2] = [(1, b"new"), (7, b"9")];
    if let Some(new) = with_fields(data, b"root", &fields) {
        assert_eq!(with_fields(&new, b"root", &fields), Some(new));
    }
    let new = with_member(data, None, b"u", true);
    assert_eq!(with_member(&new, None, b"u", true), new);
    let _ = (numbers(data), check_name(data));
}

#[cfg(test)]
mod tests {
    use super::{check_name, numbers, with_fields, with_member};
    use crate::testing::Random;

    #[test]
    fn a_line_gets_new_fields() {
        let text = b"root::1:2\n# x\nuser:x\nroot:again\nroots:y";
        let new = with_fields(text, b"root", &[(1, b"h"), (2, b"9")]).expect("a line");
        assert_eq!(new, b"root:h:9:2\n# x\nuser:x\nroot:again\nroots:y");
        assert_eq!(
            with_fields(text, b"user", &[(2, b"9")]).expect("a line"),
            b"root::1:2\n# x\nuser:x:9\nroot:again\nroots:y"
        );
        assert_eq!(
            with_fields(text, b"roots", &[(1, b"")]).expect("a line"),
            b"root::1:2\n# x\nuser:x\nroot:again\nroots:"
        );
        assert_eq!(with_fields(text, b"nobody", &[]), None);
    }

    #[test]
    fn members_come_and_go() {
        let text = b"a:x:1:\nb:x:2:u,v\nbad\nc:x:3:u";
        assert_eq!(with_member(text, Some(b"a"), b"u", true), b"a:x:1:u\nb:x:2:u,v\nbad\nc:x:3:u");
        assert_eq!(with_member(text, Some(b"b"), b"u", true), text);
        assert_eq!(with_member(text, None, b"u", false), b"a:x:1:\nb:x:2:v\nbad\nc:x:3:");
        assert_eq!(with_member(text, Some(b"b"), b"w", true), b"a:x:1:\nb:x:2:u,v,w\nbad\nc:x:3:u");
    }

    #[test]
    fn names_and_numbers() {
        for name in [&b"a"[..], b"_x-1.y", b"host$", b"a@b"] {
            assert!(check_name(name).is_ok());
        }
        for name in [&b""[..], b"-a", b".a", b"a b", b"a:b", b"$", b"a$b", b"0123456789012345678901234567890123"] {
            assert!(check_name(name).is_err());
        }
        assert_eq!(numbers(b"a:x:7:\nb:x:bad:\nc:x:3\n\n"), [3, 7]);
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let mut random = Random::new(9);
        for _ in 0..5000 {
            let text = [&b"name:old:1\n"[..], &random.bytes(100)].concat();
            let new = with_fields(&text, b"name", &[(1, b"new")]).expect("the first line");
            assert_eq!((&new[..11], &new[11..]), (&b"name:new:1\n"[..], &text[11..]));
        }
    }
}
