//! `pmap`: show what the memory of processes is mapped to (as in procps).

use rbox_core::applet::Applet;
use rbox_core::bytes;
use rbox_core::number::{parse_decimal, parse_in_range, parse_radix};
use rbox_core::prelude::*;
use rbox_core::processes::{Process, read_file};
use rbox_core::term::{Shown, clean};
use rbox_core::text;
use rbox_core::text::{Hex, Right};

options! {
    "[-xq] PID...

Print the memory map of processes.

  -x, --extended  Print resident and dirty memory too
  -q, --quiet     Print no header and no total";
    EXTENDED = "-x",
    QUIET = "-q",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// A range of addresses; sizes in kilobytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mapping {
    start: u64,
    size: u64,
    resident: u64,
    dirty: u64,
    mode: Vec<u8>,
    name: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |env, word| {
        let pid = parse_in_range(word, 1, i32::MAX as u64)? as i32;
        // As in procps and BusyBox: a process that is not there.
        let process = Process::read(pid).ok_or_else(|| Error::silent(ExitStatus(42)))?;
        show(env, args, &process)
    })
}

fn show(env: &mut Env, args: &Args<'_>, process: &Process) -> Result<()> {
    let (extended, quiet) = (args.has(EXTENDED), args.has(QUIET));
    let file = if extended { "smaps" } else { "maps" };
    let content = read_file(process.pid, file);
    let content = content.ok_or_else(|| Error::parts(&[b"can't read the mappings of ", &text!(process.pid as u32)]))?;
    let words = process.words();
    let line = if words.is_empty() { text!("[", &process.name, "]") } else { words.join(&b' ') };
    env.stdout.write(&text!(process.pid as u32, ":   ", line, "\n"))?;
    if extended && !quiet {
        env.stdout.write(b"Address           Kbytes     RSS   Dirty Mode  Mapping\n")?;
    }
    let (mut size, mut resident, mut dirty) = (0, 0, 0);
    for mapping in mappings(&content) {
        let mut line = text!(Right(Hex(mapping.start), 16, b'0'), " ");
        if extended {
            for number in [mapping.size, mapping.resident, mapping.dirty] {
                rbox_core::push!(line, Right(number, 7, b' '), " ");
            }
        } else {
            rbox_core::push!(line, Right(mapping.size, 6, b' '), "K ");
        }
        env.stdout.write(&text!(line, &mapping.mode, " ", clean(&mapping.name, b"", Shown::As(b'?')), "\n"))?;
        (size, resident, dirty) = (size + mapping.size, resident + mapping.resident, dirty + mapping.dirty);
    }
    match (quiet, extended) {
        (true, _) => Ok(()),
        (false, false) => env.stdout.write(&text!(" total ", Right(size, 16, b' '), "K\n")),
        (false, true) => {
            let line =
                text!("total kB ", Right(size, 15, b' '), " ", Right(resident, 7, b' '), " ", Right(dirty, 7, b' '));
            env.stdout.write(&text!("---------------- ------- ------- ------- \n", line, "\n"))
        }
    }
}

/// Reads /proc/PID/maps or smaps: a line of addresses begins a mapping, `Name: N kB` adds to it (proc(5)).
fn mappings(content: &[u8]) -> Vec<Mapping> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in content.split(|byte| *byte == b'\n') {
        if let Some(mapping) = mapping(line) {
            mappings.push(mapping);
            continue;
        }
        let mut words = bytes::words(line);
        let (Some(mapping), Some(name), Some(number)) = (mappings.last_mut(), words.next(), words.next()) else {
            continue;
        };
        let kilobytes = parse_decimal(number).unwrap_or(0);
        match name {
            b"Rss:" => mapping.resident += kilobytes,
            b"Shared_Dirty:" | b"Private_Dirty:" => mapping.dirty += kilobytes,
            _ => {}
        }
    }
    mappings
}

/// `START-END rwxp OFFSET MAJOR:MINOR INODE NAME`.
fn mapping(line: &[u8]) -> Option<Mapping> {
    let (range, rest) = bytes::split_once(line, b' ')?;
    let (start, end) = bytes::split_once(range, b'-')?;
    let (start, end) = (parse_radix(start, 16)?, parse_radix(end, 16)?);
    let characters = rest.get(..4)?;
    let shared = if characters[3] == b's' { b's' } else { b'-' };
    let mode = [&characters[..3], &[shared, b'-']].concat();
    // A name may have blanks in it: it is what is after four words.
    let mut name = rest;
    for _ in 0..4 {
        name = bytes::split_once(name, b' ').map_or(&b""[..], |(_, rest)| rest.trim_ascii_start());
    }
    let name = match name {
        b"[stack]" => b"  [ stack ]",
        [b'/', ..] => bytes::base_name(name),
        _ => b"  [ anon ]",
    };
    Some(Mapping { start, size: end.checked_sub(start)? >> 10, mode, name: name.to_vec(), ..Mapping::default() })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::*;

    #[test]
    fn lines_of_smaps_belong_together() {
        let text =
            b"1000-3000 r-xp 00000000 08:01 12 /lib/a b.so\nRss: 4 kB\nPrivate_Dirty: 8 kB\nShared_Dirty: 1 kB\n\
            ff00-ff00 rw-s 0 00:00 0 \n";
        let found = mappings(text);
        let first = Mapping {
            start: 0x1000,
            size: 8,
            resident: 4,
            dirty: 9,
            mode: b"r-x--".to_vec(),
            name: b"a b.so".to_vec(),
        };
        assert_eq!((found.len(), &found[0]), (2, &first));
        assert_eq!((found[1].name.as_slice(), found[1].mode.as_slice()), (&b"  [ anon ]"[..], &b"rw-s-"[..]));
    }

    #[test]
    fn lines_of_another_form_are_no_mappings() {
        for line in [&b""[..], b"x-y r-xp 0 0:0 0", b"1000-2000", b"1000-2000 r", b"2000-1000 r-xp 0 0:0 0"] {
            assert_eq!(mapping(line), None);
        }
    }

    #[test]
    fn a_process_that_is_not_there_is_status_42() {
        assert_eq!(try_call(APPLET, &["pmap", "2147483647"], b"").status, 42);
        assert_eq!(try_call(APPLET, &["pmap", "x"], b"").stderr, "pmap: invalid number 'x'\n");
    }
}
