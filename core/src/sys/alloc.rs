//! The binary's allocator: lists of free blocks by size, for a program of one thread; large blocks are the C library's.
//!
//! The C library's own spends some 200 instructions on a pair of calls, a third of what a shell loop costs, and touches
//! several pages before the first byte is used. Here a block is one list operation, and the first blocks are together
//! at the program's end, in pages that cost nothing until they are touched.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::collections::TryReserveError;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering::Relaxed};

use super::process::{self, Resource, getrlimit};

/// Small sizes are multiples of this, which is also the alignment of all.
const STEP: usize = 16;
/// The largest small size; above it, sizes double.
const SMALL: usize = 512;
/// The largest size served here.
const LARGEST: usize = 4096;
const SMALL_CLASSES: usize = SMALL / STEP;
const CLASSES: usize = SMALL_CLASSES + (LARGEST / SMALL).ilog2() as usize;
/// Bytes of the first chunk, inside the program.
const FIRST: usize = 32 * 1024;
/// Bytes of each further chunk.
const FURTHER: usize = 64 * 1024;

#[repr(C, align(16))]
struct Stretch([u8; FIRST]);

struct State {
    /// The first free block of each size; a free block begins with the address of the next.
    free: [*mut u8; CLASSES],
    /// The part of the current chunk that was never given out.
    start: *mut u8,
    /// Bytes from `start` on.
    left: usize,
    begun: bool,
    first: Stretch,
}

/// The allocator, for `#[global_allocator]` in a binary that never starts a thread.
pub struct Allocator {
    state: UnsafeCell<State>,
}

// SAFETY: the binary has one thread, so there is no other to share with; `new` states the condition.
unsafe impl Sync for Allocator {}

impl Allocator {
    /// The allocator of a program.
    ///
    /// # Safety
    /// The program never starts a thread, and no signal handler allocates.
    pub const unsafe fn new() -> Self {
        let null = core::ptr::null_mut();
        let first = Stretch([0; FIRST]);
        Self { state: UnsafeCell::new(State { free: [null; CLASSES], start: null, left: 0, begun: false, first }) }
    }
}

/// The applet that runs: its name, null for the program's own, the name's length, and the status of a failure. Only the
/// allocator of a program with one thread reads them.
static NAME: AtomicPtr<u8> = AtomicPtr::new(core::ptr::null_mut());
static LENGTH: AtomicUsize = AtomicUsize::new(0);
static FAILURE: AtomicU8 = AtomicU8::new(1);
/// Whether the caller of the allocator handles a failure itself.
static HANDLED: AtomicBool = AtomicBool::new(false);

/// Who is out of memory when an allocation fails: name and status of an applet.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    name: *mut u8,
    length: usize,
    failure: u8,
}

impl Running {
    /// An applet of that name, which fails with that status.
    pub const fn new(name: &'static [u8], failure: u8) -> Self {
        Self { name: name.as_ptr().cast_mut(), length: name.len(), failure }
    }

    /// Makes it the one that runs; returns the one before, to be made it again afterwards.
    pub fn begin(self) -> Self {
        Self {
            name: NAME.swap(self.name, Relaxed),
            length: LENGTH.swap(self.length, Relaxed),
            failure: FAILURE.swap(self.failure, Relaxed),
        }
    }
}

/// Prints `NAME: out of memory` and ends the process with the failure status of the applet that runs. PID 1 starts
/// anew.
#[cold]
#[inline(never)]
fn fail() -> ! {
    let (name, length): (*const u8, usize) = match NAME.load(Relaxed) {
        name if name.is_null() => (b"rbox".as_ptr(), 4),
        name => (name, LENGTH.load(Relaxed)),
    };
    // SAFETY: the name and its length are of one static string: `Running::new` takes nothing else, and this process has
    // one thread. write reads what it is given.
    unsafe {
        libc::write(2, name.cast(), length);
        libc::write(2, b": out of memory\n".as_ptr().cast(), 16);
    }
    if process::getpid().is_init() {
        super::recovery::start_anew(0);
    }
    process::exit_now(FAILURE.load(Relaxed))
}

/// What the system gave; where it gave nothing, the process ends, unless the caller handles that itself.
#[inline(always)]
fn checked(block: *mut u8) -> *mut u8 {
    if block.is_null() && !HANDLED.load(Relaxed) {
        fail();
    }
    block
}

/// Calls `allocate`, which reports by a null pointer or an error that memory is exhausted.
fn handled<T>(allocate: impl FnOnce() -> T) -> T {
    HANDLED.store(true, Relaxed);
    let result = allocate();
    HANDLED.store(false, Relaxed);
    result
}

/// Reserves memory for `more` elements; an error where memory is exhausted. For sizes that come from input.
pub fn try_reserve<T>(list: &mut Vec<T>, more: usize) -> Result<(), TryReserveError> {
    handled(|| list.try_reserve(more))
}

/// `size` zero bytes, which take no memory until they are written to; `None` where memory is exhausted.
pub fn zeroed(size: usize) -> Option<Vec<u8>> {
    let layout = Layout::array::<u8>(size).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the size is not zero. A block that is not null is from the global allocator, with the layout of a vector
    // of that capacity, and all its bytes are zero.
    unsafe {
        let block = handled(|| std::alloc::alloc_zeroed(layout));
        if block.is_null() { None } else { Some(Vec::from_raw_parts(block, size, size)) }
    }
}

/// Whether the process has a limit of memory (setrlimit(2), RLIMIT_AS and RLIMIT_DATA), so that an applet which needs
/// too much ends it.
pub fn is_limited() -> bool {
    [Resource::As, Resource::Data].into_iter().any(|resource| getrlimit(resource).current.is_some())
}

/// The class of a request; `None` when the C library serves it.
#[inline(always)]
fn class(layout: &Layout) -> Option<usize> {
    let size = layout.size();
    if size > LARGEST || layout.align() > STEP {
        return None;
    }
    Some(if size <= SMALL {
        size.saturating_sub(1) / STEP
    } else {
        SMALL_CLASSES + ((size - 1) / SMALL).ilog2() as usize
    })
}

/// The bytes of a class's blocks.
fn size_of_class(class: usize) -> usize {
    if class < SMALL_CLASSES { (class + 1) * STEP } else { SMALL << (class - SMALL_CLASSES + 1) }
}

impl State {
    /// A block that was never given out.
    #[cold]
    fn carve(&mut self, class: usize) -> *mut u8 {
        let size = size_of_class(class);
        if self.left < size {
            self.stretch();
        }
        if self.left < size {
            return core::ptr::null_mut();
        }
        let block = self.start;
        // SAFETY: left bytes follow start in its chunk, and size is not more.
        self.start = unsafe { block.add(size) };
        self.left -= size;
        block
    }

    /// Goes on to a chunk that is not used. What was left of the last one, less than the largest block, is lost.
    fn stretch(&mut self) {
        if !self.begun {
            self.begun = true;
            self.start = self.first.0.as_mut_ptr();
            self.left = FIRST;
            return;
        }
        // SAFETY: the size is not zero, the alignment a power of two; chunks are never given back.
        let start = unsafe { System.alloc(Layout::from_size_align_unchecked(FURTHER, STEP)) };
        self.left = if start.is_null() { 0 } else { FURTHER };
        self.start = start;
    }
}

// SAFETY: a block is at least as large and as aligned as asked for, and is given out to one owner until it comes back:
// it leaves its list or the chunk when it is given out. Which of the two allocators a block is from follows from its
// layout, which is the same when it comes back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class(&layout) else {
            // SAFETY: the caller's promise about layout.
            return checked(unsafe { System.alloc(layout) });
        };
        // SAFETY: one thread, and nothing called from here allocates through `self`: this is the only reference.
        let state = unsafe { &mut *self.state.get() };
        let block = state.free[class];
        if block.is_null() {
            return checked(state.carve(class));
        }
        // SAFETY: a free block begins with the address of the next, is 16 bytes at least and aligned to them.
        state.free[class] = unsafe { block.cast::<*mut u8>().read() };
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(class) = class(&layout) else {
            // SAFETY: the caller's promise: the block is from alloc, with this layout, so from System.
            return unsafe { System.dealloc(block, layout) };
        };
        // SAFETY: as in alloc.
        let state = unsafe { &mut *self.state.get() };
        // SAFETY: the block is given back, so nothing else uses its 16 bytes or more.
        unsafe { block.cast::<*mut u8>().write(state.free[class]) };
        state.free[class] = block;
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that size, rounded up to the alignment, is a valid one.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (class(&layout), class(&wanted)) {
            (Some(old), Some(new)) if old == new => return block,
            // SAFETY: the caller's promise; both sizes are System's.
            (None, None) => return checked(unsafe { System.realloc(block, layout, size) }),
            _ => {}
        }
        // SAFETY: the caller's promises; both blocks hold the smaller size and are not the same.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                core::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if class(&layout).is_none() {
            // SAFETY: the caller's promise about layout.
            return checked(unsafe { System.alloc_zeroed(layout) });
        }
        // SAFETY: the caller's promise; the block holds layout.size() bytes.
        unsafe {
            let block = self.alloc(layout);
            if !block.is_null() {
                core::ptr::write_bytes(block, 0, layout.size());
            }
            block
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_are_asked_for() {
        for size in 1..=LARGEST {
            let class = class(&Layout::from_size_align(size, 1).expect("a small power of two")).expect("small");
            assert!(size_of_class(class) >= size && size_of_class(class) < (2 * size).max(STEP + 1), "{size}");
            assert!(class < CLASSES);
        }
    }

    /// Every byte of every block holds its owner's byte until the owner gives it back.
    #[test]
    fn pieces_do_not_overlap() {
        // SAFETY: only this thread uses it.
        let allocator = unsafe { Allocator::new() };
        let mut owned: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let mut random = 12_345u32;
        for turn in 0..20_000u32 {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let size = 1 + (random >> 16) as usize % if turn % 8 == 0 { 5000 } else { 700 };
            let mark = turn as u8;
            let layout = Layout::from_size_align(size, 1 << (random >> 30)).expect("a small power of two");
            // SAFETY: sizes are not zero, and each block is used within its layout and given back once.
            unsafe {
                let block = allocator.alloc(layout);
                assert_eq!(block as usize % layout.align(), 0);
                block.write_bytes(mark, size);
                owned.push((block, layout, mark));
                let at = (random as usize >> 8) % owned.len();
                let (block, layout, mark) = owned.swap_remove(at);
                let bytes = std::slice::from_raw_parts(block, layout.size());
                assert!(bytes.iter().all(|&byte| byte == mark));
                if turn % 3 > 0 {
                    allocator.dealloc(block, layout);
                } else {
                    let grown = Layout::from_size_align(size, layout.align()).expect("a small power of two");
                    let moved = allocator.realloc(block, layout, size);
                    assert!(
                        std::slice::from_raw_parts(moved, layout.size().min(size)).iter().all(|&byte| byte == mark)
                    );
                    moved.write_bytes(mark, size);
                    owned.push((moved, grown, mark));
                }
            }
        }
    }
}
