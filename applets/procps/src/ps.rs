//! `ps`: list processes (POSIX XCU ps in the form that BusyBox has: all of them, columns by `-o`).

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{Decimal, parse_in_range, push_padded};
use rbox_core::prelude::*;
use rbox_core::processes::{self, Process, TICKS};
use rbox_core::users;

options! {
    "[OPTION]...

List all processes, or the selected ones.

  -o COLUMN[=HEADER],...  Print these columns (pid,user,time,args)
  -f                      Print user,pid,ppid,etime,tty,time,args
  -p, --pid=PID,...       Select processes by PID
      --ppid=PID,...      Select the children of these PIDs
  -T                      List threads too
  -a, -A, -d, -e          Ignored: all processes are listed
  -w                      Ignored: lines are never cut
  -l, -Z                  Ignored; accepted for compatibility

Columns: user group comm args pid ppid pgid sid tty vsz rss stat nice etime
time ruser rgroup.";
    COLUMNS = "-o",
    FULL = "-f",
    PIDS = "-p",
    PARENTS = "--ppid",
    THREADS = "-T",
    "-a" => ignored,
    "-w" => ignored,
    "-l" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// The columns: name, header and, as the number, the width; with `RIGHT` added where the cells are to the right.
const COLUMNS_KNOWN: Names = names! {
    "user USER" = 8, "group GROUP" = 8, "ruser RUSER" = 8, "rgroup RGROUP" = 8, "comm COMMAND" = 16, "args COMMAND" = 256, "pid PID" = RIGHT + 5, "ppid PPID" = RIGHT + 5, "pgid PGID" = RIGHT + 5, "sid SID" = RIGHT + 5, "tty TT" = 6, "vsz VSZ" = RIGHT + 4, "rss RSS" = RIGHT + 4, "stat STAT" = 4, "nice NI" = RIGHT + 5, "etime ELAPSED" = RIGHT + 7, "time TIME" = RIGHT + 5,
};
const RIGHT: u64 = 1 << 16;

/// A column of the listing.
struct Column {
    name: &'static str,
    header: Vec<u8>,
    width: usize,
    right: bool,
}

impl Column {
    fn named(word: &[u8]) -> Option<Self> {
        COLUMNS_KNOWN.iter().find_map(|(text, number)| {
            let (name, header) = text.split_once(' ')?;
            let (width, right) = ((number % RIGHT) as usize, number >= RIGHT);
            (name.as_bytes() == word).then(|| Self { name, header: header.as_bytes().to_vec(), width, right })
        })
    }

    fn cell(&self, process: &Process, names: &mut users::NameCache, own: &[&[u8]]) -> Vec<u8> {
        match self.name {
            "user" => names.user(process.owner().unwrap_or_default().0).to_vec(),
            "group" => names.group(process.owner().unwrap_or_default().1).to_vec(),
            "ruser" => names.user(real_id(process, b"Uid:")).to_vec(),
            "rgroup" => names.group(real_id(process, b"Gid:")).to_vec(),
            "comm" => process.shown_name(),
            "args" => command_line(process, own),
            "pid" => decimal(process.pid as u64),
            "ppid" => decimal(process.parent as u64),
            "pgid" => decimal(process.group as u64),
            "sid" => decimal(process.session as u64),
            "tty" => terminal(process.tty),
            "vsz" => size(process.virtual_size >> 10),
            "rss" => size(process.resident_pages * page_kilobytes()),
            "stat" => state(process),
            "nice" => {
                let digits = decimal(process.nice.unsigned_abs());
                if process.nice < 0 { [b"-", &digits[..]].concat() } else { digits }
            }
            "etime" => clock((uptime_milliseconds() / 1000).saturating_sub(process.started / TICKS)),
            _ => clock(process.total_time() / TICKS),
        }
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut columns = Vec::new();
    for list in args.values(COLUMNS) {
        choose(list, &mut columns)?;
    }
    if columns.is_empty() {
        let usual: &[u8] = if args.has(FULL) { b"user,pid,ppid,etime,tty,time,args" } else { b"pid,user,time,args" };
        choose(usual, &mut columns)?;
    }
    let (pids, parents) = (listed(args, PIDS)?, listed(args, PARENTS)?);
    let all = pids.is_empty() && parents.is_empty();
    if columns.iter().any(|column| !column.header.is_empty()) {
        let cells = columns.iter().map(|column| (column, column.header.clone(), false)).collect();
        print(env, cells)?;
    }
    let mut names = users::NameCache::default();
    let mut found = false;
    for pid in processes::all()? {
        let threads = if args.has(THREADS) { processes::threads_of(pid) } else { vec![pid] };
        for pid in threads {
            // One that ended since the directory was read is no longer there to show.
            let Some(process) = Process::read(pid) else { continue };
            if !all && !pids.contains(&process.pid) && !parents.contains(&process.parent) {
                continue;
            }
            found = true;
            let cells = columns
                .iter()
                .map(|column| (column, column.cell(&process, &mut names, args.words()), column.right))
                .collect();
            print(env, cells)?;
        }
    }
    Ok(if found { ExitStatus::SUCCESS } else { ExitStatus::FAILURE })
}

/// The PIDs in all lists of an option, separated by commas or blanks.
fn listed(args: &Args<'_>, option: Opt) -> Result<Vec<i32>> {
    let mut pids = Vec::new();
    for list in args.values(option) {
        for word in list.split(|byte| matches!(byte, b',' | b' ')) {
            pids.push(parse_in_range(word, 1, i32::MAX as u64)? as i32);
        }
    }
    Ok(pids)
}

/// Adds the columns of a list. A header after `=` takes the rest of the list, commas and all (POSIX XCU ps, `-o`), but what
/// scripts write is `pid=,comm=`: where the name of a column follows a comma, the next column begins.
fn choose(list: &[u8], columns: &mut Vec<Column>) -> Result<()> {
    let mut rest = Some(list);
    while let Some(list) = rest {
        let end = list.iter().position(|byte| matches!(byte, b',' | b'=' | b' ')).unwrap_or(list.len());
        let (name, after) = list.split_at(end);
        let mut column = Column::named(name).ok_or_else(|| Error::parts(&[b"bad -o argument '", name, b"'"]))?;
        rest = match after.split_first() {
            Some((b'=', text)) => {
                let mut commas = text.iter().enumerate().filter(|(_, byte)| **byte == b',').map(|(at, _)| at);
                let end = commas.find(|at| begins_with_column(&text[at + 1..]));
                column.header = text[..end.unwrap_or(text.len())].to_vec();
                end.map(|end| &text[end + 1..])
            }
            Some((_, after)) => Some(after),
            None => None,
        };
        columns.push(column);
    }
    Ok(())
}

fn begins_with_column(list: &[u8]) -> bool {
    list.split(|byte| matches!(byte, b',' | b'=' | b' ')).next().and_then(Column::named).is_some()
}

/// Prints one line: each cell padded to its column, the last one as long as it is.
fn print(env: &mut Env, cells: Vec<(&Column, Vec<u8>, bool)>) -> Result<()> {
    let mut line = Vec::new();
    let last = cells.len() - 1;
    for (index, (column, text, right)) in cells.into_iter().enumerate() {
        let gap = column.width.saturating_sub(text.len());
        if right {
            line.resize(line.len() + gap, b' ');
        }
        line.extend_from_slice(&text);
        if index < last {
            line.resize(line.len() + if right { 0 } else { gap } + 1, b' ');
        }
    }
    line.push(b'\n');
    env.stdout.write(&line)
}

fn decimal(number: u64) -> Vec<u8> {
    Decimal::new(number).as_bytes().to_vec()
}

/// The command line. `own` are the words of this call: in the shell's child /proc has the shell's.
fn command_line(process: &Process, own: &[&[u8]]) -> Vec<u8> {
    let is_own = process.pid == rbox_core::sys::process::getpid().as_raw_pid();
    let words = if is_own { own.iter().map(|word| word.to_vec()).collect() } else { process.words() };
    process.command_line(&words, is_own)
}

/// `BASE,INDEX` of the device; `?` for none. The numbers are those of /proc/devices' tty drivers.
fn terminal(device: u32) -> Vec<u8> {
    if device == 0 {
        return b"?".to_vec();
    }
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    [&decimal(major.into())[..], b",", &decimal(minor.into())].concat()
}

/// Kilobytes, or from 10,000 on megabytes with `m`, or gigabytes with `g`: four columns are enough.
fn size(kilobytes: u64) -> Vec<u8> {
    let (number, character) = match kilobytes {
        0..10_000 => return decimal(kilobytes),
        10_000..10_240_000 => (kilobytes >> 10, b'm'),
        _ => (kilobytes >> 20, b'g'),
    };
    let mut text = decimal(number);
    text.push(character);
    text
}

fn page_kilobytes() -> u64 {
    rbox_core::sys::param::page_size() as u64 / 1024
}

/// The state's character; W without pages, `<` and N by niceness.
pub fn state(process: &Process) -> Vec<u8> {
    let mut text = vec![process.state];
    if process.resident_pages == 0 && process.state != b'Z' {
        text.push(b'W');
    }
    match process.nice {
        ..0 => text.push(b'<'),
        1.. => text.push(b'N'),
        0 => {}
    }
    text
}

/// `M:SS`, from 1000 minutes on `HhMM`, from 100 hours on `DdHH`.
fn clock(seconds: u64) -> Vec<u8> {
    let (large, small, separator) = match seconds {
        0..60_000 => (seconds / 60, seconds % 60, b':'),
        60_000..360_000 => (seconds / 3600, seconds / 60 % 60, b'h'),
        _ => (seconds / 86_400, seconds / 3600 % 24, b'd'),
    };
    let mut text = Vec::new();
    push_padded(&mut text, large, 1);
    text.push(separator);
    text.extend_from_slice(if small < 10 { b"0" } else { b"" });
    text.extend_from_slice(&decimal(small));
    text
}

/// The first number of a line of /proc/PID/status: the real user or group.
pub fn real_id(process: &Process, label: &[u8]) -> u32 {
    let text = processes::read_file(process.pid, "status").unwrap_or_default();
    let line = text.split(|&byte| byte == b'\n').find(|line| line.starts_with(label)).unwrap_or_default();
    let word = rbox_core::bytes::words(line).nth(1).unwrap_or_default();
    rbox_core::number::parse_decimal(word).and_then(|id| u32::try_from(id).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::*;

    #[test]
    fn columns_are_chosen_with_headers() {
        let mut columns = Vec::new();
        choose(b"pid,user=a,b", &mut columns).expect("both are columns");
        assert_eq!((columns.len(), columns[1].header.as_slice()), (2, &b"a,b"[..]));
        choose(b"pid=,comm=N M,args", &mut columns).expect("all are columns");
        let headers: Vec<&[u8]> = columns.iter().skip(2).map(|column| column.header.as_slice()).collect();
        assert_eq!(headers, [&b""[..], b"N M", b"COMMAND"]);
        assert_eq!(try_call(APPLET, &["ps", "-o", "nope"], b"").stderr, "ps: bad -o argument 'nope'\n");
    }

    #[test]
    fn times_and_sizes_stay_short() {
        assert_eq!(
            (clock(61), clock(60_000), clock(900_000)),
            (b"1:01".to_vec(), b"16h40".to_vec(), b"10d10".to_vec())
        );
        assert_eq!((size(9999), size(10_240), size(20 << 20)), (b"9999".to_vec(), b"10m".to_vec(), b"20g".to_vec()));
    }

    #[test]
    fn the_default_header_is_busyboxs() {
        assert!(try_call(APPLET, &["ps"], b"").stdout.starts_with("PID   USER     TIME  COMMAND\n"));
    }
}
