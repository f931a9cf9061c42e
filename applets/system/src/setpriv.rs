//! `setpriv`: run a program with other privileges (capabilities(7), credentials(7)).

use rbox_core::call;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::process;
use rbox_core::sys::thread::{
    CapabilitySet, capabilities, capability_is_in_ambient_set, capability_is_in_bounding_set,
    configure_capability_in_ambient_set, no_new_privs, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};
use rbox_core::text;
use rbox_core::users::{User, become_ids, group_id, user_id};

options! {
    "[OPTION]... PROG [ARG]... | setpriv -d

Run PROG with other privileges. CAPS is +NAME or -NAME,...; all is every capability.

  -d, --dump             Print the privileges
      --nnp, --no-new-privs  Set no_new_privs
      --inh-caps=CAPS    Set inheritable capabilities
      --ambient-caps=CAPS  Set ambient capabilities
      --bounding-set=CAPS  Set the bounding set
      --reuid=USER       Set real and effective UID
      --regid=GROUP      Set real and effective GID
      --clear-groups     Clear supplementary groups
      --keep-groups      Keep supplementary groups
      --init-groups      Set the supplementary groups of the user
      --groups=GROUP[,GROUP]...  Set these supplementary groups";
    DUMP = "-d",
    NO_NEW = "--nnp",
    INHERITABLE = "--inh-caps",
    AMBIENT = "--ambient-caps",
    BOUNDING = "--bounding-set",
    UID = "--reuid",
    GID = "--regid",
    CLEAR = "--clear-groups",
    KEEP = "--keep-groups",
    INIT = "--init-groups",
    GROUPS = "--groups",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// linux/capability.h. Later ones are called by their numbers, as `cap_38`.
/// capabilities(7).
pub const CAPABILITIES: Names = names! {
    "chown" = 0, "dac_override" = 1, "dac_read_search" = 2, "fowner" = 3, "fsetid" = 4, "kill" = 5, "setgid" = 6,
    "setuid" = 7, "setpcap" = 8, "linux_immutable" = 9, "net_bind_service" = 10, "net_broadcast" = 11,
    "net_admin" = 12, "net_raw" = 13, "ipc_lock" = 14, "ipc_owner" = 15, "sys_module" = 16, "sys_rawio" = 17,
    "sys_chroot" = 18, "sys_ptrace" = 19, "sys_pacct" = 20, "sys_admin" = 21, "sys_boot" = 22, "sys_nice" = 23,
    "sys_resource" = 24, "sys_time" = 25, "sys_tty_config" = 26, "mknod" = 27, "lease" = 28, "audit_write" = 29,
    "audit_control" = 30, "setfcap" = 31, "mac_override" = 32, "mac_admin" = 33, "syslog" = 34, "wake_alarm" = 35,
    "block_suspend" = 36, "audit_read" = 37, "perfmon" = 38, "bpf" = 39, "checkpoint_restore" = 40,
};

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(DUMP) {
        if args.found().len() > 1 || !args.operands().is_empty() {
            return Err(Error::usage());
        }
        return dump(env);
    }
    let operands = args.operands_between(1, usize::MAX)?;
    if args.has(NO_NEW) {
        set_no_new_privs(true).map_err(|errno| Error::on("prctl: NO_NEW_PRIVS", errno))?;
    }
    if let Some(words) = args.value(BOUNDING) {
        for (capability, wanted) in changes(words)? {
            if wanted {
                if !capability_is_in_bounding_set(one(capability)).unwrap_or(false) {
                    return Err(Error::new("cannot add to the bounding set"));
                }
                continue;
            }
            remove_capability_from_bounding_set(one(capability))
                .map_err(|errno| Error::on("prctl: CAPBSET_DROP", errno))?;
        }
    }
    if let Some(words) = args.value(INHERITABLE) {
        let failed = |errno| Error::on("apply capabilities", errno);
        let mut sets = capabilities(None).map_err(failed)?;
        for (capability, wanted) in changes(words)? {
            sets.inheritable.set(one(capability), wanted);
        }
        set_capabilities(None, sets).map_err(failed)?;
    }
    if let Some(words) = args.value(AMBIENT) {
        for (capability, wanted) in changes(words)? {
            let name = if wanted { "cap_ambient_raise" } else { "cap_ambient_lower" };
            configure_capability_in_ambient_set(one(capability), wanted).map_err(|errno| Error::on(name, errno))?;
        }
    }
    become_other(args)?;
    Ok(call::replace(env, operands))
}

/// Groups first, the user last: afterwards there is no right to change groups.
fn become_other(args: &Args<'_>) -> Result<()> {
    let user = args.value(UID).map(user_id).transpose()?;
    let group = args.value(GID).map(group_id).transpose()?;
    let groups = match args.last_of(&[CLEAR, KEEP, INIT, GROUPS]) {
        None if group.is_some() => {
            return Err(Error::new("--regid requires --keep-groups, --clear-groups, --init-groups, or --groups"));
        }
        None | Some(KEEP) => None,
        Some(CLEAR) => Some(Vec::new()),
        Some(INIT) => {
            let user = user.and_then(User::by_id).ok_or_else(|| Error::new("--init-groups requires --reuid"))?;
            Some(user.groups())
        }
        Some(_) => {
            let words = args.value(GROUPS).unwrap_or_default().split(|&byte| byte == b',');
            Some(words.map(group_id).collect::<Result<Vec<u32>>>()?)
        }
    };
    become_ids(user, group, groups.as_deref())
}

fn one(capability: u64) -> CapabilitySet {
    CapabilitySet::from_bits_retain(1 << capability)
}

/// The number after the last capability that the kernel has.
fn count() -> u64 {
    (0..63).take_while(|capability| capability_is_in_bounding_set(one(*capability)).is_ok()).count() as u64
}

/// Capabilities to take or give up, in their order.
fn changes(words: &[u8]) -> Result<Vec<(u64, bool)>> {
    let mut changes = Vec::new();
    for word in words.split(|&byte| byte == b',') {
        let (wanted, name) = match word {
            [b'+', name @ ..] => (true, name),
            [b'-', name @ ..] => (false, name),
            _ => return Err(Error::new(text!("invalid capability '", word, "'"))),
        };
        if name == b"all" {
            changes.extend((0..count()).map(|capability| (capability, wanted)));
            continue;
        }
        let number = match (CAPABILITIES.number_of(name), name.strip_prefix(b"cap_")) {
            (Some(number), _) => Some(number),
            (None, Some(digits)) => parse_in_range(digits, 0, 62).ok(),
            (None, None) => None,
        };
        changes.push((number.ok_or_else(|| Error::new(text!("unknown capability '", name, "'")))?, wanted));
    }
    Ok(changes)
}

fn dump(env: &mut Env) -> Outcome {
    let mut out = Vec::new();
    push!(out, "uid: ", process::getuid().as_raw(), "\neuid: ", process::geteuid().as_raw());
    push!(
        out,
        "\ngid: ",
        process::getgid().as_raw(),
        "\negid: ",
        process::getegid().as_raw(),
        "\nSupplementary groups: "
    );
    let groups = process::getgroups().map_err(|errno| Error::on("getgroups", errno))?;
    list(&mut out, groups.iter().map(|gid| text!(gid.as_raw())));
    push!(out, "no_new_privs: ", u32::from(no_new_privs().unwrap_or(false)), "\nInheritable capabilities: ");
    let sets = capabilities(None).map_err(|errno| Error::on("capget", errno))?;
    let all = count();
    list(&mut out, (0..all).filter(|number| sets.inheritable.contains(one(*number))).map(name));
    push!(out, "Ambient capabilities: ");
    list(&mut out, (0..all).filter(|number| capability_is_in_ambient_set(one(*number)).unwrap_or(false)).map(name));
    push!(out, "Capability bounding set: ");
    list(&mut out, (0..all).filter(|number| capability_is_in_bounding_set(one(*number)).unwrap_or(false)).map(name));
    env.stdout.write(&out)?;
    Ok(ExitStatus::SUCCESS)
}

fn name(number: u64) -> Vec<u8> {
    match CAPABILITIES.name_of(number) {
        Some(name) => name.as_bytes().to_vec(),
        None => text!("cap_", number),
    }
}

fn list(out: &mut Vec<u8>, words: impl Iterator<Item = Vec<u8>>) {
    let words: Vec<Vec<u8>> = words.collect();
    if words.is_empty() {
        out.extend_from_slice(b"[none]");
    }
    out.extend_from_slice(&words.join(&b','));
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_signs_and_names() {
        assert_eq!(changes(b"+chown,-kill,+cap_38").ok(), Some(vec![(0, true), (5, false), (38, true)]));
        assert_eq!(changes(b"chown").unwrap_err().message(), b"invalid capability 'chown'");
        assert_eq!(changes(b"+cap_63").unwrap_err().message(), b"unknown capability 'cap_63'");
        assert_eq!((name(38), name(50)), (b"perfmon".to_vec(), b"cap_50".to_vec()));
    }
}
