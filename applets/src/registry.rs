//! The table of all applets: the groups' rows, merged and sorted by name when the program is built.
//!
//! At run time there is one text of install paths, one array of where each starts, and a `match`: no pointer that the
//! dynamic loader would have to mend at every start.

use rbox_core::applet::{Applet, Id, Registry};

/// The table itself.
pub struct Applets;

/// The only one.
pub static APPLETS: Applets = Applets;

/// Declares the groups: the name of each group's crate.
macro_rules! groups {
    ($($group:ident)*) => {
        const GROUPS: &[&[(&str, u8)]] = &[$($group::ROWS),*];

        fn applet_of(group: u8, number: u8) -> Applet {
            #[allow(non_camel_case_types)]
            enum Number { $($group),* }
            $(if group == Number::$group as u8 { return $group::applet(number); })*
            unreachable!("the number comes from GROUPS")
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

/// One name: its install path, its group, its file's number in the group.
type Row = (&'static str, u8, u8);

const COUNT: usize = {
    let (mut total, mut group) = (0, 0);
    while group < GROUPS.len() {
        total += GROUPS[group].len();
        group += 1;
    }
    total
};

/// All rows, sorted by name.
const ROWS: [Row; COUNT] = {
    let mut rows = [("", 0, 0); COUNT];
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut row = 0;
        while row < GROUPS[group].len() {
            let (path, number) = GROUPS[group][row];
            let mut at = count;
            while at > 0 && name_precedes(path, rows[at - 1].0) {
                rows[at] = rows[at - 1];
                at -= 1;
            }
            rows[at] = (path, group as u8, number);
            count += 1;
            row += 1;
        }
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
const PATHS_BYTES: [u8; PATHS_LENGTH] = {
    let mut text = [b'\n'; PATHS_LENGTH];
    let (mut at, mut row) = (0, 0);
    while row < COUNT {
        let path = ROWS[row].0.as_bytes();
        let mut index = 0;
        while index < path.len() {
            text[at + index] = path[index];
            index += 1;
        }
        at += path.len() + 1;
        row += 1;
    }
    text
};

static PATHS: [u8; PATHS_LENGTH] = PATHS_BYTES;

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

/// Each name's group and file.
static FILES: [(u8, u8); COUNT] = {
    let mut files = [(0, 0); COUNT];
    let mut row = 0;
    while row < COUNT {
        files[row] = (ROWS[row].1, ROWS[row].2);
        row += 1;
    }
    files
};

impl Registry for Applets {
    fn find(&self, name: &[u8]) -> Option<Id> {
        let row = NAMES.binary_search_by(|&(start, end)| PATHS[usize::from(start)..usize::from(end)].cmp(name)).ok()?;
        Some(row as Id)
    }

    fn applet(&self, id: Id) -> Applet {
        let (group, number) = FILES[usize::from(id)];
        applet_of(group, number)
    }

    fn paths(&self) -> &'static str {
        str::from_utf8(&PATHS).expect("install paths are ASCII")
    }
}
