//! The table of builtins: what the shell knows of them without running one.

use crate::state::{Fail, Shell};
use crate::syntax::symbols::Sym;

/// What a builtin returns: its status, or why the shell does not go on.
pub type Done = Result<u8, Fail>;

/// A builtin.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// Its index in the table.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// A special builtin: its errors end the shell, assignments before it stay.
    pub special: bool,
    /// It leaves the shell as it was: a substitution may run it without a fork.
    pub pure: bool,
    /// Its messages are without its name.
    pub unnamed: bool,
    /// It is there in bash mode only.
    pub bash: bool,
}

const REGULAR: u8 = 0;
const SPECIAL: u8 = 1;
const PURE: u8 = 2;
const UNNAMED: u8 = 4;
const BASH: u8 = 8;

/// Declares the builtins, sorted by name, as one string and an array of bytes: no pointers, which every start of every
/// applet would have to relocate.
macro_rules! builtins {
    ($($name:literal, $flags:expr;)*) => {
        /// All names, each with a newline after it.
        const NAMES: &str = concat!($($name, "\n"),*);
        static FLAGS: [u8; COUNT] = [$($flags),*];
        /// How many builtins there are.
        pub const COUNT: usize = <[&str]>::len(&[$($name),*]);
    };
}

builtins! {
    ".", SPECIAL;
    ":", PURE | SPECIAL;
    "[", PURE | UNNAMED;
    "alias", REGULAR;
    "bg", REGULAR;
    "break", SPECIAL;
    "builtin", BASH;
    "caller", BASH;
    "cd", REGULAR;
    "chdir", REGULAR;
    "command", REGULAR;
    "compgen", BASH;
    "continue", SPECIAL;
    "declare", REGULAR;
    "dirs", BASH;
    "disown", BASH;
    "echo", PURE;
    "enable", BASH;
    "eval", SPECIAL;
    "exec", SPECIAL;
    "exit", SPECIAL;
    "export", SPECIAL;
    "false", PURE;
    "fc", REGULAR;
    "fg", REGULAR;
    "getopts", REGULAR;
    "hash", REGULAR;
    "help", REGULAR;
    "history", REGULAR;
    "jobs", REGULAR;
    "kill", REGULAR;
    "let", REGULAR;
    "local", SPECIAL;
    "logout", BASH;
    "mapfile", REGULAR;
    "popd", BASH;
    "printf", PURE | UNNAMED;
    "pushd", BASH;
    "pwd", PURE;
    "read", REGULAR;
    "readarray", REGULAR;
    "readonly", SPECIAL;
    "return", SPECIAL;
    "set", SPECIAL;
    "shift", SPECIAL;
    "shopt", REGULAR;
    "source", SPECIAL;
    "test", PURE | UNNAMED;
    "times", SPECIAL;
    "trap", SPECIAL;
    "true", PURE;
    "type", REGULAR;
    "typeset", REGULAR;
    "ulimit", REGULAR;
    "umask", REGULAR;
    "unalias", REGULAR;
    "unset", SPECIAL;
    "wait", REGULAR;
}

/// Where each name starts and ends in `NAMES`.
const BOUNDS: [(u16, u16); COUNT] = {
    let mut bounds = [(0, 0); COUNT];
    let (mut start, mut at, mut number) = (0, 0, 0);
    while at < NAMES.len() {
        if NAMES.as_bytes()[at] == b'\n' {
            bounds[number] = (start, at as u16);
            start = at as u16 + 1;
            number += 1;
        }
        at += 1;
    }
    bounds
};

impl Builtin {
    /// The builtin at an index of the table.
    fn at(number: usize) -> Self {
        let flags = FLAGS[number];
        Self {
            number: number as u8,
            name: name_at(number),
            special: flags & SPECIAL > 0,
            pure: flags & PURE > 0,
            unnamed: flags & UNNAMED > 0,
            bash: flags & BASH > 0,
        }
    }
}

fn name_at(number: usize) -> &'static str {
    let (start, end) = BOUNDS[number];
    &NAMES[usize::from(start)..usize::from(end)]
}

/// The builtin of that name.
pub fn find(name: &[u8]) -> Option<Builtin> {
    index_of(name).map(Builtin::at)
}

fn index_of(name: &[u8]) -> Option<usize> {
    BOUNDS.binary_search_by(|&(start, end)| NAMES.as_bytes()[usize::from(start)..usize::from(end)].cmp(name)).ok()
}

/// The number of the builtin of that name, for the table of functions: an unknown name stops the build.
pub const fn number_of(name: &str) -> u8 {
    let mut number = 0;
    while number < COUNT {
        let (start, end) = BOUNDS[number];
        let (mut at, length) = (0, (end - start) as usize);
        while at < length && length == name.len() && NAMES.as_bytes()[start as usize + at] == name.as_bytes()[at] {
            at += 1;
        }
        if at == length && length == name.len() {
            return number as u8;
        }
        number += 1;
    }
    panic!("no such builtin")
}

/// The names of all builtins; those of bash mode too where it is on.
pub fn names(bash: bool) -> impl Iterator<Item = &'static str> {
    (0..COUNT).map(Builtin::at).filter(move |builtin| bash || !builtin.bash).map(|builtin| builtin.name)
}

impl Shell {
    /// The builtin that a symbol names.
    #[inline]
    pub fn builtin_of(&mut self, name: Sym) -> Option<Builtin> {
        let found = match self.slot(name).builtin {
            0 => self.look_up_builtin(name),
            1 => None,
            number => Some(Builtin::at(usize::from(number) - 2)),
        };
        found.filter(|builtin| !builtin.bash || self.options.bash)
    }

    fn look_up_builtin(&mut self, name: Sym) -> Option<Builtin> {
        let found = index_of(self.symbols.name(name));
        self.slot(name).builtin = found.map_or(1, |at| at as u8 + 2);
        found.map(Builtin::at)
    }
}
