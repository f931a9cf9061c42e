//! What a daemon keeps once it has opened what it needs: capabilities (`capabilities(7)`), paths (`landlock(7)`), system
//! calls (`seccomp(2)`). The table is the whole policy; docs/security.md explains its rows.
//!
//! A row without `PROGRAMS` is final: no_new_privs is set, nothing is executed any more, and neither files nor the kernel
//! can be changed beyond the row. A daemon that runs programs drops only its own capabilities: what it executes as root has
//! all of them again (`capabilities(7)`, "Capabilities and execution of programs by root"), as a script of an
//! administrator must.

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

use super::fs::{FileType, Mode, OFlags, fstat, open};
use super::{AsRawFd, Errno, OwnedFd, last_errno, result};

/// What one daemon keeps.
#[derive(Clone, Copy)]
pub struct Keep {
    capabilities: CapabilitySet,
    flags: u8,
    reads: &'static str,
    writes: &'static str,
}

/// It runs programs, which get what they are allowed without this daemon.
pub const PROGRAMS: u8 = 1;
/// It makes connections by TCP.
pub const CONNECTS: u8 = 2;

macro_rules! table {
    ($($name:ident = [$($capability:ident)*] [$($flag:ident)*] $reads:literal $writes:literal;)*) => {
        $(
            #[doc = concat!("The row of ", stringify!($name), ".")]
            pub const $name: Keep = Keep {
                capabilities: CapabilitySet::empty()$(.union(CapabilitySet::$capability))*,
                flags: 0 $(| $flag)*,
                reads: $reads,
                writes: $writes,
            };
        )*
    };
}

// Paths are separated by blanks; `enter` adds those that a command line or a configuration names. Each is a file, or a
// directory with all that is below it. One that is missing is left out.
table! {
    // daemon   capabilities                        flags       reads                                   writes
    KLOGD     = [SYSLOG]                            []          ""                                      "";
    SYSLOGD   = [DAC_OVERRIDE]                      []          "/etc/localtime /usr/share/zoneinfo"    "/var/run";
    SYSLOGD_R = [DAC_OVERRIDE]                      [CONNECTS]  "/etc /run /usr/share/zoneinfo"         "/var/run";
    UDHCPC    = [NET_ADMIN NET_RAW NET_BIND_SERVICE] [PROGRAMS] ""                                      "";
    UDHCPD    = [NET_RAW]                           []          ""                                      "";
    UDHCPD_S  = [NET_RAW]                           [PROGRAMS]  ""                                      "";
    DHCPRELAY = []                                  []          ""                                      "";
    NTPD      = [SYS_TIME]                          [CONNECTS]  "/etc /run"                             "";
    NTPD_S    = [SYS_TIME]                          [PROGRAMS]  ""                                      "";
    ZCIP      = [NET_RAW]                           [PROGRAMS]  ""                                      "";
    IFPLUGD   = [NET_ADMIN]                         [PROGRAMS]  ""                                      "";
    CROND     = [DAC_READ_SEARCH SETUID SETGID]     [PROGRAMS]  ""                                      "";
    INETD     = [NET_BIND_SERVICE SETUID SETGID]    [PROGRAMS]  ""                                      "";
    HTTPD     = [DAC_READ_SEARCH]                   [CONNECTS]  "/"                                     "";
    HTTPD_CGI = [DAC_READ_SEARCH]                   [PROGRAMS]  ""                                      "";
    DNSD      = []                                  []          ""                                      "";
    TFTPD     = [DAC_OVERRIDE]                      []          ""                                      ".";
    TELNETD   = []                                  []          ""                                      "/var/run/utmp /var/log/wtmp";
    WATCHDOG  = []                                  []          ""                                      "";
}

/// Gives up, for good, what `keep` does not list. `writes` are more paths that stay writable; without a right to
/// something it is not gained.
///
/// A kernel without Landlock or seccomp is no error: then the rest is given up.
pub fn enter(keep: Keep, writes: &[&[u8]]) -> Result<(), Errno> {
    let has = capabilities(None)?;
    let runs_programs = keep.flags & PROGRAMS != 0;
    if !runs_programs {
        set_no_new_privs(true)?;
        restrict_paths(keep, writes)?;
        if has.effective.contains(CapabilitySet::SETPCAP) {
            for capability in CapabilitySet::all().difference(keep.capabilities) {
                match remove_capability_from_bounding_set(capability) {
                    // A capability that this kernel does not know yet.
                    Ok(()) | Err(Errno::INVAL) => {}
                    Err(errno) => return Err(errno),
                }
            }
        }
    }
    let kept = has.permitted.intersection(keep.capabilities);
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() })?;
    if runs_programs { Ok(()) } else { forbid_calls() }
}

/// `struct landlock_ruleset_attr`.
#[repr(C)]
#[derive(Default)]
struct Ruleset {
    files: u64,
    network: u64,
    scope: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct Beneath {
    rights: u64,
    file: libc::c_int,
}

/// LANDLOCK_ACCESS_FS_: what a rule can allow.
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_REG: u64 = 1 << 8;
const TRUNCATE: u64 = 1 << 14;

const READS: u64 = READ_FILE | READ_DIR;
const WRITES: u64 = READS | WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE;
/// The rights that a rule for a file, not a directory, may have.
const OF_FILES: u64 = READ_FILE | WRITE_FILE | TRUNCATE;
/// TCP: bind and connect. The scopes: abstract sockets and signals of processes outside.
const NETWORK: u64 = 3;
const SCOPE: u64 = 3;

/// A system call with four words, where libc has no function.
fn call(number: libc::c_long, words: [usize; 4]) -> Result<libc::c_long, Errno> {
    // SAFETY: the callers pass numbers, or pointers to structures that live during the call and have the size that the
    // kernel reads.
    let answer = unsafe { libc::syscall(number, words[0], words[1], words[2], words[3]) };
    if answer < 0 { Err(last_errno()) } else { Ok(answer) }
}

/// `landlock(7)`: what is not named here can be neither opened nor changed.
fn restrict_paths(keep: Keep, writes: &[&[u8]]) -> Result<(), Errno> {
    // LANDLOCK_CREATE_RULESET_VERSION. A kernel without it, or a container that forbids the call.
    let Ok(version) = call(libc::SYS_landlock_create_ruleset, [0, 0, 1, 0]) else { return Ok(()) };
    let files = match version {
        1 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    let handled = (1u64 << files) - 1;
    let has_network = version >= 4 && keep.flags & CONNECTS == 0;
    let ruleset = Ruleset {
        files: handled,
        network: if has_network { NETWORK } else { 0 },
        scope: if version >= 6 { SCOPE } else { 0 },
    };
    let address = &raw const ruleset as usize;
    let rules = call(libc::SYS_landlock_create_ruleset, [address, size_of::<Ruleset>(), 0, 0])?;
    // SAFETY: the kernel returned a new descriptor, which nobody else has.
    let rules = unsafe { <OwnedFd as super::FromRawFd>::from_raw_fd(rules as libc::c_int) };
    let words = |paths: &'static str| paths.as_bytes().split(|&byte| byte == b' ');
    let allowed = words(keep.reads).map(|path| (path, READS));
    let allowed = allowed.chain(words(keep.writes).chain(writes.iter().copied()).map(|path| (path, WRITES)));
    for (path, rights) in allowed {
        let Ok(file) = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else { continue };
        let is_directory = FileType::from_raw_mode(fstat(&file)?.st_mode) == FileType::Directory;
        let rights = rights & handled & if is_directory { u64::MAX } else { OF_FILES };
        let beneath = Beneath { rights, file: file.as_raw_fd() };
        // LANDLOCK_RULE_PATH_BENEATH
        call(libc::SYS_landlock_add_rule, [rules.as_raw_fd() as usize, 1, &raw const beneath as usize, 0])?;
    }
    call(libc::SYS_landlock_restrict_self, [rules.as_raw_fd() as usize, 0, 0, 0]).map(drop)
}

/// AUDIT_ARCH of linux/audit.h: calls by another convention, as those of 32-bit programs, would have other numbers.
const ARCHITECTURE: Option<u32> = if cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
    Some(0xc000_003e)
} else if cfg!(target_arch = "x86") {
    Some(0x4000_0003)
} else if cfg!(all(target_arch = "aarch64", target_endian = "little")) {
    Some(0xc000_00b7)
} else if cfg!(all(target_arch = "arm", target_endian = "little")) {
    Some(0x4000_0028)
} else if cfg!(target_arch = "riscv64") {
    Some(0xc000_00f3)
} else if cfg!(all(target_arch = "powerpc64", target_endian = "little")) {
    Some(0xc000_0015)
} else {
    None
};

/// What no daemon without programs needs.
static FORBIDDEN: [u16; 43] = [
    // Other programs, and other processes.
    libc::SYS_execve as u16,
    libc::SYS_execveat as u16,
    libc::SYS_ptrace as u16,
    libc::SYS_process_vm_readv as u16,
    libc::SYS_process_vm_writev as u16,
    libc::SYS_pidfd_getfd as u16,
    libc::SYS_kcmp as u16,
    // Namespaces and mounts.
    libc::SYS_unshare as u16,
    libc::SYS_setns as u16,
    libc::SYS_chroot as u16,
    libc::SYS_pivot_root as u16,
    libc::SYS_mount as u16,
    libc::SYS_umount2 as u16,
    libc::SYS_open_tree as u16,
    libc::SYS_move_mount as u16,
    libc::SYS_mount_setattr as u16,
    libc::SYS_fsopen as u16,
    libc::SYS_fsconfig as u16,
    libc::SYS_fsmount as u16,
    libc::SYS_fspick as u16,
    libc::SYS_open_by_handle_at as u16,
    libc::SYS_swapon as u16,
    libc::SYS_swapoff as u16,
    libc::SYS_quotactl as u16,
    libc::SYS_acct as u16,
    // The kernel and the machine.
    libc::SYS_init_module as u16,
    libc::SYS_finit_module as u16,
    libc::SYS_delete_module as u16,
    libc::SYS_kexec_load as u16,
    libc::SYS_reboot as u16,
    libc::SYS_sethostname as u16,
    libc::SYS_setdomainname as u16,
    // Large parts of the kernel where most faults were.
    libc::SYS_bpf as u16,
    libc::SYS_perf_event_open as u16,
    libc::SYS_userfaultfd as u16,
    libc::SYS_io_uring_setup as u16,
    libc::SYS_io_uring_enter as u16,
    libc::SYS_io_uring_register as u16,
    libc::SYS_add_key as u16,
    libc::SYS_request_key as u16,
    libc::SYS_keyctl as u16,
    libc::SYS_personality as u16,
    libc::SYS_fanotify_init as u16,
];

/// Calls from here on are those of x32 on x86-64.
const X32: u32 = 0x4000_0000;

/// `seccomp(2)`: these calls fail with EPERM, as do those by another convention.
fn forbid_calls() -> Result<(), Errno> {
    let Some(architecture) = ARCHITECTURE else { return Ok(()) };
    let last = FORBIDDEN.len() + 5;
    let mut program = Vec::with_capacity(last + 1);
    let mut push = |code: u32, k, jt: usize, jf: usize| {
        program.push(libc::sock_filter { code: code as u16, jt: jt as u8, jf: jf as u8, k });
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let is_equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    // struct seccomp_data: the number at offset 0, the convention at 4. A jump to `last` refuses.
    push(load, 4, 0, 0);
    push(is_equal, architecture, 0, last - 2);
    push(load, 0, 0, 0);
    push(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, X32, last - 4, 0);
    for (at, &number) in FORBIDDEN.iter().enumerate() {
        push(is_equal, number.into(), last - (at + 4) - 1, 0);
    }
    push(answer, libc::SECCOMP_RET_ALLOW, 0, 0);
    push(answer, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32, 0, 0);
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the filter and its program live during the call, which copies them.
    let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) };
    match result(set) {
        // A kernel without filters.
        Err(Errno::INVAL | Errno::NOSYS) => Ok(()),
        set => set,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a child: a sandbox is for the life of a process.
    fn in_child(check: impl FnOnce() -> bool) {
        let pid = super::super::process::fork_run(|| u8::from(!check())).expect("a child");
        let change = super::super::process::wait_for(pid).expect("its end");
        assert_eq!(change.status(), 0);
    }

    #[test]
    fn a_final_row_leaves_only_its_paths() {
        let has_landlock = call(libc::SYS_landlock_create_ruleset, [0, 0, 1, 0]).is_ok();
        let reads = |path: &str| open(path, OFlags::RDONLY, Mode::empty());
        in_child(|| {
            enter(Keep { reads: "/proc /none", ..DNSD }, &[]).is_ok()
                && reads("/proc/self/status").is_ok()
                && (!has_landlock || reads("/etc/passwd").is_err_and(|errno| errno == Errno::ACCESS))
        });
    }

    #[test]
    fn forbidden_calls_fail_and_others_do_not() {
        in_child(|| {
            enter(DNSD, &[]).is_ok()
                && FORBIDDEN.iter().all(|&number| call(number.into(), [0; 4]) == Err(Errno::PERM))
                && super::super::process::fork_run(|| 0).is_ok()
        });
    }

    #[test]
    fn programs_can_be_executed_by_who_runs_them() {
        in_child(|| {
            enter(UDHCPC, &[]).is_ok()
                && capabilities(None).is_ok_and(|has| has.effective.difference(UDHCPC.capabilities).is_empty())
        });
    }
}
