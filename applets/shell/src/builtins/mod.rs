//! Builtins, the fifth layer: the commands that the shell runs itself (XCU 2.14 and 2.9.1.1). It imports all layers but the
//! interactive one.

pub mod bash;
pub mod commands;
mod control;
mod describe;
mod directory;
mod history;
mod inform;
mod job;
mod limit;
mod operands;
pub mod options;
mod print;
mod read;
mod test;
mod variables;

use crate::state::Shell;
use crate::state::builtin::{Builtin, COUNT, Done, number_of};

/// Declares the function of each builtin. A name that the table does not have, or one of its that is left out, stops the
/// build.
macro_rules! builtins {
    ($($name:literal, $run:expr;)*) => {
        const _: () = assert!(COUNT == <[&str]>::len(&[$($name),*]));

        /// Runs a builtin with its operands.
        pub fn run(shell: &mut Shell, builtin: Builtin, words: &[&[u8]]) -> Done {
            $(
                if builtin.number == const { number_of($name) } {
                    return $run(shell, words);
                }
            )*
            unreachable!("there is no builtin {}", builtin.number)
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
    ".", control::dot;
    ":", succeed;
    "[", test::bracket;
    "alias", variables::alias;
    "bg", job::bg;
    "break", control::break_loop;
    "builtin", bash::builtin;
    "caller", bash::caller;
    "cd", directory::cd;
    "chdir", directory::cd;
    "command", control::command;
    "compgen", bash::compgen;
    "continue", control::continue_loop;
    "declare", bash::declare;
    "dirs", bash::dirs;
    "disown", bash::disown;
    "echo", print::echo;
    "enable", bash::enable;
    "eval", control::eval;
    "exec", succeed;
    "exit", control::exit;
    "export", variables::export;
    "false", fail;
    "fc", history::fc;
    "fg", job::fg;
    "getopts", variables::getopts;
    "hash", inform::hash;
    "help", inform::help;
    "history", history::history;
    "jobs", job::jobs;
    "kill", job::kill;
    "let", variables::let_;
    "local", variables::local;
    "logout", control::logout;
    "mapfile", bash::mapfile;
    "popd", bash::popd;
    "printf", print::printf;
    "pushd", bash::pushd;
    "pwd", directory::pwd;
    "read", read::read;
    "readarray", bash::mapfile;
    "readonly", variables::readonly;
    "return", control::return_;
    "set", options::set;
    "shift", control::shift;
    "shopt", bash::shopt;
    "source", control::dot;
    "test", test::test;
    "times", inform::times;
    "trap", control::trap;
    "true", succeed;
    "type", describe::type_;
    "typeset", bash::declare;
    "ulimit", limit::ulimit;
    "umask", options::umask;
    "unalias", variables::unalias;
    "unset", variables::unset;
    "wait", job::wait;
}
