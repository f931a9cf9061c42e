//! Tables (tbl(1)) as far as pages need them: columns of the width of their widest cell.

use super::page::{BOLD, ROMAN, columns};

/// Blanks between two columns.
const GAP: usize = 3;

/// The lines of a table, from what is between `.TS` and `.TE`.
pub fn format(rows: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut rest = rows;
    let mut separator = b'\t';
    if let Some((first, after)) = rest.split_first().filter(|(first, _)| first.ends_with(b";")) {
        // Options of the whole table.
        let option = first.windows(3).position(|word| word == b"tab").map_or(&b""[..], |at| &first[at + 3..]);
        if let [b'(', given, ..] = option.trim_ascii_start() {
            separator = *given;
        }
        rest = after;
    }
    // The formats of the rows end with a dot; the first may be that of headings.
    let formats = rest.iter().position(|line| line.trim_ascii_end().ends_with(b".")).map_or(0, |at| at + 1);
    let (formats, data) = rest.split_at(formats);
    let is_bold =
        formats.first().is_some_and(|format| formats.len() > 1 && format.to_ascii_lowercase().contains(&b'b'));
    let mut cells: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut block: Option<Vec<u8>> = None;
    let mut in_formats = false;
    for line in data {
        // Other formats for the rows that follow.
        in_formats |= line == b".T&";
        if in_formats {
            in_formats = line == b".T&" || !line.trim_ascii_end().ends_with(b".");
            continue;
        }
        // A cell of several lines is between `T{` and `T}`.
        if let Some(text) = &mut block {
            let Some(after) = line.strip_prefix(b"T}") else {
                if !line.starts_with(b".") {
                    text.push(b' ');
                    text.extend_from_slice(line);
                }
                continue;
            };
            let text = block.take().unwrap_or_default();
            let row = cells.last_mut().expect("a block is in a row");
            row.push(text.trim_ascii().to_vec());
            if let Some(after) = after.strip_prefix(&[separator]) {
                block = add_cells(row, after, separator);
            }
            continue;
        }
        if line.starts_with(b".") || matches!(&line[..], b"_" | b"=") {
            continue;
        }
        let mut row = Vec::new();
        block = add_cells(&mut row, line, separator);
        cells.push(row);
    }
    lines(&cells, is_bold)
}

/// Adds the cells of a line; what is given back is a cell that goes on in the following lines.
fn add_cells(row: &mut Vec<Vec<u8>>, line: &[u8], separator: u8) -> Option<Vec<u8>> {
    for cell in line.split(|&byte| byte == separator) {
        if cell == b"T{" {
            return Some(Vec::new());
        }
        row.push(cell.to_vec());
    }
    None
}

fn lines(cells: &[Vec<Vec<u8>>], is_bold: bool) -> Vec<Vec<u8>> {
    let count = cells.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|at| cells.iter().filter_map(|row| row.get(at)).map(|cell| columns(cell)).max().unwrap_or(0))
        .collect();
    let line = |(number, row): (usize, &Vec<Vec<u8>>)| {
        let mut line = Vec::new();
        for (at, cell) in row.iter().enumerate() {
            match number == 0 && is_bold {
                true => line.extend_from_slice(&[&[BOLD], &cell[..], &[ROMAN]].concat()),
                false => line.extend_from_slice(cell),
            }
            let blanks = widths[at] - columns(cell) + GAP;
            line.resize(line.len() + blanks, b' ');
        }
        line
    };
    cells.iter().enumerate().map(line).collect()
}
