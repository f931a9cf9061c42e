//! A small terminal: what a program has drawn, as far as the line editor and the full screens of rbox draw.

/// The rows of a terminal, without a limit below.
pub struct Screen {
    pub columns: usize,
    /// A row, and whether the next one continues it.
    rows: Vec<(Vec<char>, bool)>,
    /// The row at the top of the terminal's window.
    pub top: usize,
    /// The rows of the window.
    pub height: usize,
    pub row: usize,
    pub column: usize,
    /// What of a sequence or of a character has not come whole yet.
    rest: Vec<u8>,
}

/// Stands after a wide character, for its second column.
const FILLER: char = '\0';

fn width(one: char) -> usize {
    match one {
        '\u{300}'..='\u{36f}' => 0,
        '\u{3000}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => 2,
        _ => 1,
    }
}

impl Screen {
    pub fn new(columns: usize) -> Screen {
        Screen { columns, rows: vec![(Vec::new(), false)], top: 0, height: 24, row: 0, column: 0, rest: Vec::new() }
    }

    /// The text of a row, without the blanks at its end.
    pub fn text(&self, row: usize) -> String {
        let Some((cells, _)) = self.rows.get(row) else { return String::new() };
        let text: String = cells.iter().filter(|one| **one != FILLER).collect();
        text.trim_end().to_string()
    }

    pub fn all(&self) -> String {
        let rows: Vec<String> = (0..self.rows.len()).map(|row| self.text(row)).collect();
        format!("{}\ncursor in row {} column {}", rows.join("\n"), self.row, self.column)
    }

    /// Another width: rows that continue each other are joined and broken anew, as most terminals do.
    pub fn resize(&mut self, columns: usize) {
        let mut lines: Vec<Vec<char>> = Vec::new();
        let mut cursor = (0, 0);
        let mut joined = false;
        for (number, (cells, continues)) in self.rows.iter().enumerate() {
            if !joined {
                lines.push(Vec::new());
            }
            let last = lines.len() - 1;
            if number == self.row {
                cursor = (last, lines[last].len() + self.column);
            }
            lines[last].extend(cells);
            joined = *continues;
        }
        self.columns = columns;
        self.rows.clear();
        for (number, line) in lines.iter().enumerate() {
            if number == cursor.0 {
                self.row = self.rows.len() + cursor.1 / columns;
                self.column = cursor.1 % columns;
            }
            let pieces: Vec<&[char]> = line.chunks(columns).collect();
            let count = pieces.len();
            self.rows.extend(pieces.iter().enumerate().map(|(at, piece)| (piece.to_vec(), at + 1 < count)));
            if count == 0 {
                self.rows.push((Vec::new(), false));
            }
        }
        self.rows.resize(self.rows.len().max(self.row + 1), (Vec::new(), false));
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        loop {
            let length = self.piece();
            if length == 0 {
                return;
            }
            self.rest.drain(..length);
        }
    }

    /// Obeys what is first in the rest; 0 when it is not whole.
    fn piece(&mut self) -> usize {
        let Some(&first) = self.rest.first() else { return 0 };
        match first {
            b'\r' => self.column = 0,
            b'\n' => {
                self.row += 1;
                self.reach();
            }
            8 => self.column = self.column.saturating_sub(1),
            27 => return self.sequence(),
            0..32 => {}
            _ => {
                let length = match first {
                    0xf0.. => 4,
                    0xe0.. => 3,
                    0xc0.. => 2,
                    _ => 1,
                };
                if self.rest.len() < length {
                    return 0;
                }
                let text = String::from_utf8_lossy(&self.rest[..length]).into_owned();
                text.chars().for_each(|one| self.put(one));
                return length;
            }
        }
        1
    }

    fn put(&mut self, one: char) {
        let width = width(one);
        if self.column + width > self.columns {
            self.rows[self.row].1 = true;
            self.row += 1;
            self.column = 0;
            self.reach();
        }
        let cells = &mut self.rows[self.row].0;
        if width == 0 {
            return;
        }
        cells.resize(cells.len().max(self.column + width), ' ');
        cells[self.column] = one;
        if width == 2 {
            cells[self.column + 1] = FILLER;
        }
        self.column += width;
    }

    /// Makes the row that the cursor is in, and scrolls the window to it.
    fn reach(&mut self) {
        if self.row >= self.rows.len() {
            self.rows.resize(self.row + 1, (Vec::new(), false));
        }
        self.top = self.top.max((self.row + 1).saturating_sub(self.height));
    }

    fn sequence(&mut self) -> usize {
        if self.rest.len() < 2 {
            return 0;
        }
        assert_eq!(self.rest[1], b'[', "an unknown sequence: {:?}", self.rest);
        let Some(end) = self.rest[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)) else { return 0 };
        let parameters = String::from_utf8_lossy(&self.rest[2..end + 2]).into_owned();
        let count = parameters.parse().unwrap_or(1);
        match self.rest[end + 2] {
            b'A' => self.row -= count,
            b'B' => self.row = (self.row + count).min(self.rows.len() - 1),
            b'C' => self.column = (self.column + count).min(self.columns - 1),
            b'D' => self.column = self.column.min(self.columns - 1).saturating_sub(count),
            b'H' => {
                let (row, column) = parameters.split_once(';').unwrap_or(("1", "1"));
                let number = |text: &str| text.parse::<usize>().unwrap_or(1) - 1;
                (self.row, self.column) = (self.top + number(row), number(column));
                self.reach();
            }
            b'K' => self.rows[self.row].0.truncate(self.column),
            // The other screen begins below what is shown.
            b'h' | b'l' if parameters == "?1049" => {
                self.top = self.rows.len();
                self.row = self.top;
                self.column = 0;
                self.reach();
            }
            b'J' => {
                self.rows.truncate(self.row + 1);
                self.rows[self.row].0.truncate(self.column);
                self.rows[self.row].1 = false;
            }
            b'm' => {}
            letter => panic!("an unknown sequence: {}", letter as char),
        }
        end + 3
    }
}
