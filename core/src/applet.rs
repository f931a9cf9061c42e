//! The form of an applet, and the table of all of them.

use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome, Question, Result};
use crate::options::{Args, Grammar};
use crate::sys::alloc::Running;
use crate::usage;

/// Where an applet may run when another one (the shell, `find`, `xargs`) calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In the caller's own process: it ends soon, asks no one, and leaves directory, umask, credentials, signals and
    /// terminal as they were.
    Inline,
    /// In a child of its own, which need not execute anything.
    Child,
    /// As a program of its own: it runs for long, and who looks for it (ps, pidof, killall) finds it by its name.
    Program,
}

/// How an applet is called: everything about it but its text and its code.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Where it may run.
    pub isolation: Isolation,
    /// How its words are parsed.
    pub grammar: Grammar,
    /// The status of a wrong command line and of an error without a status of its own.
    pub failure: u8,
    /// It keeps the rights of a set-user-ID program file; every other applet gives them up before it reads any word.
    pub setuid: bool,
    /// It has no closed standard stream kept closed: it knows by itself which are open to a script.
    pub is_shell: bool,
}

/// One applet: its usage text, which is also its option table, and its entry.
#[derive(Clone, Copy, Debug)]
pub struct Applet {
    /// What follows the name on the usage line, then the description and the options (see `options`).
    pub usage: &'static str,
    /// The entry.
    pub run: fn(&mut Env, &Args<'_>) -> Outcome,
    /// How it is called.
    pub form: Form,
}

impl Applet {
    /// An applet that runs in a child, lets options follow operands, and fails with status 1.
    pub const fn new(usage: &'static str, run: fn(&mut Env, &Args<'_>) -> Outcome) -> Self {
        let (isolation, grammar) = (Isolation::Child, Grammar::Permuted);
        Self { usage, run, form: Form { isolation, grammar, failure: 1, setuid: false, is_shell: false } }
    }

    /// The same applet, safe in its caller's process.
    pub const fn inline(mut self) -> Self {
        self.form.isolation = Isolation::Inline;
        self
    }

    /// The same applet, executed anew.
    pub const fn program(mut self) -> Self {
        self.form.isolation = Isolation::Program;
        self
    }

    /// The same applet, whose options end at the first operand.
    pub const fn options_first(mut self) -> Self {
        self.form.grammar = Grammar::OptionsFirst;
        self
    }

    /// The same applet, whose options end at the first operand, which may be a negative number.
    pub const fn numbers(mut self) -> Self {
        self.form.grammar = Grammar::Numbers;
        self
    }

    /// The same applet, which reads its words itself.
    pub const fn raw(mut self) -> Self {
        self.form.grammar = Grammar::Raw;
        self
    }

    /// The same applet, to which every word is data.
    pub const fn data(mut self) -> Self {
        self.form.grammar = Grammar::Data;
        self
    }

    /// The same applet, with another status for errors.
    pub const fn failure(mut self, status: u8) -> Self {
        self.form.failure = status;
        self
    }

    /// The same applet, which needs root's rights when users call it: it keeps those of a set-user-ID program file, and
    /// checks what it does for whom.
    pub const fn setuid(mut self) -> Self {
        self.form.setuid = true;
        self
    }

    /// The same applet, which keeps account of its descriptors, the standard streams included.
    pub const fn shell(mut self) -> Self {
        self.form.is_shell = true;
        self
    }

    /// Runs the applet on `words` (the first is its name), reports what went wrong, flushes, and returns the status.
    pub fn call(&self, env: &mut Env, words: &[&[u8]]) -> ExitStatus {
        let outcome = match self.form.read_words(self.usage.as_bytes(), env, words) {
            Ok(args) => (self.run)(env, &args),
            Err(error) => Err(error),
        };
        self.form.conclude(self.usage.as_bytes(), env, outcome)
    }
}

impl Form {
    /// Reads the words of a call.
    fn read_words<'a>(self, usage: &[u8], env: &Env, words: &'a [&'a [u8]]) -> Result<Args<'a>> {
        if self.grammar == Grammar::Raw
            && let [_, word] = words
            && let Some(question) = Question::of(word)
        {
            return Err(Error::asked(question));
        }
        Args::parse(usage, self.grammar_for(env), words)
    }

    /// POSIXLY_CORRECT asks for POSIX's order everywhere.
    fn grammar_for(self, env: &Env) -> Grammar {
        match self.grammar {
            Grammar::Permuted if env.vars.get("POSIXLY_CORRECT").is_some() => Grammar::OptionsFirst,
            grammar => grammar,
        }
    }

    fn conclude(self, usage: &[u8], env: &mut Env, outcome: Outcome) -> ExitStatus {
        let outcome = match outcome {
            Err(error) => match error.question() {
                Some(question) => answer(env, &usage::unpack(usage), question),
                None => Err(error),
            },
            outcome => outcome,
        };
        let mut status = outcome.unwrap_or_else(|error| self.fail(usage, env, &error));
        if let Err(error) = env.stdout.flush() {
            status.worsen(self.fail(usage, env, &error));
        }
        status
    }

    fn fail(self, usage: &[u8], env: &mut Env, error: &Error) -> ExitStatus {
        env.report(error);
        if error.is_usage() {
            let text = help(&usage::unpack(usage), &env.name);
            // Nothing can be reported when standard error is dead.
            let _ = env.stderr.write(&text);
        }
        error.status(self.failure)
    }
}

/// The text of `--help`: what rbox is, and the usage text under the name the applet was called by.
pub fn help(usage: &str, name: &[u8]) -> Vec<u8> {
    [VERSION_LINE.as_bytes(), b"\n\nUsage: ", name, b" ", &usage::aligned(usage)].concat()
}

/// The text of `--version`: the name and version in GNU's form, then the line by which scripts that look for BusyBox
/// know it.
pub fn version(name: &[u8]) -> Vec<u8> {
    [name, concat!(" (rbox) ", env!("CARGO_PKG_VERSION"), "\n").as_bytes(), VERSION_LINE.as_bytes(), b"\n"].concat()
}

/// Answers a question of the command line on standard output.
pub fn answer(env: &mut Env, usage: &str, question: Question) -> Outcome {
    let text = match question {
        Question::Help => help(usage, &env.name),
        Question::Version => version(&env.name),
    };
    env.stdout.write(&text)?;
    Ok(ExitStatus::SUCCESS)
}

/// What rbox is and which: the first line of every `--help`.
pub const VERSION_LINE: &str =
    concat!("rbox v", env!("CARGO_PKG_VERSION"), " multi-call binary, compatible with BusyBox v1.37.");

/// One applet's number in the table of all.
pub type Id = u16;

/// The data of all applets, in the order of the numbers. A file is the number of an applet's source file.
///
/// There are texts and arrays of offsets in them, and no array of pointers, each of which every start would relocate.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The install paths of all names, as `/bin/cat`, sorted by name, a newline between two.
    pub paths: &'static str,
    /// Where each name starts and ends in `paths`.
    pub names: &'static [(u16, u16)],
    /// The file of each name.
    pub files: &'static [u16],
    /// How each file's applet is called.
    pub forms: &'static [Form],
    /// All usage texts, packed (`usage::pack`), one after the other.
    pub usages: &'static [u8],
    /// Where each file's usage text ends in `usages`.
    pub usage_ends: &'static [u32],
}

/// All applets of a binary. The binary makes it; core and the applets only know this.
///
/// It is two functions and not a trait's object, whose table of functions every start would relocate.
#[derive(Clone, Copy, Debug)]
pub struct Registry {
    table: fn() -> Table,
    run: fn(usize, &mut Env, &Args<'_>) -> Outcome,
}

impl Registry {
    /// The registry of that table; `run` calls the entry of a file's applet, with the parsed words.
    pub const fn new(table: fn() -> Table, run: fn(usize, &mut Env, &Args<'_>) -> Outcome) -> Self {
        Self { table, run }
    }

    /// The applet of that name.
    pub fn find(self, name: &[u8]) -> Option<Id> {
        let table = (self.table)();
        let paths = table.paths.as_bytes();
        let found = table.names.binary_search_by(|&(start, end)| paths[start.into()..end.into()].cmp(name));
        Some(found.ok()? as Id)
    }

    fn name(self, id: Id) -> &'static [u8] {
        let table = (self.table)();
        let (start, end) = table.names[usize::from(id)];
        &table.paths.as_bytes()[start.into()..end.into()]
    }

    fn file(self, id: Id) -> usize {
        (self.table)().files[usize::from(id)].into()
    }

    /// How it is called.
    pub fn form(self, id: Id) -> Form {
        (self.table)().forms[self.file(id)]
    }

    /// Its usage text, packed.
    pub fn usage(self, id: Id) -> &'static [u8] {
        let (table, file) = ((self.table)(), self.file(id));
        let start = if file == 0 { 0 } else { table.usage_ends[file - 1] };
        &table.usages[start as usize..table.usage_ends[file] as usize]
    }

    /// The install paths of all applets, as `/bin/cat`, sorted by name, a newline between two.
    pub fn paths(self) -> &'static str {
        (self.table)().paths
    }

    /// The names of all applets, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static [u8]> {
        self.paths().split('\n').map(|path| crate::bytes::base_name(path.as_bytes()))
    }

    /// Runs the applet on `words`, as [`Applet::call`] does.
    pub fn call(self, id: Id, env: &mut Env, words: &[&[u8]]) -> ExitStatus {
        let (form, usage) = (self.form(id), self.usage(id));
        let _held = if form.is_shell { Vec::new() } else { crate::sys::fd::hold() };
        let outer = Running::new(self.name(id), form.failure).begin();
        let outcome = match form.read_words(usage, env, words) {
            Ok(args) => (self.run)(self.file(id), env, &args),
            Err(error) => Err(error),
        };
        let status = form.conclude(usage, env, outcome);
        outer.begin();
        status
    }
}

/// The names that this program is built with, separated by white space; `None` for all (`make rbox APPLETS="sh ls"`).
pub const CHOSEN: Option<&str> = option_env!("RBOX_APPLETS");

/// Whether the program is built with the applet that is installed at `path`.
pub const fn is_chosen(path: &str) -> bool {
    let Some(words) = CHOSEN else { return true };
    let (words, path) = (words.as_bytes(), path.as_bytes());
    let name = path.len() - base_name_start(path);
    let (mut at, mut start) = (0, 0);
    while at <= words.len() {
        if at == words.len() || words[at].is_ascii_whitespace() {
            if at - start == name && ends_alike(words, at, path, name) {
                return true;
            }
            start = at + 1;
        }
        at += 1;
    }
    false
}

/// Where the name starts in an install path.
pub const fn base_name_start(path: &[u8]) -> usize {
    let mut at = path.len();
    while path[at - 1] != b'/' {
        at -= 1;
    }
    at
}

/// Whether `a[..end]` and `b` end in the same `count` bytes.
const fn ends_alike(a: &[u8], end: usize, b: &[u8], count: usize) -> bool {
    let mut back = 1;
    while back <= count {
        if a[end - back] != b[b.len() - back] {
            return false;
        }
        back += 1;
    }
    true
}

/// Numbers the files of a group: each that has a chosen name gets the next number, another one [`NO_FILE`].
pub const fn number_files<const FILES: usize>(rows: &[(&str, u16)]) -> [u16; FILES] {
    let mut numbers = [NO_FILE; FILES];
    let (mut row, mut next) = (0, 0);
    while row < rows.len() {
        let (path, file) = rows[row];
        if numbers[file as usize] == NO_FILE && is_chosen(path) {
            numbers[file as usize] = next;
            next += 1;
        }
        row += 1;
    }
    numbers
}

/// The number of a file of which no name is chosen.
pub const NO_FILE: u16 = u16::MAX;

/// Declares the applets of a group: one row for each file, with the install path of each of its names.
///
/// ```text
/// rbox_core::applets! {
///     cat: "/bin/cat";
///     grep: "/bin/grep" "/bin/egrep" "/bin/fgrep";
/// }
/// ```
#[macro_export]
macro_rules! applets {
    ($($module:ident: $($path:literal)+;)*) => {
        $(mod $module;)*

        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum File { $($module),* }

        /// The install path of every name of the group, with its file's position in `APPLETS`.
        pub const ROWS: &[(&str, u16)] = &[$($(($path, File::$module as u16)),+),*];

        /// The applets of all files. It is read when the program is built.
        pub const APPLETS: &[$crate::applet::Applet] = &[$($module::APPLET),*];

        /// The number of each file among those that the program is built with.
        pub const NUMBERS: [u16; APPLETS.len()] = $crate::applet::number_files(ROWS);

        /// The entry of each file as a function of its own. Inlined in one, they would share a stack frame of several
        /// kilobytes, in which an address takes four bytes instead of one.
        mod entries {
            $(
                #[inline(never)]
                pub fn $module(
                    env: &mut $crate::env::Env,
                    args: &$crate::options::Args<'_>,
                ) -> $crate::error::Outcome {
                    (super::$module::APPLET.run)(env, args)
                }
            )*
        }

        /// Calls the entry of the file with that number.
        pub fn run(
            number: u16,
            env: &mut $crate::env::Env,
            args: &$crate::options::Args<'_>,
        ) -> $crate::error::Outcome {
            // A table of entries would be one pointer each for the dynamic loader to relocate at every start. What is
            // not chosen is not called from here, and so not linked.
            $(
                if const { NUMBERS[File::$module as usize] != $crate::applet::NO_FILE }
                    && number == const { NUMBERS[File::$module as usize] }
                {
                    return entries::$module(env, args);
                }
            )*
            unreachable!("the number comes from ROWS")
        }
    };
}
