//! `taskset`: on which processors a process may run (sched_setaffinity(2)).

use rbox_core::call;
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::processes::threads_of;
use rbox_core::push;
use rbox_core::sys::process::Pid;
use rbox_core::sys::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

options! {
    "[-ap] [MASK | -c LIST] {PID | PROG [ARG]...}

Run PROG on the CPUs of MASK, a hexadecimal number, or print or change those of PID.

  -a, --all-tasks  Operate on all threads of PID
  -c, --cpu-list   Use a list, as 0-3,7 or 0-7:2, not a mask
  -p, --pid        Operate on PID";
    ALL = "-a",
    LIST = "-c",
    PID = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands();
    let parse = if args.has(LIST) { parse_list } else { parse_mask };
    let wanted = |word: &[u8]| parse(word).ok_or_else(|| Error::parts(&[b"bad affinity '", word, b"'"]));
    if !args.has(PID) {
        let operands = args.operands_between(2, usize::MAX)?;
        set(0, &wanted(operands[0])?)?;
        return Ok(call::replace(env, &operands[1..]));
    }
    let (mask, word) = match operands {
        [pid] => (None, *pid),
        [mask, pid] => (Some(wanted(mask)?), *pid),
        _ => return Err(Error::usage()),
    };
    let pid = parse_decimal(word).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
    let pid = pid.ok_or_else(|| invalid(word))?;
    let threads = if args.has(ALL) { threads_of(pid) } else { vec![pid] };
    if threads.is_empty() {
        return Err(get(pid).err().unwrap_or_else(Error::usage));
    }
    for pid in threads {
        show(env, pid, "current", args.has(LIST))?;
        if let Some(mask) = &mask {
            set(pid, mask)?;
            show(env, pid, "new", args.has(LIST))?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn failed(what: &str, pid: i32, errno: rbox_core::sys::Errno) -> Error {
    Error::on(rbox_core::text!("can't ", what, " pid ", pid as u32, "'s affinity"), errno)
}

fn get(pid: i32) -> Result<CpuSet> {
    sched_getaffinity(Pid::from_raw(pid)).map_err(|errno| failed("get", pid, errno))
}

fn set(pid: i32, set: &CpuSet) -> Result<()> {
    sched_setaffinity(Pid::from_raw(pid), set).map_err(|errno| failed("set", pid, errno))
}

fn show(env: &mut Env, pid: i32, which: &str, list: bool) -> Result<()> {
    let set = get(pid)?;
    let mut line = Vec::new();
    push!(line, "pid ", pid as u32, "'s ", which, " affinity ", if list { "list: " } else { "mask: " });
    push!(line, if list { list_text(&set) } else { mask_text(&set) }, "\n");
    env.stdout.write(&line)
}

/// A mask of hexadecimal digits, `0x` before it or not, commas between them.
fn parse_mask(word: &[u8]) -> Option<CpuSet> {
    let digits = word.strip_prefix(b"0x").or(word.strip_prefix(b"0X")).unwrap_or(word);
    let mut set = CpuSet::new();
    let mut bit = 0;
    for &byte in digits.iter().rev().filter(|byte| **byte != b',') {
        let digit = char::from(byte).to_digit(16)?;
        for offset in (0..4).filter(|offset| digit >> offset & 1 == 1) {
            if bit + offset >= CpuSet::MAX_CPU {
                return None;
            }
            set.set(bit + offset);
        }
        bit += 4;
    }
    (bit > 0).then_some(set)
}

/// `FIRST[-LAST[:STEP]]`, with commas between several.
fn parse_list(word: &[u8]) -> Option<CpuSet> {
    let mut set = CpuSet::new();
    for part in word.split(|&byte| byte == b',') {
        let (range, step) = match rbox_core::bytes::split_once(part, b':') {
            Some((range, step)) => (range, parse_decimal(step).filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = rbox_core::bytes::split_once(range, b'-').unwrap_or((range, range));
        let (first, last) = (parse_decimal(first)?, parse_decimal(last)?);
        if last < first || last >= CpuSet::MAX_CPU as u64 {
            return None;
        }
        (first..=last).step_by(usize::try_from(step).ok()?).for_each(|cpu| set.set(cpu as usize));
    }
    Some(set)
}

fn mask_text(set: &CpuSet) -> Vec<u8> {
    let digit = |at: usize| (0..4).filter(|bit| set.is_set(at * 4 + bit)).fold(0, |digit, bit| digit | 1 << bit);
    let digits = (0..CpuSet::MAX_CPU / 4).rev().map(|at| b"0123456789abcdef"[digit(at)]);
    let text: Vec<u8> = digits.skip_while(|byte| *byte == b'0').collect();
    if text.is_empty() { b"0".to_vec() } else { text }
}

fn list_text(set: &CpuSet) -> Vec<u8> {
    let (mut text, mut cpu) = (Vec::new(), 0);
    while cpu < CpuSet::MAX_CPU {
        if !set.is_set(cpu) {
            cpu += 1;
            continue;
        }
        let first = cpu;
        while cpu < CpuSet::MAX_CPU && set.is_set(cpu) {
            cpu += 1;
        }
        push!(text, if text.is_empty() { "" } else { "," }, first);
        if cpu - first > 1 {
            push!(text, "-", cpu - 1);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_lists_are_read_and_written() {
        let list = |word: &[u8]| parse_list(word).map(|set| (mask_text(&set), list_text(&set)));
        assert_eq!(list(b"0-3,8"), Some((b"10f".to_vec(), b"0-3,8".to_vec())));
        assert_eq!(list(b"0-6:2,1"), Some((b"57".to_vec(), b"0-2,4,6".to_vec())));
        assert_eq!(list(b"5,4"), Some((b"30".to_vec(), b"4-5".to_vec())));
        assert!(["", "x", "3-1", "0-99999", "0-3:0", "1,"].iter().all(|word| parse_list(word.as_bytes()).is_none()));
        let mask = |word: &[u8]| parse_mask(word).map(|set| list_text(&set));
        assert_eq!((mask(b"0x1F"), mask(b"1,00000000")), (Some(b"0-4".to_vec()), Some(b"32".to_vec())));
        assert!(parse_mask(b"").is_none() && parse_mask(b"g").is_none() && parse_mask(&[b'f'; 999]).is_none());
    }
}
