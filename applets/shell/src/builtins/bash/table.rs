//! Builtins that tell and change what the shell knows: `caller`, `compgen`, `disown`, `enable`.

use crate::builtins::{self, Done, job, number, options};
use crate::copied::Copied;
use crate::shell::Shell;
use crate::symbols::Sym;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::push;
use rbox_core::text;

/// `caller [N]`: from where the function was called that runs, or the one so many calls further out.
pub fn caller(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let level = match words.first() {
        Some(word) => number(shell, word)? as usize,
        None => 0,
    };
    let frames = &shell.frames;
    if frames.is_empty() && words.is_empty() {
        shell.print(b"0 NULL\n");
        return Ok(0);
    }
    let Some(at) = frames.len().checked_sub(level + 1) else { return Ok(1) };
    let frame = &frames[at];
    let (name, source) = match at.checked_sub(1).map(|outer| &frames[outer]) {
        Some(outer) => (&outer.name[..], outer.source.copied()),
        None => (&b"main"[..], if shell.named { shell.arg0.copied() } else { b"NULL".copied() }),
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
    let (letters, words) = options(shell, words, b"ahr")?;
    let keeps = letters.contains(&b'h');
    if words.is_empty() {
        match letters.last() {
            Some(b'a') => shell.jobs.all.clear(),
            Some(b'r') => shell.jobs.all.retain(|job| job.stopped()),
            Some(_) => {}
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
    let (letters, words) = options(shell, words, b"anp")?;
    let off = letters.contains(&b'n');
    let mut text = Vec::new();
    if words.is_empty() {
        for name in builtins::names(shell.options.bash) {
            let symbol = shell.intern(name.as_bytes());
            let is_off = shell.builtin_of(symbol).is_none();
            if is_off == off || letters.contains(&b'a') {
                let sign: &[u8] = if is_off { b"enable -n " } else { b"enable " };
                text.extend_from_slice(&[sign, name.as_bytes(), b"\n"].concat());
            }
        }
        shell.print(&text);
    }
    let mut status = 0;
    for word in words {
        if builtins::find(word).is_none() {
            shell.report(&[word, b": not a shell builtin"]);
            status = 1;
            continue;
        }
        let name = shell.intern(word);
        shell.slot(name).builtin = u8::from(off);
    }
    Ok(status)
}

/// `builtin NAME [WORD...]`: the builtin of that name, whatever function has it too.
pub fn builtin(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    let Some(name) = words.first() else { return Ok(0) };
    let Some(found) = builtins::find(name) else {
        shell.report(&[name, b": not a shell builtin"]);
        return Ok(1);
    };
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.copied()).collect();
    shell.call_builtin(found, &words)?;
    Ok(shell.status)
}

/// What `compgen -A` calls each of its options.
const ACTIONS: Names = names! {
    "alias" = b'a', "builtin" = b'b', "command" = b'c', "export" = b'e', "function" = b'F', "keyword" = b'k', "variable" = b'v',
};
const KEYWORDS: &[u8] =
    b"if then else elif fi case esac for select while until do done in function time { } ! [[ ]] coproc";

/// `compgen [-abcekv] [-A ACTION] [-W WORDS] [WORD]`: the names of those kinds that begin with the word.
pub fn compgen(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (mut words, mut found) = (words, Vec::new());
    let prefix: &[u8] = match words.last() {
        Some(last) if !last.starts_with(b"-") && takes_word(words) => last,
        _ => b"",
    };
    while let Some((word, rest)) = words.split_first() {
        let [b'-', letter, ..] = *word else { break };
        words = rest;
        if *word == b"--" {
            break;
        }
        let mut letter = u64::from(*letter);
        let mut value: &[u8] = b"";
        if b"AW".contains(&(letter as u8)) {
            let Some((first, rest)) = words.split_first() else {
                return Err(shell.error(&[b"option requires an argument -", &[letter as u8]]));
            };
            (value, words) = (first, rest);
            if letter == u64::from(b'A') {
                letter = ACTIONS.number_of(value).unwrap_or(0);
            }
        }
        let symbols = match letter as u8 {
            b'a' => shell.names(|slot| slot.alias.is_some()),
            b'e' => shell.names(|slot| slot.export),
            b'F' => shell.names(|slot| slot.function.is_some()),
            b'v' => shell.names(|slot| slot.set || slot.array.is_some()),
            b'b' => builtin_symbols(shell),
            b'k' => word_symbols(shell, KEYWORDS),
            b'W' => word_symbols(shell, value),
            b'c' => {
                let mut all = word_symbols(shell, KEYWORDS);
                for name in crate::interactive::commands(shell, prefix) {
                    all.push(shell.intern(&name));
                }
                all
            }
            _ => return Err(shell.error(&[word, b": invalid option"])),
        };
        found.extend(symbols);
    }
    let mut text = Vec::new();
    for name in found {
        let name = shell.symbols.name(name);
        if name.starts_with(prefix) {
            text.extend_from_slice(&[name, &b"\n"[..]].concat());
        }
    }
    shell.print(&text);
    Ok(u8::from(text.is_empty()))
}

/// Whether the last operand is the word to complete, not what an option takes.
fn takes_word(words: &[&[u8]]) -> bool {
    words.len() < 2 || !matches!(words[words.len() - 2], b"-A" | b"-W")
}

fn builtin_symbols(shell: &mut Shell) -> Vec<Sym> {
    let mut all = Vec::new();
    for name in builtins::names(shell.options.bash) {
        all.push(shell.intern(name.as_bytes()));
    }
    all
}

fn word_symbols(shell: &mut Shell, text: &[u8]) -> Vec<Sym> {
    let mut all = Vec::new();
    for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        all.push(shell.intern(word));
    }
    all
}
