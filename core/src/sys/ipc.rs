//! System V interprocess communication: removing what `/proc/sysvipc` lists.

use super::{Errno, last_errno};

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Shared memory segments.
    SharedMemory,
    /// Message queues.
    Queue,
    /// Semaphore arrays.
    Semaphores,
}

/// Removes the object of that number: `shmctl(2)`, `msgctl(2)`, `semctl(2)` with IPC_RMID.
pub fn remove(kind: Kind, id: i32) -> Result<(), Errno> {
    // SAFETY: IPC_RMID looks at no further argument.
    let answer = unsafe {
        match kind {
            Kind::SharedMemory => libc::shmctl(id, libc::IPC_RMID, core::ptr::null_mut()),
            Kind::Queue => libc::msgctl(id, libc::IPC_RMID, core::ptr::null_mut()),
            Kind::Semaphores => libc::semctl(id, 0, libc::IPC_RMID),
        }
    };
    if answer < 0 { Err(last_errno()) } else { Ok(()) }
}

/// The number of the object with that key: `shmget(2)` and the like. It is not made.
pub fn find(kind: Kind, key: i32) -> Result<i32, Errno> {
    // SAFETY: the calls take numbers.
    let answer = unsafe {
        match kind {
            Kind::SharedMemory => libc::shmget(key, 0, 0),
            Kind::Queue => libc::msgget(key, 0),
            Kind::Semaphores => libc::semget(key, 0, 0),
        }
    };
    if answer < 0 { Err(last_errno()) } else { Ok(answer) }
}
