//! `id`: print user and group identities (POSIX XCU id).

use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::users::{NameCache, User};

options! {
    "[-ugGnrz] [USER]

Print user and group IDs of USER, or of this process.

  -u, --user    Print only the UID
  -g, --group   Print only the GID
  -G, --groups  Print only all GIDs
  -n, --name    Print names, not IDs
  -r, --real    Print real, not effective IDs
  -z, --zero    End output with NUL, not newline";
    USER = "-u",
    GROUP = "-g",
    GROUPS = "-G",
    NAME = "-n",
    REAL = "-r",
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// Who is asked about.
struct Identity {
    uid: u32,
    gid: u32,
    effective_uid: u32,
    effective_gid: u32,
    groups: Vec<u32>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let who = match args.operands_between(0, 1)? {
        [] => of_process()?,
        operands => of_user(operands[0])?,
    };
    if [USER, GROUP, GROUPS].iter().filter(|&&option| args.has(option)).count() > 1 {
        return Err(Error::usage());
    }
    let mut users = NameCache::default();
    let mut groups = NameCache::default();
    let mut text = match args.last_of(&[USER, GROUP, GROUPS]) {
        None if args.has(NAME) || args.has(REAL) => {
            return Err(Error::new("cannot print only names or real IDs in default format"));
        }
        None => full(&who, &mut users, &mut groups),
        Some(GROUPS) => {
            let shown: Vec<Vec<u8>> =
                who.groups.iter().map(|gid| show(*gid, args, |gid| groups.group(gid).to_vec())).collect();
            shown.join(if args.has(ZERO) { &b"\0"[..] } else { b" " })
        }
        Some(USER) => {
            show(if args.has(REAL) { who.uid } else { who.effective_uid }, args, |uid| users.user(uid).to_vec())
        }
        Some(_) => {
            show(if args.has(REAL) { who.gid } else { who.effective_gid }, args, |gid| groups.group(gid).to_vec())
        }
    };
    text.push(if args.has(ZERO) { 0 } else { b'\n' });
    env.stdout.write(&text)?;
    Ok(ExitStatus::SUCCESS)
}

fn of_process() -> Result<Identity> {
    let gid = process::getegid().as_raw();
    let mut groups = vec![gid];
    for group in process::getgroups().map_err(|errno| Error::on("getgroups", errno))? {
        if !groups.contains(&group.as_raw()) {
            groups.push(group.as_raw());
        }
    }
    Ok(Identity {
        uid: process::getuid().as_raw(),
        gid: process::getgid().as_raw(),
        effective_uid: process::geteuid().as_raw(),
        effective_gid: gid,
        groups,
    })
}

fn of_user(name: &[u8]) -> Result<Identity> {
    let user = User::by_name(name).ok_or_else(|| Error::parts(&[b"unknown user ", name]))?;
    let (uid, gid, groups) = (user.uid, user.gid, user.groups());
    Ok(Identity { uid, gid, effective_uid: uid, effective_gid: gid, groups })
}

fn show(id: u32, args: &Args<'_>, name: impl FnOnce(u32) -> Vec<u8>) -> Vec<u8> {
    if args.has(NAME) { name(id) } else { Decimal::new(id.into()).as_bytes().to_vec() }
}

/// `uid=0(root) gid=0(root) groups=0(root),1(daemon)`; the effective ones only where they differ.
fn full(who: &Identity, users: &mut NameCache, groups: &mut NameCache) -> Vec<u8> {
    let mut text = Vec::new();
    let mut add = |lead: &str, id: u32, name: &[u8]| {
        text.extend_from_slice(lead.as_bytes());
        text.extend_from_slice(Decimal::new(id.into()).as_bytes());
        if name.first().is_some_and(|byte| !byte.is_ascii_digit()) {
            text.extend_from_slice(&[b"(", name, b")"].concat());
        }
    };
    add("uid=", who.uid, users.user(who.uid));
    add(" gid=", who.gid, groups.group(who.gid));
    if who.effective_uid != who.uid {
        add(" euid=", who.effective_uid, users.user(who.effective_uid));
    }
    if who.effective_gid != who.gid {
        add(" egid=", who.effective_gid, groups.group(who.effective_gid));
    }
    for (index, gid) in who.groups.iter().enumerate() {
        add(if index == 0 { " groups=" } else { "," }, *gid, groups.group(*gid));
    }
    text
}
