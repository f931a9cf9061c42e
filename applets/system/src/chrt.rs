//! `chrt`: the scheduling policy and the static priority of a process (sched(7)).

use rbox_core::call;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{invalid, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::processes::threads_of;
use rbox_core::sys::schedule::{RESET_ON_FORK, policy, priority, priority_range, set_policy};
use rbox_core::text;

options! {
    "[-bfioraRv] PRIORITY PROG [ARG]... | chrt -p [PRIORITY] PID | chrt -m

Run PROG with a scheduling policy, or print or change that of PID.

  -b, --batch     Set SCHED_BATCH
  -f, --fifo      Set SCHED_FIFO
  -i, --idle      Set SCHED_IDLE
  -o, --other     Set SCHED_OTHER
  -r, --rr        Set SCHED_RR (default)
  -R, --reset-on-fork  Reset the policy of children
  -a, --all-tasks  Change all threads of PID
  -m, --max       Print the priority range of each policy
  -p, --pid       Operate on PID
  -v, --verbose   Print the new policy";
    BATCH = "-b",
    FIFO = "-f",
    IDLE = "-i",
    OTHER = "-o",
    ROUND_ROBIN = "-r",
    RESET = "-R",
    ALL = "-a",
    RANGES = "-m",
    PID = "-p",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

const POLICIES: Names = names! {
    "SCHED_OTHER" = 0, "SCHED_FIFO" = 1, "SCHED_RR" = 2, "SCHED_BATCH" = 3, "SCHED_IDLE" = 5, "SCHED_DEADLINE" = 6,
};

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(RANGES) {
        for (name, number) in POLICIES.iter() {
            let line = match priority_range(number as i32) {
                Ok((low, high)) => text!(name, " min/max priority\t: ", low as u32, "/", high as u32, "\n"),
                Err(_) => text!(name, " not supported\n"),
            };
            env.stdout.write(&line)?;
        }
        return Ok(ExitStatus::SUCCESS);
    }
    let wanted = match args.last_of(&[BATCH, FIFO, IDLE, OTHER, ROUND_ROBIN]) {
        Some(BATCH) => 3,
        Some(FIFO) => 1,
        Some(IDLE) => 5,
        Some(OTHER) => 0,
        _ => 2,
    };
    let flags = if args.has(RESET) { RESET_ON_FORK } else { 0 };
    let operands = args.operands_between(1, usize::MAX)?;
    if !args.has(PID) {
        let operands = args.operands_between(2, usize::MAX)?;
        set(0, wanted | flags, level(wanted, operands[0])?)?;
        if args.has(VERBOSE) {
            show(env, 0, "new")?;
        }
        return Ok(call::replace(env, &operands[1..]));
    }
    let (word, new) = match operands {
        [pid] => (*pid, None),
        [new, pid] => (*pid, Some(level(wanted, new)?)),
        _ => return Err(Error::usage()),
    };
    let pid = parse_decimal(word).and_then(|pid| i32::try_from(pid).ok()).ok_or_else(|| invalid(word))?;
    for pid in if args.has(ALL) { threads_of(pid) } else { vec![pid] } {
        if new.is_none() || args.has(VERBOSE) {
            show(env, pid, "current")?;
        }
        if let Some(new) = new {
            set(pid, wanted | flags, new)?;
            if args.has(VERBOSE) {
                show(env, pid, "new")?;
            }
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn level(policy: i32, word: &[u8]) -> Result<i32> {
    let (low, high) = priority_range(policy).map_err(|errno| Error::on("can't get priorities", errno))?;
    parse_in_range(word, low as u64, high as u64).map(|level| level as i32)
}

fn set(pid: i32, policy: i32, level: i32) -> Result<()> {
    set_policy(pid, policy, level).map_err(|errno| Error::on(text!("can't set pid ", pid as u32, "'s policy"), errno))
}

fn show(env: &mut Env, pid: i32, which: &str) -> Result<()> {
    let failed = |errno| Error::on(text!("can't get pid ", pid as u32, "'s policy"), errno);
    let (found, level) = (policy(pid).map_err(failed)?, priority(pid).map_err(failed)?);
    let name = POLICIES.name_of((found & !RESET_ON_FORK) as u64).unwrap_or("unknown");
    let reset = if found & RESET_ON_FORK != 0 { "|SCHED_RESET_ON_FORK" } else { "" };
    let lead = text!("pid ", pid as u32, "'s ", which, " scheduling ");
    env.stdout.write(&text!(&lead, "policy: ", name, reset, "\n", &lead, "priority: ", level as u32, "\n"))
}
