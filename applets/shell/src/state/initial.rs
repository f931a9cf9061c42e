//! The variables that a shell sets at its start, and those of bash mode.

use crate::state::Shell;
use crate::state::array::Array;
use crate::state::slot::Special;
use crate::state::variables::now;
use crate::syntax::copied::Copied;
use rbox_core::sys::process;
use rbox_core::text;

/// The variables that the shell computes.
const COMPUTED: [Special; 15] = [
    Special::LastWord,
    Special::OwnPid,
    Special::Command,
    Special::CallLines,
    Special::Source,
    Special::Depth,
    Special::Directories,
    Special::EpochExact,
    Special::Epoch,
    Special::FunctionName,
    Special::PipeStatus,
    Special::Seconds,
    Special::GlobIgnore,
    Special::ShellOptions,
    Special::BashOptions,
];

/// Their names, in the same order.
const COMPUTED_NAMES: &[u8] = b"_ BASHPID BASH_COMMAND BASH_LINENO BASH_SOURCE BASH_SUBSHELL DIRSTACK EPOCHREALTIME \
    EPOCHSECONDS FUNCNAME PIPESTATUS SECONDS GLOBIGNORE SHELLOPTS BASHOPTS";

/// BASH_VERSINFO, which scripts test: the shell has the features of bash 5.1 except programmable completion.
const VERSION: &[u8] = b"5 1 0 1 rbox x86_64-pc-linux-gnu";

/// Sets the variables that every shell has at its start.
pub fn set_fixed_variables(shell: &mut Shell) {
    // XCU 2.5.3: IFS is set at the start, whatever the environment says.
    let parent = text!(i64::from(process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get())));
    let fixed: [(&[u8], &[u8], Special); 8] = [
        (b"IFS", b" \t\n", Special::Ifs),
        (b"OPTIND", b"1", Special::OptionIndex),
        (b"PPID", &parent, Special::None),
        (b"LINENO", b"", Special::Line),
        (b"RANDOM", b"", Special::Random),
        (b"PS2", b"> ", Special::None),
        (b"PS4", b"+ ", Special::None),
        (b"PATH", b"", Special::Path),
    ];
    for name in crate::state::variables::LOCALE.split(' ').map(str::as_bytes) {
        let name = shell.intern(name);
        shell.slot(name).special = Special::Locale;
    }
    shell.note_locale();
    // BusyBox has these too; a value from the environment stays.
    let computed: [(&[u8], Special); 4] = [
        (b"FUNCNAME", Special::CurrentFunction),
        (b"HOSTNAME", Special::HostName),
        (b"EPOCHSECONDS", Special::Epoch),
        (b"EPOCHREALTIME", Special::EpochExact),
    ];
    for (name, special) in computed {
        let name = shell.intern(name);
        let slot = shell.slot(name);
        if !slot.set {
            slot.special = special;
            slot.set = matches!(special, Special::CurrentFunction | Special::HostName);
        }
    }
    for (name, value, special) in fixed {
        let given = shell.get(name).is_some() && !matches!(special, Special::Ifs | Special::OptionIndex);
        let name = shell.intern(name);
        let slot = shell.slot(name);
        slot.special = special;
        if special == Special::Path {
            if !given {
                slot.value = rbox_core::env::DEFAULT_PATH.copied();
                slot.set = true;
            }
        } else if !given || special != Special::None {
            slot.value = value.copied();
            slot.set = true;
            slot.export = false;
        }
    }
}

/// Sets the variables of bash mode.
pub fn begin_bash(shell: &mut Shell) {
    shell.computed.began = now();
    shell.options.checkwinsize = true;
    for (name, special) in COMPUTED_NAMES.split(|&byte| byte == b' ').zip(COMPUTED) {
        let name = shell.intern(name);
        let slot = shell.slot(name);
        slot.special = special;
        slot.readonly = matches!(special, Special::ShellOptions | Special::BashOptions);
        if special == Special::GlobIgnore && slot.set {
            shell.changed(name);
        }
    }
    let uid = text!(process::getuid().as_raw());
    let euid = text!(process::geteuid().as_raw());
    let system = rbox_core::sys::system::uname();
    let machine = system.machine().to_bytes().copied();
    let fixed: [(&[u8], &[u8]); 8] = [
        (b"BASH_VERSION", b"5.1.0(1)-rbox"),
        (b"BASH", b"/bin/bash"),
        (b"UID", &uid),
        (b"EUID", &euid),
        (b"HOSTNAME", system.nodename().to_bytes()),
        (b"OSTYPE", b"linux-gnu"),
        (b"HOSTTYPE", &machine),
        (b"MACHTYPE", &[&machine[..], b"-pc-linux-gnu"].concat()),
    ];
    for (name, value) in fixed {
        let name = shell.intern(name);
        let slot = shell.slot(name);
        slot.value = value.copied();
        slot.set = true;
    }
    if shell.get(b"SHELL").is_none() {
        let name = shell.intern(b"SHELL");
        let user = rbox_core::users::User::by_id(process::getuid().as_raw());
        let login = user.map_or_else(|| b"/bin/sh".copied(), |user| user.shell);
        let slot = shell.slot(name);
        slot.value = login;
        slot.set = true;
    }
    let mut groups = Box::new(Array::default());
    let own = process::getegid();
    let others = process::getgroups().unwrap_or_default();
    for group in std::iter::once(own).chain(others.into_iter().filter(|group| *group != own)) {
        groups.push(text!(group.as_raw()));
    }
    let name = shell.intern(b"GROUPS");
    shell.put_array(name, groups);
    let mut version = Box::new(Array::default());
    VERSION.split(|&byte| byte == b' ').for_each(|part| version.push(part.copied()));
    let name = shell.intern(b"BASH_VERSINFO");
    shell.put_array(name, version);
}
