//! The commands that the shell runs itself (XCU 2.14 and 2.9.1.1).

pub mod bash;
mod control;
mod directory;
mod history;
mod inform;
mod job;
mod limit;
mod options;
pub mod print;
mod read;
pub mod test;
mod variables;

use crate::state::{Fail, Shell};
use crate::syntax::symbols::Sym;

pub use directory::working as working_directory;
pub use options::{list_options, option_by_name, option_names, options_on, set_option_by_name};
pub use read::read_line;

/// What a builtin returns: its status, or why the shell does not go on.
pub type Done = Result<u8, Fail>;

/// A builtin.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// Its place in the table.
    number: u8,
    pub name: &'static str,
    /// A special builtin: its errors end the shell, assignments before it stay.
    pub special: bool,
    /// It leaves the shell as it was: a substitution may run it without a fork.
    pub pure: bool,
    /// Its messages are without its name.
    pub quiet: bool,
    /// It is there in bash mode only.
    pub bash: bool,
}

const REGULAR: u8 = 0;
const SPECIAL: u8 = 1;
const PURE: u8 = 2;
const QUIET: u8 = 4;
const BASH: u8 = 8;

/// Declares the builtins, sorted by name, as one text, an array of bytes and a `match`: no pointers, which every start of
/// every applet would have to relocate.
macro_rules! builtins {
    ($($name:literal, $flags:expr, $run:expr;)*) => {
        /// All names, each with a newline after it.
        const NAMES: &str = concat!($($name, "\n"),*);
        static FLAGS: [u8; COUNT] = [$($flags),*];
        const COUNT: usize = <[&str]>::len(&[$($name),*]);

        impl Builtin {
            /// Runs it.
            pub fn run(self, shell: &mut Shell, words: &[&[u8]]) -> Done {
                let mut rest = self.number;
                $(
                    if rest == 0 {
                        return $run(shell, words);
                    }
                    rest = rest.wrapping_sub(1);
                )*
                unreachable!("there is no builtin {rest}")
            }
        }
    };
}

fn succeed(_shell: &mut Shell, _words: &[&[u8]]) -> Done {
    Ok(0)
}

fn fail(_shell: &mut Shell, _words: &[&[u8]]) -> Done {
    Ok(1)
}

builtins! {
    ".", SPECIAL, control::dot;
    ":", PURE | SPECIAL, succeed;
    "[", PURE | QUIET, test::bracket;
    "alias", REGULAR, variables::alias;
    "bg", REGULAR, job::bg;
    "break", SPECIAL, control::break_loop;
    "builtin", BASH, bash::builtin;
    "caller", BASH, bash::caller;
    "cd", REGULAR, directory::cd;
    "chdir", REGULAR, directory::cd;
    "command", REGULAR, control::command;
    "compgen", BASH, bash::compgen;
    "continue", SPECIAL, control::continue_loop;
    "declare", REGULAR, bash::declare;
    "dirs", BASH, bash::dirs;
    "disown", BASH, bash::disown;
    "echo", PURE, print::echo;
    "enable", BASH, bash::enable;
    "eval", SPECIAL, control::eval;
    "exec", SPECIAL, succeed;
    "exit", SPECIAL, control::exit;
    "export", SPECIAL, variables::export;
    "false", PURE, fail;
    "fc", REGULAR, history::fc;
    "fg", REGULAR, job::fg;
    "getopts", REGULAR, variables::getopts;
    "hash", REGULAR, inform::hash;
    "help", REGULAR, inform::help;
    "history", REGULAR, history::history;
    "jobs", REGULAR, job::jobs;
    "kill", REGULAR, job::kill;
    "let", REGULAR, variables::let_;
    "local", SPECIAL, variables::local;
    "logout", BASH, control::logout;
    "mapfile", REGULAR, bash::mapfile;
    "popd", BASH, bash::popd;
    "printf", PURE | QUIET, print::printf;
    "pushd", BASH, bash::pushd;
    "pwd", PURE, directory::pwd;
    "read", REGULAR, read::read;
    "readarray", REGULAR, bash::mapfile;
    "readonly", SPECIAL, variables::readonly;
    "return", SPECIAL, control::return_;
    "set", SPECIAL, options::set;
    "shift", SPECIAL, control::shift;
    "shopt", REGULAR, bash::shopt;
    "source", SPECIAL, control::dot;
    "test", PURE | QUIET, test::test;
    "times", SPECIAL, inform::times;
    "trap", SPECIAL, control::trap;
    "true", PURE, succeed;
    "type", REGULAR, inform::type_;
    "typeset", REGULAR, bash::declare;
    "ulimit", REGULAR, limit::ulimit;
    "umask", REGULAR, options::umask;
    "unalias", REGULAR, variables::unalias;
    "unset", SPECIAL, variables::unset;
    "wait", REGULAR, job::wait;
}

/// Where each name starts and ends in `NAMES`.
static BOUNDS: [(u16, u16); COUNT] = {
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
    /// The builtin at a place of the table.
    fn at(number: usize) -> Self {
        let flags = FLAGS[number];
        Self {
            number: number as u8,
            name: name_at(number),
            special: flags & SPECIAL > 0,
            pure: flags & PURE > 0,
            quiet: flags & QUIET > 0,
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
    place(name).map(Builtin::at)
}

fn place(name: &[u8]) -> Option<usize> {
    BOUNDS.binary_search_by(|&(start, end)| NAMES.as_bytes()[usize::from(start)..usize::from(end)].cmp(name)).ok()
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
        let found = place(self.symbols.name(name));
        self.slot(name).builtin = found.map_or(1, |at| at as u8 + 2);
        found.map(Builtin::at)
    }
}

/// The names of all builtins; those of bash mode too where it is on.
pub fn names(bash: bool) -> impl Iterator<Item = &'static str> {
    (0..COUNT).map(Builtin::at).filter(move |builtin| bash || !builtin.bash).map(|builtin| builtin.name)
}

/// Takes single-letter options off the front; `--` ends them. An unknown letter is an error.
pub fn options<'a, 'b>(
    shell: &mut Shell,
    words: &'a [&'b [u8]],
    known: &[u8],
) -> Result<(Vec<u8>, &'a [&'b [u8]]), Fail> {
    let mut letters = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        if word.len() < 2 || word[0] != b'-' {
            break;
        }
        rest = after;
        if *word == b"--" {
            break;
        }
        for &letter in &word[1..] {
            if !known.contains(&letter) {
                let fail = shell.error(&[b"illegal option -", &[letter]]);
                // The status of bash's usage errors too.
                shell.status = 2;
                return Err(fail);
            }
            letters.push(letter);
        }
    }
    Ok((letters, rest))
}

/// A number that is not negative, or an error.
pub fn number(shell: &mut Shell, word: &[u8]) -> Result<u32, Fail> {
    match rbox_core::number::parse_decimal(word).and_then(|number| u32::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => Err(shell.error(&[b"Illegal number: ", word])),
    }
}
