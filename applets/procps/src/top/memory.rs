//! The display of memory: what the maps of each process say (proc(5), /proc/PID/smaps).

use rbox_core::bytes::{split_once, words};
use rbox_core::number::parse_decimal;
use rbox_core::processes::{Process, read_file};
use rbox_core::push;
use rbox_core::text::Right;

use super::list::{List, size};

/// The columns that can be sorted by.
pub const COLUMNS: usize = 8;

/// Kilobytes of a process: of all maps, of private writable ones, in memory, of these shared, changed, of these shared,
/// of the stack. The first is the PID.
type Row = [u64; COLUMNS];

const VSZ: usize = 1;
const WRITABLE: usize = 2;
const RSS: usize = 3;
const SHARED: usize = 4;
const DIRTY: usize = 5;
const SHARED_DIRTY: usize = 6;
const STACK: usize = 7;

/// The line above the processes; `^` are before the column that they are sorted by.
pub fn header(sorted: usize) -> Vec<u8> {
    let mut line = Vec::new();
    let names = ["PID", "VSZ", "VSZRW", "RSS", "(SHR)", "DIRTY", "(SHR)", "STACK"];
    for (column, name) in names.into_iter().enumerate() {
        let width = if column == 0 { 5 } else { 6 };
        push!(line, Right(name, width, if column == sorted { b'^' } else { b' ' }));
    }
    line.extend_from_slice(b" COMMAND");
    line
}

/// Adds a line for each of the first processes. Threads of the kernel have no maps; those of other users show none.
pub fn push_rows(lines: &mut Vec<Vec<u8>>, list: &List, sorted: usize, reverse: bool, count: usize) {
    let mut rows: Vec<(Row, &Process)> = Vec::new();
    for process in &list.processes {
        let Some(maps) = read_file(process.pid, "smaps").filter(|maps| !maps.is_empty()) else { continue };
        let mut row = sum(&maps);
        row[0] = process.pid as u64;
        rows.push((row, process));
    }
    rows.sort_by(|(one, _), (other, _)| match reverse {
        true => one[sorted].cmp(&other[sorted]),
        false => other[sorted].cmp(&one[sorted]),
    });
    for (row, process) in rows.into_iter().take(count) {
        let mut line = Vec::new();
        push!(line, Right(row[0], 5, b' '));
        for &kilobytes in &row[VSZ..] {
            push!(line, " ", Right(size(kilobytes), 5, b' '));
        }
        push!(line, " ", process.command_line(&process.words(), false));
        lines.push(line);
    }
}

/// The sums of all maps.
fn sum(maps: &[u8]) -> Row {
    let (mut row, mut is_writable, mut is_stack) = ([0u64; COLUMNS], false, false);
    for line in maps.split(|&byte| byte == b'\n') {
        let Some((name, rest)) = split_once(line, b':') else { continue };
        // A map begins with its bounds and rights, and its name may hold a colon, as its device does.
        if name.contains(&b'-') {
            is_writable =
                words(line).nth(1).is_some_and(|rights| rights.get(1) == Some(&b'w') && rights.ends_with(b"p"));
            is_stack = line.ends_with(b"[stack]");
            continue;
        }
        let Some(kilobytes) = words(rest).next().and_then(parse_decimal) else { continue };
        let mut add = |column: usize| row[column] = row[column].saturating_add(kilobytes);
        match name {
            b"Size" => {
                add(VSZ);
                if is_writable {
                    add(WRITABLE);
                }
                if is_stack {
                    add(STACK);
                }
            }
            b"Rss" => add(RSS),
            b"Shared_Clean" => add(SHARED),
            b"Shared_Dirty" => {
                add(SHARED);
                add(SHARED_DIRTY);
                add(DIRTY);
            }
            b"Private_Dirty" => add(DIRTY),
            _ => {}
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_summed() {
        let maps =
            b"00400000-00500000 r-xp 00000000 08:01 12 /bin/a:b\nSize: 100 kB\nRss: 60 kB\nShared_Clean: 50 kB\n\
            7f00-7f10 rw-p 00000000 00:00 0 [stack]\nSize: 20 kB\nRss: 8 kB\nPrivate_Dirty: 8 kB\nShared_Dirty: 2 kB\n\
            VmFlags: rd wr\n";
        assert_eq!(sum(maps), [0, 120, 20, 68, 52, 10, 2, 20]);
        assert_eq!(sum(b"x\n:\nSize: y\n"), [0; COLUMNS]);
    }

    #[test]
    fn the_sorted_column_is_marked() {
        assert_eq!(header(3), b"  PID   VSZ VSZRW^^^RSS (SHR) DIRTY (SHR) STACK COMMAND");
    }
}
