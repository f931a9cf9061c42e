//! `top`: show the processes that are busiest, again and again (BusyBox's form).

mod list;
mod memory;
mod summary;

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::duration;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::term::display_width;
use rbox_core::term::keys::Key;
use rbox_core::term::screen::{Manner, Screen};

use list::{List, Order};
use summary::Summary;

options! {
    "[-bHm] [-n COUNT] [-d SECONDS]

Show the processes and what they use, and again after some seconds.

  -b          Print all processes, without keys
  -n COUNT    End after COUNT times
  -d SECONDS  Show again after SECONDS (5)
  -H          Show threads
  -m          Show memory, as the key S

Keys: N, M, P, T sort by PID, memory, CPU, time; R reverses the order; H shows threads; S shows memory and sorts it by the
next column; 1 shows each CPU; Q or Ctrl-C ends.";
    BATCH = "-b",
    COUNT = "-n",
    DELAY = "-d",
    THREADS = "-H",
    MEMORY = "-m",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Milliseconds before the first display, so that it has something to compare.
const FIRST: u64 = 250;

/// Columns of a line that goes to no terminal.
const WIDE: usize = 512;

/// What is shown, and how.
pub struct View {
    order: Order,
    /// The column of the memory display that it is sorted by; `None` for the display of CPU time.
    memory: Option<usize>,
    reverse: bool,
    threads: bool,
    each_cpu: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut left = args.value(COUNT).map_or(Ok(u64::MAX), |word| parse_in_range(word, 1, u64::MAX))?;
    let delay = args.value(DELAY).map_or(Ok(core::time::Duration::from_secs(5)), duration::parse)?;
    let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX / 2).min(u64::MAX / 2);
    let mut view = View {
        order: Order::Cpu,
        memory: args.has(MEMORY).then_some(0),
        reverse: false,
        threads: args.has(THREADS),
        each_cpu: false,
    };
    let mut screen = if args.has(BATCH) { None } else { Screen::open(None, Manner::Whole) };
    let mut list = List::default();
    list.read(view.threads)?;
    let (mut old, mut now) = (Summary::read()?, None);
    let mut ends = uptime_milliseconds() + FIRST.min(delay);
    loop {
        match wait(&mut screen, &mut view, ends) {
            Next::End => return Ok(ExitStatus::SUCCESS),
            Next::Draw => {}
            Next::Read => {
                list.read(view.threads)?;
                if let Some(now) = now.replace(Summary::read()?) {
                    old = now;
                }
                ends = uptime_milliseconds().saturating_add(delay);
                left -= 1;
            }
        }
        let Some(now) = &now else { continue };
        match &mut screen {
            Some(screen) => {
                let page = page(&view, &mut list, now, &old, screen.rows, screen.columns);
                screen.draw(&page, (0, 0))?;
            }
            None => {
                for line in page(&view, &mut list, now, &old, usize::MAX, columns(env)) {
                    env.stdout.write(&line)?;
                    env.stdout.push(b'\n')?;
                }
                env.stdout.flush()?;
            }
        }
        if left == 0 {
            return Ok(ExitStatus::SUCCESS);
        }
    }
}

/// The columns of a line without a screen.
fn columns(env: &Env) -> usize {
    match rbox_core::term::window(1) {
        None if env.vars.get("COLUMNS").is_none() => WIDE,
        _ => rbox_core::term::columns(env),
    }
}

fn page(view: &View, list: &mut List, now: &Summary, old: &Summary, rows: usize, columns: usize) -> Vec<Vec<u8>> {
    let (mut lines, header) = match view.memory {
        Some(column) => (now.memory_lines(), memory::header(column)),
        None => (now.lines(old, view.each_cpu), list::HEADER.to_vec()),
    };
    // On a screen the header is shown in reverse video; a screen of few rows shows at least one process.
    lines.truncate(rows.saturating_sub(2));
    let above = lines.len();
    let left = rows.saturating_sub(above + 1);
    match view.memory {
        Some(column) => memory::push_rows(&mut lines, list, column, view.reverse, left),
        None => list.push_rows(&mut lines, view, now, old, left, columns),
    }
    let mut page: Vec<Vec<u8>> = lines.into_iter().map(|line| cut(line, columns)).collect();
    let header = cut(header, columns);
    let is_screen = rows != usize::MAX;
    page.insert(above, if is_screen { [b"\x1b[7m", &header[..], b"\x1b[m"].concat() } else { header });
    page
}

/// The part of a line that fits.
fn cut(mut line: Vec<u8>, columns: usize) -> Vec<u8> {
    let (mut at, mut used) = (0, 0);
    while at < line.len() {
        let (length, width) = display_width(&line[at..]);
        if used + width > columns {
            break;
        }
        (at, used) = (at + length, used + width);
    }
    line.truncate(at);
    line
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The same times in another form.
    Draw,
    Read,
    End,
}

/// Waits until it is time to read again, or until a key asks for something.
fn wait(screen: &mut Option<Screen>, view: &mut View, ends: u64) -> Next {
    let left = || ends.saturating_sub(uptime_milliseconds());
    let Some(screen) = screen else {
        pause(left());
        return Next::Read;
    };
    loop {
        screen.keys.timeout = Some(left());
        match screen.key() {
            Key::TimedOut => return Next::Read,
            Key::Hangup => return Next::End,
            Key::Signal => return Next::Draw,
            Key::Char(character) => {
                if let Some(next) = act(view, character) {
                    return next;
                }
            }
            _ => {}
        }
    }
}

/// Does what a key says; `None` for a key without a meaning.
fn act(view: &mut View, character: char) -> Option<Next> {
    let order = match character.to_ascii_lowercase() {
        'q' | '\x03' => return Some(Next::End),
        'r' => {
            view.reverse = !view.reverse;
            return Some(Next::Draw);
        }
        'h' => {
            view.threads = !view.threads;
            return Some(Next::Read);
        }
        's' => {
            view.memory = Some(view.memory.map_or(0, |column| (column + 1) % memory::COLUMNS));
            return Some(Next::Draw);
        }
        '1' => {
            view.each_cpu = !view.each_cpu;
            return Some(Next::Draw);
        }
        'n' => Order::Pid,
        'm' => Order::Memory,
        'p' => Order::Cpu,
        't' => Order::Time,
        _ => return None,
    };
    (view.order, view.memory) = (order, None);
    Some(Next::Draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_the_view() {
        let mut view = View { order: Order::Cpu, memory: None, reverse: false, threads: false, each_cpu: false };
        assert_eq!(
            (act(&mut view, 'x'), act(&mut view, 'Q'), act(&mut view, 'r')),
            (None, Some(Next::End), Some(Next::Draw))
        );
        act(&mut view, 's');
        act(&mut view, 'S');
        assert_eq!((view.memory, view.reverse), (Some(1), true));
        act(&mut view, 'M');
        assert!(view.memory.is_none() && view.order == Order::Memory);
    }

    #[test]
    fn lines_are_cut_by_columns() {
        assert_eq!(cut("äöü€".into(), 3), "äöü".as_bytes());
        assert_eq!(cut(b"ab".to_vec(), 9), b"ab");
    }
}
