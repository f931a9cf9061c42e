//! `cd` and `pwd`.

use super::operands::options;
use crate::state::builtin::Done;
use crate::state::directory::current;
use crate::state::directory::working;
use crate::state::{Fail, Shell};
use crate::syntax::copied::Copied;
use rbox_core::sys::{self, Errno, fs, process};

/// `cd [-LP] [DIRECTORY]` (XCU cd).
pub fn cd(shell: &mut Shell, words: &[&[u8]]) -> Done {
    // `-` alone is a directory, so only words of more than one byte are options.
    let (flags, words) = options(shell, words, b"LPe")?;
    let physical = flags.last() == Some(&b'P');
    let mut show = false;
    let target = match words.first() {
        None => match shell.get(b"HOME").map(<[u8]>::copied) {
            Some(home) => home,
            None => return Err(shell.plain_error(b"HOME not set")),
        },
        Some(&b"-") => {
            show = true;
            match shell.get(b"OLDPWD").map(<[u8]>::copied) {
                Some(old) => old,
                None => return Err(shell.plain_error(b"OLDPWD not set")),
            }
        }
        Some(word) => word.copied(),
    };
    if target.is_empty() {
        // XCU cd, step 2: an empty HOME may mean the working directory, an empty operand means none.
        return if words.is_empty() {
            Ok(0)
        } else {
            Err(shell.error(&[b"can't cd to : ", sys::error_text(Errno::NOENT).as_bytes()]))
        };
    }
    let mut reason = Errno::NOENT;
    for directory in search_path(shell, &target) {
        let old = shell.get(b"PWD").map_or_else(current, <[u8]>::to_vec);
        match enter(shell, &directory, physical) {
            Ok(path) => {
                remember(shell, &old, &path)?;
                if show || directory != target {
                    shell.print(&[&path[..], b"\n"].concat());
                }
                // XCU cd, -e: with -P the directory's name must be known.
                return Ok(u8::from(physical && flags.contains(&b'e') && path.is_empty()));
            }
            // The last directory is the operand itself.
            Err(errno) => reason = errno,
        }
    }
    Err(shell.error(&[b"can't cd to ", &target, b": ", sys::error_text(reason).as_bytes()]))
}

/// The directories that CDPATH makes of the operand; the operand itself is last.
fn search_path(shell: &mut Shell, target: &[u8]) -> Vec<Vec<u8>> {
    let direct = target.starts_with(b"/")
        || [&b"."[..], b".."]
            .iter()
            .any(|dots| target.strip_prefix(*dots).is_some_and(|rest| rest.is_empty() || rest[0] == b'/'));
    let mut found = Vec::new();
    if !direct && let Some(path) = shell.get(b"CDPATH").map(<[u8]>::copied) {
        for directory in path.split(|&byte| byte == b':') {
            // XCU cd, step 5: an empty one is the working directory, and nothing is printed then.
            found.push(if directory.is_empty() {
                target.copied()
            } else {
                rbox_core::bytes::join_path(directory, target)
            });
        }
    }
    found.push(target.copied());
    found
}

/// Goes to the directory and returns the new PWD.
fn enter(shell: &mut Shell, directory: &[u8], physical: bool) -> Result<Vec<u8>, Errno> {
    if physical {
        process::chdir(directory)?;
        return Ok(current());
    }
    let mut path = Vec::new();
    let mut gone = Vec::new();
    if !directory.starts_with(b"/") {
        path = working(shell);
        if path.is_empty() {
            // The directory is gone: PWD is all that is known of it.
            path = shell.get(b"PWD").unwrap_or_default().copied();
            gone.clone_from(&path);
        }
        path.push(b'/');
    }
    path.extend_from_slice(directory);
    let double = path.starts_with(b"//") && !path.starts_with(b"///") && directory.starts_with(b"//");
    let mut path = normal(&path, &gone)?;
    if double {
        // XBD 4.16: two leading slashes may mean something of their own.
        path.insert(0, b'/');
    }
    process::chdir(&path[..])?;
    Ok(path)
}

/// The path without `.`, `..` and double slashes; an error when something before a `..` is no directory (XCU cd, step 8),
/// except for the one that the shell is in though it is gone.
fn normal(path: &[u8], gone: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut out: Vec<u8> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                if !out.is_empty() && out != gone {
                    fs::stat(&out[..])?;
                }
                let end = out.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                out.truncate(end);
            }
            _ => {
                out.push(b'/');
                out.extend_from_slice(part);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    Ok(out)
}

fn remember(shell: &mut Shell, old: &[u8], path: &[u8]) -> Result<(), Fail> {
    let (pwd, oldpwd) = (shell.intern(b"PWD"), shell.intern(b"OLDPWD"));
    shell.set(oldpwd, old)?;
    shell.set(pwd, path)?;
    shell.slot(pwd).export = true;
    shell.slot(oldpwd).export = true;
    Ok(())
}

/// `pwd [-LP]`
pub fn pwd(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, _) = options(shell, words, b"LP")?;
    let physical = flags.last() == Some(&b'P');
    let mut path = if physical { current() } else { working(shell) };
    if path.is_empty() && !physical {
        // The directory is gone: PWD is all that is known of it.
        path = shell.get(b"PWD").unwrap_or_default().copied();
    }
    if path.is_empty() {
        return Err(shell.plain_error(sys::error_text(Errno::NOENT).as_bytes()));
    }
    path.push(b'\n');
    shell.status = 0;
    shell.print(&path);
    Ok(shell.status)
}
