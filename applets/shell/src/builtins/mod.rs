//! The commands that the shell runs itself (XCU 2.14 and 2.9.1.1).

pub mod bash;
mod control;
mod directory;
mod history;
mod inform;
mod job;
mod options;
pub mod print;
mod read;
pub mod test;
mod variables;

use crate::shell::{Fail, Shell};
use crate::symbols::Sym;

pub use directory::working as working_folder;
pub use options::set_option_by_name;
pub use read::read_line;

/// What a builtin returns: its status, or why the shell does not go on.
pub type Done = Result<u8, Fail>;

/// A builtin.
pub struct Builtin {
    pub name: &'static str,
    pub run: fn(&mut Shell, &[&[u8]]) -> Done,
    /// A special builtin: its errors end the shell, assignments before it stay.
    pub special: bool,
    /// It leaves the shell as it was: a substitution may run it without a fork.
    pub pure: bool,
    /// Its messages are without its name.
    pub quiet: bool,
}

const fn regular(name: &'static str, run: fn(&mut Shell, &[&[u8]]) -> Done) -> Builtin {
    Builtin { name, run, special: false, pure: false, quiet: false }
}

const fn special(name: &'static str, run: fn(&mut Shell, &[&[u8]]) -> Done) -> Builtin {
    Builtin { special: true, ..regular(name, run) }
}

const fn pure(name: &'static str, run: fn(&mut Shell, &[&[u8]]) -> Done) -> Builtin {
    Builtin { pure: true, ..regular(name, run) }
}

/// All builtins, sorted by name.
static BUILTINS: &[Builtin] = &[
    special(".", control::dot),
    Builtin { special: true, ..pure(":", |_, _| Ok(0)) },
    Builtin { quiet: true, ..pure("[", test::bracket) },
    regular("alias", variables::alias),
    regular("bg", job::bg),
    special("break", control::break_loop),
    regular("cd", directory::cd),
    regular("chdir", directory::cd),
    regular("command", control::command),
    special("continue", control::continue_loop),
    regular("declare", bash::declare),
    pure("echo", print::echo),
    special("eval", control::eval),
    special("exec", |_, _| Ok(0)),
    special("exit", control::exit),
    special("export", variables::export),
    pure("false", |_, _| Ok(1)),
    regular("fc", history::fc),
    regular("fg", job::fg),
    regular("getopts", variables::getopts),
    regular("hash", inform::hash),
    regular("help", inform::help),
    regular("history", history::history),
    regular("jobs", job::jobs),
    regular("kill", job::kill),
    regular("let", variables::let_),
    special("local", variables::local),
    regular("mapfile", bash::mapfile),
    Builtin { quiet: true, ..pure("printf", print::printf) },
    pure("pwd", directory::pwd),
    regular("read", read::read),
    regular("readarray", bash::mapfile),
    special("readonly", variables::readonly),
    special("return", control::return_),
    special("set", options::set),
    special("shift", control::shift),
    regular("shopt", bash::shopt),
    special("source", control::dot),
    Builtin { quiet: true, ..pure("test", test::test) },
    special("times", inform::times),
    special("trap", control::trap),
    pure("true", |_, _| Ok(0)),
    regular("type", inform::type_),
    regular("typeset", bash::declare),
    regular("ulimit", options::ulimit),
    regular("umask", options::umask),
    regular("unalias", variables::unalias),
    special("unset", variables::unset),
    regular("wait", job::wait),
];

/// The builtin of that name.
pub fn find(name: &[u8]) -> Option<&'static Builtin> {
    place(name).map(|at| &BUILTINS[at])
}

fn place(name: &[u8]) -> Option<usize> {
    BUILTINS.binary_search_by(|one| one.name.as_bytes().cmp(name)).ok()
}

impl Shell {
    /// The builtin that a symbol names.
    #[inline]
    pub fn builtin_of(&mut self, name: Sym) -> Option<&'static Builtin> {
        match self.slot(name).builtin {
            0 => self.look_up_builtin(name),
            1 => None,
            number => Some(&BUILTINS[usize::from(number) - 2]),
        }
    }

    fn look_up_builtin(&mut self, name: Sym) -> Option<&'static Builtin> {
        let found = place(self.symbols.name(name));
        self.slot(name).builtin = found.map_or(1, |at| at as u8 + 2);
        found.map(|at| &BUILTINS[at])
    }
}

/// The names of all builtins.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|one| one.name)
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
                return Err(shell.error(&[b"illegal option -", &[letter]]));
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
