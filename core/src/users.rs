//! Users and groups: the files passwd(5) and group(5).

use crate::bytes;
use crate::crypt;
use crate::error::{Error, Result};
use crate::io::Input;
use crate::number::{Decimal, parse_decimal};

/// A line of /etc/passwd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: Vec<u8>,
    /// The hash, or `x` when it is in /etc/shadow.
    pub password: Vec<u8>,
    /// User number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// Full name and more.
    pub comment: Vec<u8>,
    /// Home directory.
    pub home: Vec<u8>,
    /// Login shell; empty stands for /bin/sh.
    pub shell: Vec<u8>,
}

/// A line of /etc/group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Group name.
    pub name: Vec<u8>,
    /// Group number.
    pub gid: u32,
    /// NameCache of the users for whom it is a supplementary group.
    pub members: Vec<Vec<u8>>,
}

impl User {
    /// Reads one line; `None` when it is not of the form of passwd(5).
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b':');
        let mut next = || fields.next().map(<[u8]>::to_vec);
        Some(Self {
            name: next().filter(|name| !name.is_empty())?,
            password: next()?,
            uid: id(&next()?)?,
            gid: id(&next()?)?,
            comment: next()?,
            home: next()?,
            shell: next()?,
        })
    }

    /// The user of that name.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        find("/etc/passwd", Self::parse, |user| user.name == name)
    }

    /// The user of that number.
    pub fn by_id(uid: u32) -> Option<Self> {
        find("/etc/passwd", Self::parse, |user| user.uid == uid)
    }

    /// The numbers of all groups the user is in, the primary one first: initgroups(3).
    pub fn groups(&self) -> Vec<u32> {
        let mut gids = vec![self.gid];
        each_line("/etc/group", &mut |line| {
            if let Some(group) = Group::parse(line)
                && group.members.contains(&self.name)
                && !gids.contains(&group.gid)
            {
                gids.push(group.gid);
            }
            false
        });
        gids
    }
}

impl Group {
    /// Reads one line; `None` when it is not of the form of group(5).
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b':');
        let name = fields.next().filter(|name| !name.is_empty())?.to_vec();
        let gid = id(fields.nth(1)?)?;
        let members = fields.next().unwrap_or_default().split(|&byte| byte == b',');
        Some(Self { name, gid, members: members.filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect() })
    }

    /// The group of that name.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        find("/etc/group", Self::parse, |group| group.name == name)
    }

    /// The group of that number.
    pub fn by_id(gid: u32) -> Option<Self> {
        find("/etc/group", Self::parse, |group| group.gid == gid)
    }
}

/// The hash of `name` in /etc/shadow (shadow(5)), which only root may read.
pub fn shadow_hash(name: &[u8]) -> Option<Vec<u8>> {
    let hash = |line: &[u8]| {
        let mut fields = line.split(|&byte| byte == b':');
        Some((fields.next()?.to_vec(), fields.next()?.to_vec()))
    };
    find("/etc/shadow", hash, |(other, _)| other == name).map(|(_, hash)| hash)
}

/// The user's password hash, from wherever it is: empty lets in whoever gives the name.
pub fn password_hash(user: &User) -> Vec<u8> {
    match user.password.as_slice() {
        b"x" | b"*" => shadow_hash(&user.name).unwrap_or_else(|| user.password.clone()),
        hash => hash.to_vec(),
    }
}

/// True when `password` is right for `hash`, where there is one.
///
/// Where it is no hash of a known method, as for a user who is locked or does not exist, the time of another user's is
/// spent: how soon the answer comes says nothing about which names there are.
pub fn verify(password: &[u8], hash: Option<&[u8]>) -> bool {
    let made = hash.and_then(|hash| crypt::crypt(password, hash).map(|made| crypt::same(&made, hash)));
    made.unwrap_or_else(|| {
        let line = |line: &[u8]| line.split(|&byte| byte == b':').nth(1).map(<[u8]>::to_vec);
        let other = find("/etc/shadow", line, |hash| hash.starts_with(b"$"));
        crypt::crypt(password, other.as_deref().unwrap_or(b"$6$salt$"));
        false
    })
}

/// When an account or its password ends, in days since 1970 (shadow(5)). A field that is empty stands for never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// The day of the last change of the password; 0 asks for a change at the next login.
    pub changed: Option<u64>,
    /// For how many days a password is good.
    pub longest: Option<u64>,
    /// For how many days more a user may still log in.
    pub grace: Option<u64>,
    /// The day from which on the account is closed.
    pub closed: Option<u64>,
}

impl Expiry {
    /// Reads a line of shadow(5).
    fn parse(line: &[u8]) -> Option<(Vec<u8>, Self)> {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
        let day = |number: usize| fields.get(number).copied().and_then(parse_decimal);
        let name = fields.first().filter(|name| !name.is_empty())?.to_vec();
        Some((name, Self { changed: day(2), longest: day(4), grace: day(6), closed: day(7) }))
    }

    /// What /etc/shadow says of `name`; nothing ends where it says nothing.
    pub fn of(name: &[u8]) -> Self {
        find("/etc/shadow", Self::parse, |(other, _)| other == name).map(|(_, expiry)| expiry).unwrap_or_default()
    }

    /// Why nobody may log in on `today`; `None` when one may.
    pub fn refusal(&self, today: u64) -> Option<&'static str> {
        if self.closed.is_some_and(|day| today >= day) {
            return Some("Your account has expired");
        }
        let last_good = self.changed.zip(self.longest).and_then(|(changed, longest)| changed.checked_add(longest));
        let last = last_good.zip(self.grace).and_then(|(day, grace)| day.checked_add(grace));
        last.is_some_and(|day| today > day).then_some("Your password has expired")
    }
}

/// Makes the process the user's for good: supplementary groups, group, user (credentials(7)).
pub fn become_user(user: &User) -> Result<()> {
    become_ids(Some(user.uid), Some(user.gid), Some(&user.groups()))
}

/// Changes the supplementary groups, the group and the user, those that are given: real, effective and saved.
///
/// The user comes last, for afterwards there is no right to change groups.
pub fn become_ids(uid: Option<u32>, gid: Option<u32>, groups: Option<&[u32]>) -> Result<()> {
    use crate::sys::process::{Gid, Uid, getegid, geteuid};
    use crate::sys::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    if let Some(groups) = groups {
        let groups: Vec<Gid> = groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
        set_thread_groups(&groups).map_err(|errno| Error::on("can't set groups", errno))?;
    }
    if let Some(gid) = gid.map(Gid::from_raw) {
        set_thread_res_gid(gid, gid, gid).map_err(|errno| Error::on("can't set group", errno))?;
    }
    if let Some(uid) = uid.map(Uid::from_raw) {
        set_thread_res_uid(uid, uid, uid).map_err(|errno| Error::on("can't set user", errno))?;
    }
    // A program that goes on as somebody else would run with rights that it must not have.
    let is_done = uid.is_none_or(|uid| geteuid().as_raw() == uid) && gid.is_none_or(|gid| getegid().as_raw() == gid);
    if is_done { Ok(()) } else { Err(Error::new("can't set user and group")) }
}

fn id(field: &[u8]) -> Option<u32> {
    u32::try_from(parse_decimal(field)?).ok()
}

fn find<T>(path: &str, parse: fn(&[u8]) -> Option<T>, wanted: impl Fn(&T) -> bool) -> Option<T> {
    let mut found = None;
    each_line(path, &mut |line| {
        found = parse(line).filter(&wanted);
        found.is_some()
    });
    found
}

/// Calls `stop` for each line until it answers true. A file that is not there has no lines.
fn each_line(path: &str, stop: &mut impl FnMut(&[u8]) -> bool) {
    let Ok(mut input) = Input::open(path.as_bytes()) else { return };
    while let Ok(Some(line)) = input.line() {
        if stop(line) {
            return;
        }
    }
}

/// The number that a word for a user means: a name, or else decimal digits. The error is BusyBox's `unknown user NAME`.
pub fn user_id(word: &[u8]) -> Result<u32> {
    let number = User::by_name(word).map(|user| user.uid).or_else(|| id(word));
    number.ok_or_else(|| Error::parts(&[b"unknown user ", word]))
}

/// The number that a word for a group means. The error is BusyBox's `unknown group NAME`.
pub fn group_id(word: &[u8]) -> Result<u32> {
    let number = Group::by_name(word).map(|group| group.gid).or_else(|| id(word));
    number.ok_or_else(|| Error::parts(&[b"unknown group ", word]))
}

/// What `USER[:[GROUP]]` and `:GROUP` mean (chown(1)): a user's number, a group's number. `USER:` means the user's own group.
pub fn parse_owner(word: &[u8]) -> Result<(Option<u32>, Option<u32>)> {
    let separator = bytes::find_byte(b':', word).or_else(|| {
        // The old form `user.group`, unless the dot belongs to the user's name.
        bytes::find_byte(b'.', word).filter(|_| User::by_name(word).is_none())
    });
    let Some(at) = separator else { return Ok((Some(user_id(word)?), None)) };
    let (user, group) = (&word[..at], &word[at + 1..]);
    let uid = if user.is_empty() { None } else { Some(user_id(user)?) };
    let gid = match (group, uid) {
        (b"", None) => None,
        (b"", Some(uid)) => User::by_id(uid).map(|user| user.gid),
        _ => Some(group_id(group)?),
    };
    Ok((uid, gid))
}

/// NameCache of users or groups by number, each looked up once: for listings.
#[derive(Debug, Default)]
pub struct NameCache {
    known: Vec<(u32, Vec<u8>)>,
}

impl NameCache {
    /// The user's name, or the digits of a number that has none.
    pub fn user(&mut self, uid: u32) -> &[u8] {
        self.get(uid, |uid| User::by_id(uid).map(|user| user.name))
    }

    /// The group's name, or the digits of a number that has none.
    pub fn group(&mut self, gid: u32) -> &[u8] {
        self.get(gid, |gid| Group::by_id(gid).map(|group| group.name))
    }

    fn get(&mut self, id: u32, look_up: fn(u32) -> Option<Vec<u8>>) -> &[u8] {
        let at = self.known.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
            let name = look_up(id).unwrap_or_else(|| Decimal::new(id.into()).as_bytes().to_vec());
            self.known.push((id, name));
            self.known.len() - 1
        });
        &self.known[at].1
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    for line in data.split(|&byte| byte == b'\n') {
        // Only a panic counts.
        let _ = (User::parse(line), Group::parse(line), parse_owner(line));
        if let Some((_, expiry)) = Expiry::parse(line) {
            expiry.refusal(20_000);
        }
    }
    crate::accounts::fuzz(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_passwd_and_group_are_taken_apart() {
        let user = User::parse(b"root:x:0:7:Root:/root:/bin/sh").expect("a whole line");
        assert_eq!((user.uid, user.gid, user.shell.as_slice()), (0, 7, &b"/bin/sh"[..]));
        let group = Group::parse(b"disk:x:6:root,adm").expect("a whole line");
        assert_eq!((group.gid, group.members.len()), (6, 2));
    }

    #[test]
    fn lines_of_another_form_are_no_users() {
        for line in [&b""[..], b"root:x:0", b":x:0:0:::", b"a:x:-1:0:::", b"a:x:4294967296:0:::"] {
            assert_eq!(User::parse(line), None);
        }
    }

    #[test]
    fn accounts_end() {
        let expiry = |line: &[u8]| Expiry::parse(line).expect("a name").1;
        let never = expiry(b"root::20000:0:99999:7:::");
        assert_eq!((never.refusal(20_001), never.refusal(400_000)), (None, None));
        let closed = expiry(b"a:x:20000:0:99999:7::20010:");
        assert_eq!((closed.refusal(20_009), closed.refusal(20_010)), (None, Some("Your account has expired")));
        let stale = expiry(b"a:x:20000:0:30:7:5::");
        assert_eq!((stale.refusal(20_035), stale.refusal(20_036)), (None, Some("Your password has expired")));
    }

    #[test]
    fn any_line_is_read_without_a_panic() {
        let mut random = crate::testing::Random::new(2);
        for _ in 0..20_000 {
            User::parse(&random.spoil(b"root:x:0:0:root:/root:/bin/sh"));
            Group::parse(&random.spoil(b"disk:x:6:root,adm"));
            if let Some((_, expiry)) = Expiry::parse(&random.spoil(b"root::20000:0:99999:7:18446744073709551615::")) {
                expiry.refusal(20_000);
            }
        }
    }

    #[test]
    fn owners_are_numbers_or_names() {
        assert_eq!(parse_owner(b"12:34").ok(), Some((Some(12), Some(34))));
        assert_eq!(parse_owner(b":34").ok(), Some((None, Some(34))));
        assert_eq!(parse_owner(b"root").ok(), Some((Some(0), None)));
    }
}
