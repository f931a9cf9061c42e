//! The form of an applet, and the table of all of them.

use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome, Result};
use crate::options::{Args, Grammar};

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
    /// How its words are told apart.
    pub grammar: Grammar,
    /// The status of a wrong command line and of an error without a status of its own.
    pub failure: u8,
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
        Self { usage, run, form: Form { isolation: Isolation::Child, grammar: Grammar::Permuted, failure: 1 } }
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

    /// The same applet, which reads its words itself.
    pub const fn raw(mut self) -> Self {
        self.form.grammar = Grammar::Raw;
        self
    }

    /// The same applet, with another status for errors.
    pub const fn failure(mut self, status: u8) -> Self {
        self.form.failure = status;
        self
    }

    /// Runs the applet on `words` (the first is its name), reports what went wrong, flushes, and returns the status.
    pub fn call(&self, env: &mut Env, words: &[&[u8]]) -> ExitStatus {
        let outcome = match self.form.read_words(self.usage, env, words) {
            Ok(Some(args)) => (self.run)(env, &args),
            Ok(None) => Ok(ExitStatus::SUCCESS),
            Err(error) => Err(error),
        };
        self.form.conclude(self.usage, env, outcome)
    }
}

impl Form {
    /// Reads the words of a call. `None` when they ask for help, which has been given.
    fn read_words<'a>(self, usage: &'static str, env: &mut Env, words: &'a [&'a [u8]]) -> Result<Option<Args<'a>>> {
        if self.grammar != Grammar::Raw && words.get(1).is_some_and(|word| *word == b"--help") {
            let text = help(usage, &env.name);
            env.stdout.write(&text)?;
            return Ok(None);
        }
        Args::parse(usage, self.grammar_for(env), words).map(Some)
    }

    /// POSIXLY_CORRECT asks for POSIX's order everywhere.
    fn grammar_for(self, env: &Env) -> Grammar {
        match self.grammar {
            Grammar::Permuted if env.vars.get("POSIXLY_CORRECT").is_some() => Grammar::OptionsFirst,
            grammar => grammar,
        }
    }

    fn conclude(self, usage: &str, env: &mut Env, outcome: Outcome) -> ExitStatus {
        let mut status = match outcome {
            Ok(status) => status,
            Err(error) => self.fail(usage, env, &error),
        };
        if let Err(error) = env.stdout.flush() {
            status.worsen(self.fail(usage, env, &error));
        }
        status
    }

    fn fail(self, usage: &str, env: &mut Env, error: &Error) -> ExitStatus {
        env.report(error);
        if error.is_usage() {
            let text = help(usage, &env.name);
            // There is no one left to tell that standard error is dead.
            let _ = env.stderr.write(&text);
        }
        error.status(self.failure)
    }
}

/// The text of `--help`: what rbox is, and the usage text under the name the applet was called by.
pub fn help(usage: &str, name: &[u8]) -> Vec<u8> {
    [VERSION_LINE.as_bytes(), b"\n\nUsage: ", name, b" ", usage.as_bytes(), b"\n"].concat()
}

/// What rbox is and which: the first line of every `--help`.
pub const VERSION_LINE: &str = concat!("rbox v", env!("CARGO_PKG_VERSION"), " multi-call binary.");

/// One applet's number in the table of all.
pub type Id = u16;

/// All applets of a binary. The binary implements it; core and the applets only know this.
pub trait Registry: Sync {
    /// The applet of that name.
    fn find(&self, name: &[u8]) -> Option<Id>;
    /// How it is called.
    fn form(&self, id: Id) -> Form;
    /// Its usage text.
    fn usage(&self, id: Id) -> &'static str;
    /// Its entry, with the words told apart.
    fn run(&self, id: Id, env: &mut Env, args: &Args<'_>) -> Outcome;
    /// The install paths of all applets, as `/bin/cat`, sorted by name; the index is the number.
    fn paths(&self) -> &'static str;
}

impl dyn Registry {
    /// Runs the applet on `words`, as [`Applet::call`] does.
    pub fn call(&self, id: Id, env: &mut Env, words: &[&[u8]]) -> ExitStatus {
        let (form, usage) = (self.form(id), self.usage(id));
        let outcome = match form.read_words(usage, env, words) {
            Ok(Some(args)) => self.run(id, env, &args),
            Ok(None) => Ok(ExitStatus::SUCCESS),
            Err(error) => Err(error),
        };
        form.conclude(usage, env, outcome)
    }
}

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

        /// The install path of every name of the group, with the number of its file.
        pub const ROWS: &[(&str, u8)] = {
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            enum Number { $($module),* }
            &[$($(($path, Number::$module as u8)),+),*]
        };

        /// The applets, by the numbers of their files. It is read when the program is built.
        pub const APPLETS: &[$crate::applet::Applet] = &[$($module::APPLET),*];

        /// Calls the entry of the file with that number.
        pub fn run(
            number: u8,
            env: &mut $crate::env::Env,
            args: &$crate::options::Args<'_>,
        ) -> $crate::error::Outcome {
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            enum Number { $($module),* }
            // A table of entries would be one pointer each for the dynamic loader to mend at every start.
            $(if number == Number::$module as u8 { return ($module::APPLET.run)(env, args); })*
            unreachable!("the number comes from ROWS")
        }
    };
}
