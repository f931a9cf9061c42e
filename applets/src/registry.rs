//! The table of all applets: the groups' rows, merged and sorted by name when the program is built.
//!
//! At run time there are a few texts, arrays of where each part of them starts, and a `match`: no pointer that the
//! dynamic loader would have to relocate at every start.

use rbox_core::applet::{Applet, Form, Table};
use rbox_core::env::Env;
use rbox_core::error::Outcome;
use rbox_core::options::Args;

/// Declares the groups: the name of each group's crate. A file's number is its place in all groups, one after the other.
macro_rules! groups {
    ($($group:ident)*) => {
        const ROWS_OF: &[&[(&str, u8)]] = &[$($group::ROWS),*];
        const FILES_OF: &[&[Applet]] = &[$($group::APPLETS),*];

        /// Calls the entry of the file with that number, of all groups' files.
        pub fn run(mut number: usize, env: &mut Env, args: &Args<'_>) -> Outcome {
            $(
                if number < $group::APPLETS.len() {
                    return $group::run(number as u8, env, args);
                }
                number -= $group::APPLETS.len();
            )*
            unreachable!("there is no file {number}")
        }
    };
}

groups! {
    rbox_coreutils
    rbox_networking
    rbox_findutils
    rbox_disk
    rbox_init
    rbox_login
    rbox_syslog
    rbox_system
    rbox_console
    rbox_procps
    rbox_hardware
    rbox_runit
    rbox_shell
}

/// One name: its install path and its file's number.
type Row = (&'static str, u8);

const COUNT: usize = {
    let (mut total, mut group) = (0, 0);
    while group < ROWS_OF.len() {
        total += ROWS_OF[group].len();
        group += 1;
    }
    total
};

/// All rows, sorted by name.
const ROWS: [Row; COUNT] = {
    let mut rows = [("", 0); COUNT];
    let (mut count, mut group, mut first) = (0, 0, 0);
    while group < ROWS_OF.len() {
        let mut row = 0;
        while row < ROWS_OF[group].len() {
            let (path, number) = ROWS_OF[group][row];
            let mut at = count;
            while at > 0 && name_precedes(path, rows[at - 1].0) {
                rows[at] = rows[at - 1];
                at -= 1;
            }
            rows[at] = (path, first + number);
            count += 1;
            row += 1;
        }
        first += FILES_OF[group].len() as u8;
        group += 1;
    }
    rows
};

const fn name_start(path: &[u8]) -> usize {
    let mut at = path.len();
    while path[at - 1] != b'/' {
        at -= 1;
    }
    at
}

const fn name_precedes(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut j) = (name_start(a), name_start(b));
    while i < a.len() && j < b.len() {
        if a[i] != b[j] {
            return a[i] < b[j];
        }
        (i, j) = (i + 1, j + 1);
    }
    j < b.len()
}

const PATHS_LENGTH: usize = {
    let (mut total, mut row) = (0, 0);
    while row < COUNT {
        total += ROWS[row].0.len() + 1;
        row += 1;
    }
    total - 1
};

/// All install paths, a newline between two.
static PATHS: &str = text(&PATH_BYTES);

static PATH_BYTES: [u8; PATHS_LENGTH] = {
    let mut text = [b'\n'; PATHS_LENGTH];
    let (mut at, mut row) = (0, 0);
    while row < COUNT {
        copy(ROWS[row].0, &mut text, at);
        at += ROWS[row].0.len() + 1;
        row += 1;
    }
    text
};

const fn copy(part: &str, text: &mut [u8], at: usize) {
    let mut index = 0;
    while index < part.len() {
        text[at + index] = part.as_bytes()[index];
        index += 1;
    }
}

/// Where each name starts and ends in `PATHS`.
static NAMES: [(u16, u16); COUNT] = {
    let mut names = [(0, 0); COUNT];
    let (mut at, mut row) = (0, 0);
    while row < COUNT {
        let path = ROWS[row].0.as_bytes();
        names[row] = ((at + name_start(path)) as u16, (at + path.len()) as u16);
        at += path.len() + 1;
        row += 1;
    }
    names
};

/// Each name's file.
static FILES: [u8; COUNT] = {
    let mut files = [0; COUNT];
    let mut row = 0;
    while row < COUNT {
        files[row] = ROWS[row].1;
        row += 1;
    }
    files
};

const FILE_COUNT: usize = {
    let (mut total, mut group) = (0, 0);
    while group < FILES_OF.len() {
        total += FILES_OF[group].len();
        group += 1;
    }
    assert!(total <= u8::MAX as usize, "a file's number needs more than one byte");
    total
};

/// The files of all groups. They are read when the program is built, and are not part of it.
const APPLETS_BY_FILE: [Applet; FILE_COUNT] = {
    let mut applets = [FILES_OF[0][0]; FILE_COUNT];
    let (mut count, mut group) = (0, 0);
    while group < FILES_OF.len() {
        let mut number = 0;
        while number < FILES_OF[group].len() {
            applets[count] = FILES_OF[group][number];
            (count, number) = (count + 1, number + 1);
        }
        group += 1;
    }
    applets
};

/// How each file's applet is called.
static FORMS: [Form; FILE_COUNT] = {
    let mut forms = [APPLETS_BY_FILE[0].form; FILE_COUNT];
    let mut file = 0;
    while file < FILE_COUNT {
        forms[file] = APPLETS_BY_FILE[file].form;
        file += 1;
    }
    forms
};

/// Where each file's usage text ends in `USAGES`.
static USAGE_ENDS: [u32; FILE_COUNT] = {
    let mut ends = [0; FILE_COUNT];
    let (mut at, mut file) = (0, 0);
    while file < FILE_COUNT {
        at += APPLETS_BY_FILE[file].usage.len();
        ends[file] = at as u32;
        file += 1;
    }
    ends
};

const USAGES_LENGTH: usize = USAGE_ENDS[FILE_COUNT - 1] as usize;

static USAGE_BYTES: [u8; USAGES_LENGTH] = {
    let mut text = [0; USAGES_LENGTH];
    let mut file = 0;
    while file < FILE_COUNT {
        let usage = APPLETS_BY_FILE[file].usage;
        copy(usage, &mut text, USAGE_ENDS[file] as usize - usage.len());
        file += 1;
    }
    text
};

/// All usage texts, one after the other.
static USAGES: &str = text(&USAGE_BYTES);

/// Parts of literals, put together.
const fn text(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => unreachable!(),
    }
}

/// The table of all applets.
pub fn table() -> Table {
    Table { paths: PATHS, names: &NAMES, files: &FILES, forms: &FORMS, usages: USAGES, usage_ends: &USAGE_ENDS }
}
