//! Builtins over jobs: `jobs`, `fg`, `bg`, `wait`, `kill`.

use super::{Done, number, options};
use crate::exec::trap::{SIGNALS, signal_number};
use crate::shell::{Fail, Shell, write_all};
use rbox_core::sys::{error_text, signal};

/// The place of a job in the table: `%1`, `%+`, `%-`, `%text`, `%?text`.
fn find(shell: &mut Shell, word: &[u8]) -> Result<usize, Fail> {
    let all = &shell.jobs.all;
    let spec = word.strip_prefix(b"%").unwrap_or(word);
    let found = match spec {
        b"" | b"+" | b"%" => all.len().checked_sub(1),
        b"-" => all.len().checked_sub(2),
        [b'?', text @ ..] => all.iter().rposition(|job| job.text.windows(text.len().max(1)).any(|part| part == text)),
        _ => match rbox_core::number::parse_decimal(spec) {
            Some(number) => all.iter().position(|job| job.number as u64 == number),
            None => all.iter().rposition(|job| job.text.starts_with(spec)),
        },
    };
    found.ok_or_else(|| shell.error(&[word, b": no such job"]))
}

/// `jobs [-lp] [JOB...]`
pub fn jobs(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (letters, words) = options(shell, words, b"lp")?;
    shell.reap();
    let mut places = Vec::new();
    for word in words {
        places.push(find(shell, word)?);
    }
    if words.is_empty() {
        places = (0..shell.jobs.all.len()).collect();
    }
    let mut text = Vec::new();
    for at in places {
        if letters.contains(&b'p') {
            text.extend_from_slice(format!("{}\n", shell.jobs.all[at].processes[0].pid).as_bytes());
        } else {
            text.extend_from_slice(&shell.job_line(at, letters.contains(&b'l')));
        }
        shell.jobs.all[at].told = true;
    }
    shell.print(&text);
    shell.jobs.all.retain(|job| !job.ended());
    Ok(0)
}

/// Lets a stopped job go on.
fn resume(shell: &mut Shell, at: usize) -> Result<(), Fail> {
    for one in &mut shell.jobs.all[at].processes {
        if matches!(one.change, Some(rbox_core::sys::process::Change::Stopped(_))) {
            one.change = None;
        }
    }
    let group = shell.jobs.all[at].processes[0].pid;
    signal::kill(-group, 18).map_err(|errno| shell.error(&[error_text(errno).as_bytes()]))
}

/// `fg [JOB]`
pub fn fg(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let at = find(shell, words.first().unwrap_or(&&b"%+"[..]))?;
    if !shell.options.monitor {
        return Err(shell.error(&[b"job not created under job control"]));
    }
    let job = shell.jobs.all.remove(at);
    shell.print(&[&job.text[..], b"\n"].concat());
    let (number, group) = (job.number, job.processes[0].pid);
    shell.jobs.all.push(job);
    shell.give_terminal(group);
    resume(shell, shell.jobs.all.len() - 1)?;
    let status = shell.wait_job(number);
    shell.take_terminal();
    Ok(status)
}

/// `bg [JOB]`
pub fn bg(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let at = find(shell, words.first().unwrap_or(&&b"%+"[..]))?;
    let job = &shell.jobs.all[at];
    let line = [format!("[{}] ", job.number).as_bytes(), &job.text, b"\n"].concat();
    shell.print(&line);
    resume(shell, at)?;
    Ok(0)
}

/// `wait [-n] [PID|JOB...]`
pub fn wait(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (letters, words) = options(shell, words, b"n")?;
    if letters.contains(&b'n') || words.is_empty() {
        return wait_all(shell, letters.contains(&b'n'));
    }
    let mut status = 0;
    for word in words {
        let at = if word.starts_with(b"%") {
            find(shell, word)?
        } else {
            let pid = number(shell, word)? as i32;
            match shell.jobs.all.iter().position(|job| job.processes.iter().any(|one| one.pid == pid)) {
                Some(at) => at,
                None => {
                    status = 127;
                    continue;
                }
            }
        };
        let number = shell.jobs.all[at].number;
        status = loop {
            let Some(at) = shell.jobs.all.iter().position(|job| job.number == number) else { break 127 };
            if shell.jobs.all[at].ended() {
                shell.tell_end(at);
                break shell.jobs.all.remove(at).status();
            }
            match shell.wait_any() {
                Ok(true) => {}
                Ok(false) => break 127,
                // XCU wait: a trapped signal ends it with a status over 128.
                Err(signal) => return Ok(128 + signal as u8),
            }
        };
    }
    Ok(status)
}

fn wait_all(shell: &mut Shell, one: bool) -> Done {
    loop {
        if let Some(at) = shell.jobs.all.iter().position(|job| job.ended()) {
            let job = shell.jobs.all.remove(at);
            if one {
                return Ok(job.status());
            }
            continue;
        }
        if shell.jobs.all.iter().all(|job| job.stopped()) {
            return Ok(if one { 127 } else { 0 });
        }
        match shell.wait_any() {
            Ok(true) => {}
            Ok(false) => return Ok(if one { 127 } else { 0 }),
            Err(signal) => return Ok(128 + signal as u8),
        }
    }
}

/// `kill [-SIGNAL] PID|JOB...`, `kill -l [STATUS...]`
pub fn kill(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut words = words;
    let mut sent = 15;
    if let Some((first, rest)) = words.split_first()
        && first.len() > 1
        && first[0] == b'-'
    {
        words = rest;
        match &first[1..] {
            b"l" | b"L" => return list_signals(shell, rest),
            b"-" => {}
            b"s" | b"n" => {
                let Some((name, rest)) = rest.split_first() else { return Err(shell.error(&[b"no signal given"])) };
                words = rest;
                let Some(number) = wanted(shell, name) else { return Ok(1) };
                sent = number;
            }
            name => match wanted(shell, name) {
                Some(number) => sent = number,
                None => return Ok(1),
            },
        }
    }
    let words = words.strip_prefix(&[&b"--"[..]]).unwrap_or(words);
    if words.is_empty() {
        let _ = write_all(2, &[&shell.called[..], b": you need to specify whom to kill\n"].concat());
        return Ok(1);
    }
    let mut status = 0;
    for word in words {
        let targets = if word.starts_with(b"%") {
            let at = find(shell, word)?;
            if shell.options.monitor {
                vec![-shell.jobs.all[at].processes[0].pid]
            } else {
                shell.jobs.all[at].processes.iter().map(|one| one.pid).collect()
            }
        } else {
            match crate::arith::small_number(word).and_then(|pid| i32::try_from(pid).ok()) {
                Some(pid) => vec![pid],
                None => {
                    let _ = write_all(2, &[&shell.called[..], b": invalid number '", word, b"'\n"].concat());
                    status = 1;
                    continue;
                }
            }
        };
        for pid in targets {
            if let Err(errno) = signal::kill(pid, sent) {
                let line = [&shell.called[..], b": can't kill pid ", word, b": ", error_text(errno).as_bytes(), b"\n"]
                    .concat();
                let _ = write_all(2, &line);
                status = 1;
            }
        }
    }
    Ok(status)
}

fn wanted(shell: &mut Shell, name: &[u8]) -> Option<i32> {
    let number = signal_number(name);
    if number.is_none() {
        let _ = write_all(2, &[&shell.called[..], b": bad signal name '", name, b"'\n"].concat());
    }
    number.map(|number| number as i32)
}

fn list_signals(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut text = Vec::new();
    if words.is_empty() {
        for (number, name) in SIGNALS.iter().enumerate().skip(1) {
            text.extend_from_slice(format!("{number:2}) {name}\n").as_bytes());
        }
    }
    for word in words {
        let Some(number) = signal_number(word).or_else(|| Some(number(shell, word).ok()? as usize)) else {
            return Ok(1);
        };
        let number = if number > 128 { number - 128 } else { number };
        let is_number = word.iter().all(u8::is_ascii_digit);
        match SIGNALS.get(number) {
            Some(name) if is_number => text.extend_from_slice(name.as_bytes()),
            _ => text.extend_from_slice(number.to_string().as_bytes()),
        }
        text.push(b'\n');
    }
    shell.print(&text);
    Ok(0)
}
