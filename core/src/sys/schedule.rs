//! Who runs when, and where: scheduling policies, input and output priorities, execution domains.

use super::{Errno, last_errno};

// sched(7); libc has a name for some of them.
/// SCHED_OTHER: the ordinary policy.
pub const OTHER: i32 = 0;
/// SCHED_RESET_ON_FORK: children get the ordinary policy.
pub const RESET_ON_FORK: i32 = 0x4000_0000;

fn result(answer: libc::c_long) -> Result<i32, Errno> {
    if answer < 0 { Err(last_errno()) } else { Ok(answer as i32) }
}

/// The policy of a process, 0 for the own one: `sched_getscheduler(2)`, of which musl has only an empty form.
pub fn policy(pid: i32) -> Result<i32, Errno> {
    // SAFETY: the call takes a number.
    result(unsafe { libc::syscall(libc::SYS_sched_getscheduler, pid) })
}

/// The static priority of a process, 0-99: `sched_getparam(2)`.
pub fn priority(pid: i32) -> Result<i32, Errno> {
    let mut priority = 0i32;
    // SAFETY: the kernel writes one sched_param, which is an int and lives for the call.
    result(unsafe { libc::syscall(libc::SYS_sched_getparam, pid, &raw mut priority) })?;
    Ok(priority)
}

/// Sets policy and static priority: `sched_setscheduler(2)`.
pub fn set_policy(pid: i32, policy: i32, priority: i32) -> Result<(), Errno> {
    // SAFETY: the kernel reads one sched_param, which is an int and lives for the call.
    result(unsafe { libc::syscall(libc::SYS_sched_setscheduler, pid, policy, &raw const priority) }).map(drop)
}

/// The lowest and the highest priority of a policy: `sched_get_priority_min(2)`.
pub fn priority_range(policy: i32) -> Result<(i32, i32), Errno> {
    // SAFETY: both calls take a number.
    let (low, high) = unsafe {
        (
            libc::syscall(libc::SYS_sched_get_priority_min, policy),
            libc::syscall(libc::SYS_sched_get_priority_max, policy),
        )
    };
    Ok((result(low)?, result(high)?))
}

/// Whose input and output priority is meant: `ioprio_set(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A process, or thread.
    Process = 1,
    /// A process group.
    Group = 2,
    /// A user.
    User = 3,
}

/// The input and output priority: the class in the bits from 13 on, below it the priority. `ioprio_get(2)`.
pub fn io_priority(whose: Whose, id: i32) -> Result<i32, Errno> {
    // SAFETY: the call takes numbers.
    result(unsafe { libc::syscall(libc::SYS_ioprio_get, whose as i32, id) })
}

/// Sets it: `ioprio_set(2)`.
pub fn set_io_priority(whose: Whose, id: i32, value: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers.
    result(unsafe { libc::syscall(libc::SYS_ioprio_set, whose as i32, id, value) }).map(drop)
}

/// Sets the execution domain, and says what it was: `personality(2)`.
pub fn personality(domain: u64) -> Result<u64, Errno> {
    // SAFETY: the call takes a number.
    let old = unsafe { libc::syscall(libc::SYS_personality, domain as libc::c_ulong) };
    if old < 0 { Err(last_errno()) } else { Ok(old as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_process_has_a_policy() {
        assert_eq!(policy(0).map(|policy| policy & !RESET_ON_FORK), Ok(OTHER));
        assert_eq!((priority(0), priority_range(1)), (Ok(0), Ok((1, 99))));
        assert_eq!(priority_range(77), Err(Errno::INVAL));
    }
}
