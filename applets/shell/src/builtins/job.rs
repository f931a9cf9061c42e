//! Builtins over jobs: `jobs`, `fg`, `bg`, `wait`, `kill`.

use super::operands::{number, options};
use crate::state::builtin::Done;
use crate::state::jobs::{Job, Process};
use crate::state::stream::write_error;

use crate::state::traps::{signal_name, signal_number};
use crate::state::{Fail, Shell};
use rbox_core::number::Decimal;
use rbox_core::push;
use rbox_core::signals;
use rbox_core::sys::process::Change;
use rbox_core::sys::{error_text, signal};
use rbox_core::text;
use rbox_core::text::Right;

/// The index of a job in the table: `%1`, `%+`, `%-`, `%text`, `%?text` (XBD 3.182).
pub fn find(shell: &mut Shell, word: &[u8]) -> Result<usize, Fail> {
    let all = &shell.jobs.all;
    let spec = word.strip_prefix(b"%").unwrap_or(word);
    let found = match spec {
        b"" | b"+" | b"%" => all.len().checked_sub(1),
        b"-" => all.len().checked_sub(2),
        _ => match rbox_core::number::parse_decimal(spec) {
            Some(number) => all.iter().position(|job| job.number as u64 == number),
            None => return find_text(shell, word, spec),
        },
    };
    if found.is_none() && matches!(spec, b"" | b"+" | b"%") {
        return Err(shell.plain_error(b"No current job"));
    }
    found.ok_or_else(|| shell.error(&[word, b": no such job"]))
}

fn find_text(shell: &mut Shell, word: &[u8], spec: &[u8]) -> Result<usize, Fail> {
    let matches = |at: &usize| {
        let text = shell.jobs.all[*at].text();
        match spec.strip_prefix(b"?") {
            Some(part) => rbox_core::bytes::find(&text, part).is_some(),
            None => text.starts_with(spec),
        }
    };
    let mut found = (0..shell.jobs.all.len()).filter(matches);
    let reason: &[u8] = match (found.next(), found.next()) {
        (Some(at), None) => return Ok(at),
        (None, _) => b": no such job",
        (Some(_), Some(_)) => b": ambiguous",
    };
    Err(shell.error(&[word, reason]))
}

/// `jobs [-lp] [JOB...]`
pub fn jobs(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, b"lp")?;
    shell.reap();
    shell.with_seen_jobs(|shell| list_jobs(shell, &flags, words))
}

fn list_jobs(shell: &mut Shell, flags: &[u8], words: &[&[u8]]) -> Done {
    for word in words {
        let at = find(shell, word)?;
        list_job(shell, at, flags);
    }
    if words.is_empty() {
        for at in (0..shell.jobs.all.len()).rev() {
            list_job(shell, at, flags);
        }
    }
    Ok(0)
}

fn list_job(shell: &mut Shell, at: usize, flags: &[u8]) {
    let mut text = Vec::new();
    if flags.contains(&b'p') {
        let pid = Decimal::new(shell.jobs.all[at].processes[0].pid.unsigned_abs().into());
        text.extend_from_slice(&[pid.as_bytes(), b"\n"].concat());
    } else {
        shell.job_line(at, flags.contains(&b'l'), &mut text);
    }
    shell.print(&text);
    shell.jobs.set_reported(at);
}

/// Lets a stopped job go on; it becomes the newest of those that run.
fn resume(shell: &mut Shell, at: usize) -> Result<(), Fail> {
    let mut job = shell.jobs.all.remove(at);
    for one in &mut job.processes {
        if matches!(one.change, Some(Change::Stopped(_))) {
            one.change = None;
        }
    }
    let (group, ended) = (job.processes[0].pid, job.ended());
    shell.jobs.insert(job);
    match signal::kill(-group, 18) {
        Err(errno) if !ended => Err(shell.plain_error(error_text(errno).as_bytes())),
        _ => Ok(()),
    }
}

/// The job of an operand of `fg` or `bg`.
fn controlled(shell: &mut Shell, word: &[u8]) -> Result<usize, Fail> {
    let at = find(shell, word)?;
    if !shell.jobs.all[at].controlled {
        let number = Decimal::new(shell.jobs.all[at].number as u64);
        return Err(shell.error(&[b"job %", number.as_bytes(), b" not created under job control"]));
    }
    Ok(at)
}

/// `fg [JOB]`
pub fn fg(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (_, words) = options(shell, words, b"")?;
    let at = controlled(shell, words.first().copied().unwrap_or(b"%+"))?;
    let job = &shell.jobs.all[at];
    let (number, group, text) = (job.number, job.processes[0].pid, job.text());
    shell.print(&[&text[..], b"\n"].concat());
    shell.give_terminal(group);
    if let Err(fail) = resume(shell, at) {
        shell.take_terminal();
        return Err(fail);
    }
    Ok(shell.wait_on_terminal(number, group))
}

/// `bg [JOB...]`
pub fn bg(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (_, words) = options(shell, words, b"")?;
    for number in 0..words.len().max(1) {
        let at = controlled(shell, words.get(number).copied().unwrap_or(b"%+"))?;
        let job = &shell.jobs.all[at];
        let number = Decimal::new(job.number as u64);
        let line = [b"[", number.as_bytes(), b"] ", &job.text(), b"\n"].concat();
        shell.print(&line);
        resume(shell, at)?;
    }
    Ok(0)
}

/// `wait [-n] [PID|JOB...]`
pub fn wait(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if shell.options.bash && words.contains(&&b"-p"[..]) {
        return wait_and_tell(shell, words);
    }
    let (flags, words) = options(shell, words, b"n")?;
    if flags.contains(&b'n') || words.is_empty() {
        return wait_all(shell, flags.contains(&b'n'));
    }
    let mut status = 0;
    for word in words {
        let mut process = None;
        let at = if word.starts_with(b"%") {
            find(shell, word)?
        } else {
            let pid = number(shell, word)? as i32;
            process = Some(pid);
            match shell.jobs.all.iter().position(|job| job.processes.iter().any(|one| one.pid == pid)) {
                Some(at) => at,
                None => {
                    status = shell.jobs.remembered(pid).unwrap_or(127);
                    continue;
                }
            }
        };
        match wait_one(shell, at, process) {
            Ok(found) => status = found,
            // XCU wait: a trapped signal ends it with a status over 128.
            Err(signal) => return Ok(128 + signal as u8),
        }
    }
    Ok(status)
}

/// bash's `wait -p NAME`: the variable is given the process that was waited for.
fn wait_and_tell(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut words = words.to_vec();
    let at = words.iter().position(|word| *word == b"-p").unwrap_or(0);
    if at + 1 >= words.len() {
        return Err(shell.plain_error(b"option requires an argument -p"));
    }
    words.remove(at);
    let name = words.remove(at);
    shell.flow.waited = 0;
    let status = wait(shell, &words)?;
    match shell.flow.waited {
        0 => {
            let name = shell.intern(name);
            shell.unset(name)?;
        }
        pid => shell.set_by_text(name, &text!(i64::from(pid)))?,
    }
    Ok(status)
}

/// Waits for the end of a job or of one process of it (XCU wait), with job control also until the job is stopped; an
/// error with the number of a trapped signal.
fn wait_one(shell: &mut Shell, at: usize, process: Option<i32>) -> Result<u8, i32> {
    let number = shell.jobs.all[at].number;
    let waits_for = |one: &&Process| process == Some(one.pid);
    let has_ended = |job: &Job| job.processes.iter().find(waits_for).map_or_else(|| job.ended(), Process::ended);
    let known = has_ended(&shell.jobs.all[at]);
    if let Some(signal) = shell.trapped_signal(false) {
        return Err(signal);
    }
    // It may have gone on since it was last looked at.
    shell.reap();
    loop {
        let Some(at) = shell.jobs.all.iter().position(|job| job.number == number) else { return Ok(127) };
        let job = &shell.jobs.all[at];
        if has_ended(job) {
            let one = job.processes.iter().find(waits_for).or(job.processes.last());
            let (pid, change) = one.map_or((0, None), |one| (one.pid, one.change));
            let ended = job.ended();
            shell.flow.waited = pid;
            if !known {
                shell.report_end(at);
            }
            if ended {
                shell.jobs.remember(at);
                shell.jobs.all[at].is_waited_for = true;
                if !shell.keeps_ended_jobs() {
                    shell.jobs.all.remove(at);
                }
            }
            return Ok(change.map_or(0, Change::status));
        }
        if job.stopped() && shell.options.monitor {
            return Ok(job.status());
        }
        if !shell.wait_any()? {
            return Ok(127);
        }
    }
}

fn wait_all(shell: &mut Shell, one: bool) -> Done {
    loop {
        if (one || !shell.keeps_ended_jobs())
            && let Some(at) = shell.jobs.all.iter().position(|job| job.ended())
        {
            let job = shell.jobs.all.remove(at);
            shell.flow.waited = job.processes.last().map_or(0, |one| one.pid);
            if one {
                return Ok(job.status());
            }
            continue;
        }
        if shell.jobs.all.iter().all(|job| job.ended() || job.stopped()) {
            shell.jobs.all.iter_mut().for_each(|job| job.is_waited_for = true);
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
            b"l" => return list_signals(shell, rest),
            b"L" if shell.options.bash => return list_signals(shell, rest),
            b"-" => {}
            b"s" | b"n" if !rest.is_empty() => {
                let (name, rest) = (rest[0], &rest[1..]);
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
    let words = rbox_core::options::after_dashes(words);
    if words.is_empty() {
        write_error(&[&shell.invocation.name[..], b": you need to specify whom to kill\n"].concat());
        return Ok(1);
    }
    // As in BusyBox the status is the number of errors.
    let mut errors = 0u8;
    for word in words {
        let targets = if word.starts_with(b"%") {
            shell.with_seen_jobs(|shell| job_targets(shell, word))?
        } else {
            match crate::syntax::expression::small_number(word).and_then(|pid| i32::try_from(pid).ok()) {
                Some(pid) => vec![pid],
                None => {
                    write_error(&[&shell.invocation.name[..], b": invalid number '", word, b"'\n"].concat());
                    errors = errors.saturating_add(1);
                    continue;
                }
            }
        };
        for pid in targets {
            if let Err(errno) = signal::kill(pid, sent) {
                let line = [
                    &shell.invocation.name[..],
                    b": can't kill pid ",
                    word,
                    b": ",
                    error_text(errno).as_bytes(),
                    b"\n",
                ]
                .concat();
                write_error(&line);
                errors = errors.saturating_add(1);
            }
        }
    }
    Ok(errors)
}

/// What `kill` sends to for a job: its group, or without job control what runs of its processes.
fn job_targets(shell: &mut Shell, word: &[u8]) -> Result<Vec<i32>, Fail> {
    let at = find(shell, word)?;
    let job = &shell.jobs.all[at];
    Ok(match job.controlled {
        true => vec![-job.processes[0].pid],
        false => job.processes.iter().filter(|one| !one.ended()).map(|one| one.pid).collect(),
    })
}

fn wanted(shell: &mut Shell, name: &[u8]) -> Option<i32> {
    let number = signal_number(name);
    if number.is_none() {
        write_error(&[&shell.invocation.name[..], b": bad signal name '", name, b"'\n"].concat());
    }
    number.map(|number| number as i32)
}

/// `kill -l`, `trap -l`
pub fn list_signals(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut text = Vec::new();
    if words.is_empty() {
        for (number, name) in (1..signals::END).filter_map(|number| Some((number, signal_name(number)?))) {
            // bash's names are in full, five on a line.
            let (full, end) = match shell.options.bash {
                true => ("SIG", if number % 5 == 0 || number + 1 == signals::END { "\n" } else { "\t" }),
                false => ("", "\n"),
            };
            push!(text, Right(number, 2, b' '), ") ", full, name, end);
        }
    }
    for word in words {
        let is_number = word.iter().all(u8::is_ascii_digit);
        let given = rbox_core::number::parse_decimal(word).and_then(|number| usize::try_from(number).ok());
        let Some(number) = given.or_else(|| signal_number(word)) else {
            shell.print(&text);
            write_error(&[&shell.invocation.name[..], b": unknown signal '", word, b"'\n"].concat());
            return Ok(1);
        };
        // A status over 128 is that of a process that a signal ended (XCU kill, -l).
        let number = if number > 127 { number & 127 } else { number };
        match signal_name(number) {
            Some(name) if is_number => push!(text, name, "\n"),
            _ => push!(text, number, "\n"),
        }
    }
    shell.print(&text);
    Ok(0)
}
