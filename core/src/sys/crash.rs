//! The last words of a program that dies of its own fault.
//!
//! In the release build a panic is an illegal instruction and has no text. The handler prints its address; with
//! `target/rbox.debug`, addr2line(1) finds the line.

use core::ptr;

unsafe extern "C" {
    /// Where the program starts in memory; the linker sets it.
    static __ehdr_start: u8;
}

/// From now on an illegal instruction prints `rbox: NAME crashed at 0xOFFSET` before it ends the process.
pub fn tell_where() {
    // SAFETY: a zeroed sigaction is valid, and the structure lives through the call; the handler makes system calls
    // only.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = tell as extern "C" fn(libc::c_int, *const libc::siginfo_t, *const libc::c_void) as usize;
        // The default action comes back, so that the instruction, met again, ends the process with SIGILL.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESETHAND;
        // It cannot fail: the signal may be caught, and the structure is valid.
        let _ = libc::sigaction(libc::SIGILL, &action, ptr::null_mut());
    }
}

extern "C" fn tell(signal: libc::c_int, info: *const libc::siginfo_t, _context: *const libc::c_void) {
    let mut text = [0; 64];
    // SAFETY: the kernel hands over a valid siginfo_t; prctl writes the 16 bytes of a name, and write reads what it is
    // given; all three calls are safe in a handler (signal-safety(7)).
    unsafe {
        if (*info).si_code <= 0 {
            // Another process sent it. By number: raise(3) sends to the thread that libc knows of, whatever the kernel
            // says.
            libc::kill(libc::getpid(), signal);
            return;
        }
        let mut name = [0u8; 16];
        libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr());
        let offset = ((*info).si_addr() as usize).wrapping_sub(ptr::addr_of!(__ehdr_start) as usize);
        let length = compose(&mut text, &name, offset);
        libc::write(2, text.as_ptr().cast(), length);
    }
}

/// Writes the line into `text`, whose 64 bytes it never fills, and returns its length.
fn compose(text: &mut [u8; 64], name: &[u8; 16], offset: usize) -> usize {
    let digits =
        (0..16).rev().map(|digit| b"0123456789abcdef"[offset >> (digit * 4) & 15]).skip_while(|&byte| byte == b'0');
    let name = name.iter().copied().take_while(|&byte| byte != 0);
    let line = b"rbox: ".iter().copied().chain(name).chain(*b" crashed at 0x").chain(digits).chain(*b"\n");
    text.iter_mut().zip(line).map(|(slot, byte)| *slot = byte).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{fd, pipe, process};

    #[test]
    fn a_line_names_program_and_place() {
        let mut text = [0; 64];
        let length = compose(&mut text, b"udhcpc\0\0\0\0\0\0\0\0\0\0", 0x1_2f00);
        assert_eq!(&text[..length], b"rbox: udhcpc crashed at 0x12f00\n");
    }

    #[test]
    fn an_illegal_instruction_leaves_a_line() {
        let (read, write) = pipe::pipe().expect("a pipe");
        let child = process::fork_run(|| {
            fd::redirect(std::os::fd::AsFd::as_fd(&write), 2).expect("standard error is replaced");
            tell_where();
            // SAFETY: it ends the process.
            unsafe { core::arch::asm!("ud2") };
            0
        });
        drop(write);
        let change = process::wait_for(child.expect("a child")).expect("its end");
        let mut text = [0; 100];
        let length = fd::read(&read, &mut text).expect("what it said");
        assert!(matches!(change, process::Change::Signaled(4)), "{change:?}");
        assert!(text[..length].windows(14).any(|part| part == b" crashed at 0x"));
    }
}
