//! The table of all applets: the groups' rows, merged and sorted by name when the program is built.
//!
//! At run time there are a few texts, arrays of where each part of them starts, and a `match`: no pointer that the
//! dynamic loader would have to relocate at every start.

use rbox_core::applet::{Applet, CHOSEN, Form, NO_FILE, Table, base_name_start, is_chosen};
use rbox_core::env::Env;
use rbox_core::error::Outcome;
use rbox_core::options::Args;
use rbox_core::usage;

/// Declares the groups: the name of each group's crate. A file's number counts the files of all groups, one after the
/// other, that the program is built with.
macro_rules! groups {
    ($($group:ident)*) => {
        const ROWS_OF: &[&[(&str, u16)]] = &[$($group::ROWS),*];
        const NUMBERS_OF: &[&[u16]] = &[$(&$group::NUMBERS),*];
        const APPLETS_OF: &[&[Applet]] = &[$($group::APPLETS),*];

        /// Calls the entry of the file with that number.
        pub fn run(mut number: usize, env: &mut Env, args: &Args<'_>) -> Outcome {
            $(
                let count = const { chosen_files(&$group::NUMBERS) };
                if number < count {
                    return $group::run(number as u16, env, args);
                }
                number -= count;
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
    rbox_editors
    rbox_viewers
    rbox_calc
    rbox_modutils
    rbox_jobs
    rbox_mail
    rbox_archival
    rbox_shell
}

/// One name: its install path and its file's number.
type Row = (&'static str, u16);

/// How many files of a group the program is built with.
const fn chosen_files(numbers: &[u16]) -> usize {
    let (mut count, mut file) = (0, 0);
    while file < numbers.len() {
        if numbers[file] != NO_FILE {
            count += 1;
        }
        file += 1;
    }
    count
}

const COUNT: usize = {
    let (mut total, mut group) = (0, 0);
    while group < ROWS_OF.len() {
        let mut row = 0;
        while row < ROWS_OF[group].len() {
            if is_chosen(ROWS_OF[group][row].0) {
                total += 1;
            }
            row += 1;
        }
        group += 1;
    }
    if let Some(words) = CHOSEN {
        assert!(
            total > 0 && total == count_words(words.as_bytes()),
            "RBOX_APPLETS has a name twice, or one that is no applet's"
        );
    }
    total
};

const fn count_words(text: &[u8]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < text.len() {
        if !text[at].is_ascii_whitespace() && (at == 0 || text[at - 1].is_ascii_whitespace()) {
            count += 1;
        }
        at += 1;
    }
    count
}

/// All rows, sorted by name.
const ROWS: [Row; COUNT] = {
    let mut rows = [("", 0); COUNT];
    let (mut count, mut group, mut first) = (0, 0, 0);
    while group < ROWS_OF.len() {
        let mut row = 0;
        while row < ROWS_OF[group].len() {
            let (path, file) = ROWS_OF[group][row];
            row += 1;
            if !is_chosen(path) {
                continue;
            }
            let mut at = count;
            while at > 0 && name_precedes(path, rows[at - 1].0) {
                rows[at] = rows[at - 1];
                at -= 1;
            }
            rows[at] = (path, first + NUMBERS_OF[group][file as usize]);
            count += 1;
        }
        first += chosen_files(NUMBERS_OF[group]) as u16;
        group += 1;
    }
    rows
};

const fn name_precedes(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut j) = (base_name_start(a), base_name_start(b));
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
        names[row] = ((at + base_name_start(path)) as u16, (at + path.len()) as u16);
        at += path.len() + 1;
        row += 1;
    }
    names
};

/// Each name's file.
static FILES: [u16; COUNT] = {
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
    while group < NUMBERS_OF.len() {
        total += chosen_files(NUMBERS_OF[group]);
        group += 1;
    }
    total
};

/// The files of all groups. They are read when the program is built, and are not part of it.
const APPLETS_BY_FILE: [Applet; FILE_COUNT] = {
    let mut applets = [APPLETS_OF[0][0]; FILE_COUNT];
    let (mut first, mut group) = (0, 0);
    while group < APPLETS_OF.len() {
        let mut file = 0;
        while file < APPLETS_OF[group].len() {
            let number = NUMBERS_OF[group][file];
            if number != NO_FILE {
                applets[first + number as usize] = APPLETS_OF[group][file];
            }
            file += 1;
        }
        first += chosen_files(NUMBERS_OF[group]);
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
        at = usage::pack(APPLETS_BY_FILE[file].usage, &mut [], at);
        ends[file] = at as u32;
        file += 1;
    }
    ends
};

const USAGES_LENGTH: usize = USAGE_ENDS[FILE_COUNT - 1] as usize;

/// All usage texts, packed, one after the other.
static USAGES: [u8; USAGES_LENGTH] = {
    let mut text = [0; USAGES_LENGTH];
    let (mut at, mut file) = (0, 0);
    while file < FILE_COUNT {
        at = usage::pack(APPLETS_BY_FILE[file].usage, &mut text, at);
        file += 1;
    }
    text
};

/// Parts of literals, put together.
const fn text(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => unreachable!(),
    }
}

/// The table of all applets.
pub fn table() -> Table {
    Table { paths: PATHS, names: &NAMES, files: &FILES, forms: &FORMS, usages: &USAGES, usage_ends: &USAGE_ENDS }
}
