//! Memory and semaphores that processes share by a key: System V's `shmget(2)`, `semget(2)`.

use core::sync::atomic::{AtomicU8, Ordering};

use super::{Errno, last_errno};

/// A segment of shared memory, attached for the life of the value; for reading only unless `WRITABLE`.
///
/// Another process may write at any time: what is read is bytes, never more.
#[derive(Debug)]
pub struct SharedMemory<const WRITABLE: bool> {
    id: i32,
    address: *mut u8,
    size: usize,
}

impl SharedMemory<true> {
    /// Makes the segment of `key` with `size` bytes and `mode`, or attaches the one that is there with that size.
    pub fn create(key: i32, size: usize, mode: i32) -> Result<Self, Errno> {
        // SAFETY: shmget takes numbers only.
        match unsafe { libc::shmget(key, size, libc::IPC_CREAT | mode) } {
            -1 => Err(last_errno()),
            id => Self::attach(id),
        }
    }

    /// Removes the segment of `key`; it goes when the last process lets go of it.
    pub fn remove(key: i32) -> Result<(), Errno> {
        // SAFETY: both calls take numbers only; IPC_RMID looks at no buffer.
        let removed = unsafe {
            let id = libc::shmget(key, 0, 0);
            id >= 0 && libc::shmctl(id, libc::IPC_RMID, core::ptr::null_mut()) == 0
        };
        if removed { Ok(()) } else { Err(last_errno()) }
    }

    /// Sets the byte at `at`; beyond the end nothing happens.
    pub fn set(&self, at: usize, byte: u8) {
        if let Some(cell) = self.cell(at) {
            cell.store(byte, Ordering::Relaxed);
        }
    }
}

impl SharedMemory<false> {
    /// Attaches the segment of `key`, for reading only.
    pub fn open(key: i32) -> Result<Self, Errno> {
        // SAFETY: shmget takes numbers only.
        match unsafe { libc::shmget(key, 0, 0) } {
            -1 => Err(last_errno()),
            id => Self::attach(id),
        }
    }
}

impl<const WRITABLE: bool> SharedMemory<WRITABLE> {
    fn attach(id: i32) -> Result<Self, Errno> {
        // SAFETY: a zeroed shmid_ds is valid, and the kernel only writes to it.
        let size = unsafe {
            let mut state: libc::shmid_ds = core::mem::zeroed();
            if libc::shmctl(id, libc::IPC_STAT, &mut state) < 0 {
                return Err(last_errno());
            }
            state.shm_segsz
        };
        let flags = if WRITABLE { 0 } else { libc::SHM_RDONLY };
        // SAFETY: a null address lets the kernel choose one that nothing else uses.
        let address = unsafe { libc::shmat(id, core::ptr::null(), flags) };
        if address.addr() == usize::MAX {
            return Err(last_errno());
        }
        Ok(Self { id, address: address.cast(), size })
    }

    /// The segment's size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// True when nobody has removed the segment since it was attached.
    pub fn is_alive(&self, key: i32) -> bool {
        // SAFETY: shmget takes numbers only.
        unsafe { libc::shmget(key, 0, 0) == self.id }
    }

    /// The byte at `at`; 0 beyond the end.
    pub fn get(&self, at: usize) -> u8 {
        self.cell(at).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }

    fn cell(&self, at: usize) -> Option<&AtomicU8> {
        // SAFETY: the segment is attached with `size` bytes until self is dropped, and any byte is a valid AtomicU8;
        // atomic accesses may race with those of other processes, and where the memory is read-only they are loads.
        (at < self.size).then(|| unsafe { AtomicU8::from_ptr(self.address.add(at)) })
    }
}

impl<const WRITABLE: bool> Drop for SharedMemory<WRITABLE> {
    fn drop(&mut self) {
        // SAFETY: the address is the one that shmat returned, and no reference to it outlives self.
        unsafe { libc::shmdt(self.address.cast()) };
    }
}

/// A set of semaphores.
#[derive(Debug)]
pub struct Semaphores(i32);

/// One change of a semaphore: its number, what is added (0 waits for 0), whether to fail at once, whether the end of
/// the process takes the change back.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Which of the set, from 0.
    pub number: u16,
    /// What is added; 0 waits until the semaphore is 0.
    pub add: i16,
    /// Fail with `EAGAIN` where the call would wait.
    pub at_once: bool,
    /// Take the change back when the process ends.
    pub undo: bool,
}

impl Semaphores {
    /// Makes the set of `key` with `count` semaphores of value 0, or opens the one that is there.
    pub fn create(key: i32, count: i32, mode: i32) -> Result<Self, Errno> {
        // SAFETY: semget takes numbers only.
        match unsafe { libc::semget(key, count, libc::IPC_CREAT | mode) } {
            -1 => Err(last_errno()),
            id => Ok(Self(id)),
        }
    }

    /// Opens the set of `key`.
    pub fn open(key: i32) -> Result<Self, Errno> {
        // SAFETY: semget takes numbers only.
        match unsafe { libc::semget(key, 0, 0) } {
            -1 => Err(last_errno()),
            id => Ok(Self(id)),
        }
    }

    /// Removes the set; who waits gets `EIDRM`.
    pub fn remove(&self) -> Result<(), Errno> {
        // SAFETY: IPC_RMID takes no fourth argument.
        match unsafe { libc::semctl(self.0, 0, libc::IPC_RMID) } {
            -1 => Err(last_errno()),
            _ => Ok(()),
        }
    }

    /// Sets all semaphores, `count` of them, to 0.
    pub fn reset(&self, count: i32) {
        for number in 0..count {
            // SAFETY: SETVAL takes an int as fourth argument.
            unsafe { libc::semctl(self.0, number, libc::SETVAL, 0) };
        }
    }

    /// Makes all changes or none: `semop(2)`. Goes on after a signal.
    pub fn change(&self, changes: &[Change]) -> Result<(), Errno> {
        let mut list: Vec<libc::sembuf> = changes
            .iter()
            .map(|change| libc::sembuf {
                sem_num: change.number,
                sem_op: change.add,
                sem_flg: if change.at_once { libc::IPC_NOWAIT as i16 } else { 0 }
                    | if change.undo { SEM_UNDO } else { 0 },
            })
            .collect();
        loop {
            // SAFETY: the list is valid for its length.
            match unsafe { libc::semop(self.0, list.as_mut_ptr(), list.len()) } {
                -1 if last_errno() == Errno::INTR => {}
                -1 => return Err(last_errno()),
                _ => return Ok(()),
            }
        }
    }
}

/// linux/sem.h; not every libc crate has it for musl.
const SEM_UNDO: i16 = 0x1000;
