//! The kernel's side: which modules are there, loading one, removing one (init_module(2), delete_module(2)).

use std::ffi::CString;

use rbox_core::bytes::words;
use rbox_core::io::{Input, read_file};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::system::{delete_module, finit_module, init_module};
use rbox_core::sys::{Errno, fs};

use crate::image;

/// A line of /proc/modules.
pub struct Loaded {
    pub name: Vec<u8>,
    /// Bytes.
    pub size: u64,
    /// How many use it; `None` when it cannot be removed.
    pub uses: Option<u64>,
    /// The modules that use it.
    pub users: Vec<Vec<u8>>,
}

/// The modules that are loaded, the last one first.
pub fn loaded() -> Result<Vec<Loaded>> {
    let mut input = Input::open(b"/proc/modules")?;
    let mut modules = Vec::new();
    while let Some(line) = input.line()? {
        let fields: Vec<&[u8]> = words(line).collect();
        let [name, size, uses, users, ..] = fields[..] else { continue };
        let users = users.split(|&byte| byte == b',').filter(|user| !matches!(*user, b"" | b"-")).map(<[u8]>::to_vec);
        let (size, uses) = (parse_decimal(size).unwrap_or(0), parse_decimal(uses));
        modules.push(Loaded { name: name.to_vec(), size, uses, users: users.collect() });
    }
    Ok(modules)
}

/// Whether the kernel has the module, and it is no longer coming or going.
pub fn is_loaded(name: &[u8]) -> bool {
    let state = [b"/sys/module/", name, b"/initstate"].concat();
    read_file(&state).is_ok_and(|state| state.trim_ascii() == b"live")
}

/// Loads a module with its options. The kernel reads the file itself if it is not compressed, so that it can check where
/// it comes from. EEXIST when it is loaded.
pub fn insert(path: &[u8], options: &[u8]) -> Result<core::result::Result<(), Errno>> {
    let text = CString::new(options).map_err(|_| Error::new("an option has a NUL"))?;
    let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    let mut start = [0; 4];
    let is_plain = rbox_core::sys::fd::pread(&file, &mut start, 0) == Ok(4) && start == *b"\x7fELF";
    if is_plain {
        match finit_module(&file, &text, 0) {
            // A kernel, or a sandbox, without the call.
            Err(Errno::NOSYS) => {}
            result => return Ok(result),
        }
    }
    Ok(init_module(&image::read(path)?, &text))
}

/// Removes a module; `flags` are those of delete_module(2).
pub fn remove(name: &[u8], flags: i32) -> Result<core::result::Result<(), Errno>> {
    let text = CString::new(name).map_err(|_| Error::new("a name has a NUL"))?;
    Ok(delete_module(&text, flags))
}

/// O_NONBLOCK: do not wait until nobody uses it.
pub const NO_WAIT: i32 = 0o4000;
/// O_TRUNC: remove it even if it is used.
pub const FORCE: i32 = 0o1000;

/// What the errors of init_module(2) mean.
pub fn reason(errno: Errno) -> Error {
    match errno {
        Errno::NOEXEC => Error::new("invalid module format"),
        Errno::NOENT => Error::new("unknown symbol in module or invalid parameter"),
        Errno::SRCH => Error::new("module has wrong symbol version"),
        Errno::INVAL => Error::new("invalid parameters"),
        errno => Error::from(errno),
    }
}
