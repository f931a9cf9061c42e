//! Builtins that show and change what the shell knows: `caller`, `disown`, `enable`.

use crate::builtins::job;
use crate::builtins::operands::number;
use crate::builtins::operands::options;
use crate::state::Shell;
use crate::state::builtin::Done;
use crate::syntax::copied::Copied;
use rbox_core::push;
use rbox_core::text;

/// `caller [N]`: where the running function was called, or the Nth call outside it.
pub fn caller(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let level = match words.first() {
        Some(word) => number(shell, word)? as usize,
        None => 0,
    };
    let frames = &shell.flow.frames;
    if frames.is_empty() && words.is_empty() {
        shell.print(b"0 NULL\n");
        return Ok(0);
    }
    let Some(at) = frames.len().checked_sub(level + 1) else { return Ok(1) };
    let frame = &frames[at];
    let (name, source) = match at.checked_sub(1).map(|outer| &frames[outer]) {
        Some(outer) => (&outer.name[..], outer.source.copied()),
        None => (&b"main"[..], if shell.invocation.named { shell.invocation.arg0.copied() } else { b"NULL".copied() }),
    };
    let mut text = text!(frame.line);
    if !words.is_empty() {
        push!(text, " ", name);
    }
    push!(text, " ", source, "\n");
    shell.print(&text);
    Ok(0)
}

/// `disown [-ahr] [JOB...]`: the shell forgets the jobs; with `-h` it keeps them, as no job gets SIGHUP from it.
pub fn disown(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, b"ahr")?;
    let keeps = flags.contains(&b'h');
    if words.is_empty() {
        match flags.last() {
            Some(b'a') => shell.jobs.all.clear(),
            Some(b'r') => shell.jobs.all.retain(|job| job.stopped()),
            Some(_) => {}
            None if shell.jobs.all.is_empty() => return Err(shell.plain_error(b"current: no such job")),
            None => drop(shell.jobs.all.pop()),
        }
    }
    for word in words {
        let at = if word.starts_with(b"%") {
            job::find(shell, word)?
        } else {
            let pid = number(shell, word)? as i32;
            match shell.jobs.all.iter().position(|job| job.processes.iter().any(|one| one.pid == pid)) {
                Some(at) => at,
                None => return Err(shell.error(&[word, b": no such job"])),
            }
        };
        if !keeps {
            shell.jobs.all.remove(at);
        }
    }
    Ok(0)
}

/// `enable [-anp] [NAME...]`: a builtin that is off leaves its name to programs.
pub fn enable(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, b"anp")?;
    let off = flags.contains(&b'n');
    let mut text = Vec::new();
    if words.is_empty() {
        for name in crate::state::builtin::names(shell.options.bash) {
            let symbol = shell.intern(name.as_bytes());
            let is_off = shell.builtin_of(symbol).is_none();
            if is_off == off || flags.contains(&b'a') {
                let prefix: &[u8] = if is_off { b"enable -n " } else { b"enable " };
                text.extend_from_slice(&[prefix, name.as_bytes(), b"\n"].concat());
            }
        }
        shell.print(&text);
    }
    let mut status = 0;
    for word in words {
        if crate::state::builtin::find(word).is_none() {
            shell.report(&[word, b": not a shell builtin"]);
            status = 1;
            continue;
        }
        let name = shell.intern(word);
        shell.slot(name).builtin = u8::from(off);
    }
    Ok(status)
}

/// `builtin NAME [WORD...]`: runs the builtin, also when a function has its name.
pub fn builtin(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    let Some(name) = words.first() else { return Ok(0) };
    let Some(found) = crate::state::builtin::find(name) else {
        shell.report(&[name, b": not a shell builtin"]);
        return Ok(1);
    };
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.copied()).collect();
    shell.call_builtin(found, &words)?;
    Ok(shell.status)
}
