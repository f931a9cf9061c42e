//! `sh`, `ash` and `bash`: the command language interpreter (XCU sh), with BusyBox's extensions.

use crate::builtins;
use crate::state::initial::set_fixed_variables;
use crate::state::jobs::Jobs;
use crate::state::options::Options;
use crate::state::stream::is_seekable;
use crate::state::traps::TRAPS;
use crate::state::{Computed, Flow, Invocation, Location, Parameters, Streams, Terminal, Traps};
use crate::state::{Fail, Run, Shell};
use crate::syntax::copied::Copied;
use crate::syntax::input::{Input, Reader};
use crate::syntax::symbols::Symbols;
use rbox_core::prelude::*;
use rbox_core::sys::{self, fd, fs, process, termios};
use rbox_core::text;
use std::rc::Rc;

const USAGE: &str = "[-il] [-|+CEIabefhmnuvx] [-|+o OPT]... [-c 'SCRIPT' [ARG0 ARGS] | FILE ARGS | -s ARGS]

Run commands from a string, a file or the terminal. When called as bash, also:
--login --noprofile --norc --rcfile FILE --posix --verbose --version, -O and +O SHOPT";

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().raw().shell();

/// What the command line asks for.
#[derive(Default)]
struct Start {
    command: bool,
    stdin: bool,
    login: bool,
    interactive: Option<bool>,
    monitor: Option<bool>,
    /// bash's `--noprofile` and `--norc`.
    no_profile: bool,
    no_rc: bool,
    /// bash's `--rcfile FILE`.
    rc_file: Option<Vec<u8>>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    env.stdout.flush()?;
    let name = env.name.clone();
    let mut shell = new_shell(env, &name);
    if let Some(word) = args.words().first() {
        shell.invocation.arg0 = word.copied();
    }
    let words: Vec<&[u8]> = args.words().get(1..).unwrap_or_default().to_vec();
    // Whatever ended it, the status is the shell's.
    let _ = start(&mut shell, &words, args);
    let status = shell.status;
    // The process ends with the shell, as it never runs in another's: the system takes its memory at once.
    core::mem::forget(shell);
    Ok(ExitStatus(status))
}

/// A shell as it is before it has read a word, under that name.
pub fn new_shell(env: &Env, name: &[u8]) -> Shell {
    let marker = 0u8;
    let pid = process::getpid().as_raw_nonzero().get();
    let mut shell = Shell {
        registry: env.registry,
        symbols: Symbols::default(),
        // Most shells have the variables of the environment and a few of their own.
        variables: Vec::with_capacity(56),
        locals: Vec::new(),
        options: Options::default(),
        status: 0,
        jobs: Jobs::default(),
        invocation: Invocation {
            arg0: name.copied(),
            name: name.copied(),
            pid,
            stack_base: &raw const marker as usize,
            stack_limit: crate::exec::stack_limit(),
            ..Invocation::default()
        },
        parameters: Parameters::default(),
        traps: Traps { actions: vec![None; TRAPS], outer: None, running: None, ignored: 0, known: 0 },
        flow: Flow::default(),
        location: Location::default(),
        streams: Streams::default(),
        computed: Computed { ifs: b" \t\n".copied(), random: pid as u32, ..Computed::default() },
        terminal: Terminal { entered: 1, ..Terminal::default() },
    };
    import(&mut shell, env);
    if rbox_core::bytes::base_name(name).strip_prefix(b"-").unwrap_or(rbox_core::bytes::base_name(name)) == b"bash" {
        builtins::options::set_option_by_name(&mut shell, b"bash", true);
        // A script of bash expands aliases when it asks for it.
        shell.options.expand_aliases = false;
        if let Some(names) = env.vars.get("SHELLOPTS") {
            for name in names.split(|&byte| byte == b':') {
                builtins::options::set_option_by_name(&mut shell, name, true);
            }
        }
        env.vars.words().iter().for_each(|word| shell.import_function(word));
    }
    shell
}

/// Takes the environment in, and sets the variables that every shell has.
fn import(shell: &mut Shell, env: &Env) {
    for word in env.vars.words() {
        let at = word.iter().take_while(|&&byte| crate::syntax::symbols::is_name_byte(byte)).count();
        if word.get(at) == Some(&b'=') && crate::syntax::symbols::is_name_start(word[0]) {
            let name = shell.intern(&word[..at]);
            let slot = shell.slot(name);
            slot.value = word[at + 1..].copied();
            slot.set = true;
            slot.export = true;
        }
    }
    set_fixed_variables(shell);
    let level = shell.get(b"SHLVL").and_then(crate::syntax::expression::small_number).unwrap_or(0).wrapping_add(1);
    export(shell, b"SHLVL", text!(level));
    let directory = crate::state::directory::working(shell);
    export(shell, b"PWD", directory);
}

fn export(shell: &mut Shell, name: &[u8], value: Vec<u8>) {
    let name = shell.intern(name);
    let slot = shell.slot(name);
    slot.value = value;
    slot.set = true;
    slot.export = true;
}

fn start(shell: &mut Shell, words: &[&[u8]], args: &Args<'_>) -> Run {
    let mut start =
        Start { login: args.words().first().is_some_and(|word| word.starts_with(b"-")), ..Start::default() };
    let rest = read_options(shell, words, &mut start).inspect_err(|fail| {
        if *fail == Fail::Error {
            shell.status = 2;
        }
    })?;
    let result = begin(shell, rest, &start);
    if result == Err(Fail::Error) && shell.status == 0 {
        shell.status = 2;
    }
    shell.run_exit_trap();
    if shell.options.login && shell.options.interactive && shell.options.bash {
        let status = shell.status;
        let home = shell.get(b"HOME").unwrap_or_default().copied();
        // What ends the file does not change how the shell ends.
        let _ = profile(shell, &[&home[..], b"/.bash_logout"].concat());
        shell.status = status;
    }
    shell.options.monitor = false;
    crate::exec::job_control::release_terminal(shell);
    result
}

fn read_options<'a, 'b>(
    shell: &mut Shell,
    words: &'a [&'b [u8]],
    start: &mut Start,
) -> core::result::Result<&'a [&'b [u8]], Fail> {
    let mut words = words;
    while let Some((word, rest)) = words.split_first() {
        let on = match word.first() {
            Some(b'-') => true,
            Some(b'+') => false,
            _ => break,
        };
        words = rest;
        if word.len() == 1 || *word == b"--" {
            break;
        }
        if *word == b"--login" {
            start.login = true;
            continue;
        }
        if shell.options.bash && word.starts_with(b"--") {
            words = long_option(shell, word, words, start)?;
            continue;
        }
        for &flag in &word[1..] {
            match flag {
                // As in every shell, after `-` and `+`.
                b'c' => start.command = true,
                b's' => start.stdin = on,
                b'l' => start.login = on,
                b'i' => start.interactive = Some(on),
                b'm' => start.monitor = Some(on),
                b'O' if shell.options.bash => {
                    let Some((name, rest)) = words.split_first() else {
                        builtins::bash::shopt(shell, &[])?;
                        break;
                    };
                    words = rest;
                    if builtins::bash::shopt(shell, &[if on { b"-s" } else { b"-u" }, name])? != 0 {
                        return Err(Fail::Error);
                    }
                }
                b'o' => {
                    let Some((name, rest)) = words.split_first() else {
                        builtins::options::list_options(shell, on);
                        break;
                    };
                    words = rest;
                    if !builtins::options::set_option_by_name(shell, name, on) {
                        return Err(shell.error(&[b"illegal option ", &word[..1], b"o ", name]));
                    }
                }
                flag => {
                    if !shell.set_option(flag, on) {
                        return Err(shell.error(&[b"illegal option ", &word[..1], &[flag]]));
                    }
                }
            }
        }
    }
    Ok(words)
}

/// bash's long options; the words after the option and its argument.
fn long_option<'a, 'b>(
    shell: &mut Shell,
    word: &[u8],
    words: &'a [&'b [u8]],
    start: &mut Start,
) -> core::result::Result<&'a [&'b [u8]], Fail> {
    match word {
        b"--noprofile" => start.no_profile = true,
        b"--norc" => start.no_rc = true,
        b"--posix" => shell.options.posix = true,
        b"--verbose" => shell.options.verbose = true,
        b"--rcfile" | b"--init-file" => {
            let Some((file, rest)) = words.split_first() else {
                return Err(shell.error(&[word, b": option requires an argument"]));
            };
            start.rc_file = Some(file.copied());
            return Ok(rest);
        }
        b"--version" => {
            let version = shell.get(b"BASH_VERSION").unwrap_or_default().copied();
            let own = env!("CARGO_PKG_VERSION");
            shell.print(&text!("bash (rbox) ", own, "\ncompatible with bash, version ", &version, "\n"));
            return Err(Fail::Exit);
        }
        _ => return Err(shell.error(&[word, b": invalid option"])),
    }
    Ok(words)
}

/// The files that bash reads before its commands.
fn bash_files(shell: &mut Shell, start: &Start) -> Run {
    let home = shell.get(b"HOME").unwrap_or_default().copied();
    let at_home = |name: &[u8]| [&home[..], b"/", name].concat();
    if start.login {
        if start.no_profile {
            return Ok(());
        }
        profile(shell, b"/etc/profile")?;
        // The first that there is.
        for name in [&b".bash_profile"[..], b".bash_login", b".profile"] {
            if fs::stat(&at_home(name)[..]).is_ok() {
                return profile(shell, &at_home(name));
            }
        }
        return Ok(());
    }
    if shell.options.interactive {
        if start.no_rc {
            return Ok(());
        }
        if start.rc_file.is_none() {
            // Debian's.
            profile(shell, b"/etc/bash.bashrc")?;
        }
        return profile(shell, &start.rc_file.clone().unwrap_or_else(|| at_home(b".bashrc")));
    }
    match shell.get(b"BASH_ENV").map(<[u8]>::copied) {
        Some(path) if is_own() => {
            let path = shell.expand_prompt(&path);
            profile(shell, &path)
        }
        _ => Ok(()),
    }
}

/// Whether the identities do not differ: with others, files that the environment names are not read (XCU sh, ENV).
fn is_own() -> bool {
    process::getuid() == process::geteuid() && process::getgid() == process::getegid()
}

fn begin(shell: &mut Shell, words: &[&[u8]], start: &Start) -> Run {
    let from_stdin = !start.command && (start.stdin || words.is_empty());
    let terminal = from_stdin && termios::isatty(fd::borrow(0)) && termios::isatty(fd::borrow(2));
    let interactive = start.interactive.unwrap_or(from_stdin && terminal);
    let mut words = words;
    let mut text = None;
    if start.command {
        let Some((command, rest)) = words.split_first() else {
            return Err(shell.plain_error(b"-c requires an argument"));
        };
        text = Some(command.copied());
        words = rest;
        if let Some((name, rest)) = words.split_first() {
            shell.invocation.arg0 = name.copied();
            shell.invocation.named = true;
            words = rest;
        }
    }
    let mut file = None;
    if !start.command && !from_stdin {
        file = Some(words[0].copied());
        shell.invocation.arg0 = words[0].copied();
        words = &words[1..];
    }
    shell.parameters.positional = Rc::new(words.iter().map(|word| word.copied()).collect());
    shell.options.interactive = interactive;
    if interactive || !shell.options.bash {
        set_default_prompt(shell);
    }
    shell.options.stdin = from_stdin;
    shell.options.command = start.command;
    if start.monitor.unwrap_or(interactive) {
        shell.options.monitor = true;
        crate::exec::job_control::set_monitor(shell, true);
    }
    if interactive {
        shell.set_own_signals();
    }
    shell.options.login = start.login;
    let bash = shell.options.bash && !shell.options.posix;
    if bash {
        shell.options.history |= interactive;
        shell.options.histexpand |= interactive;
        bash_files(shell, start)?;
    } else if start.login && !start.no_profile {
        profile(shell, b"/etc/profile")?;
        if let Some(home) = shell.get(b"HOME").map(<[u8]>::copied) {
            profile(shell, &[&home[..], b"/.profile"].concat())?;
        }
    }
    if interactive
        && is_own()
        && !bash
        && let Some(path) = shell.get(b"ENV").map(<[u8]>::copied)
    {
        let path = shell.expand_prompt(&path);
        profile(shell, &path)?;
    }
    if interactive && terminal && !start.command {
        crate::interactive::open_history(shell);
    }
    let mut input = match (text, file) {
        (Some(text), _) => Input::text(&text, 1),
        (None, Some(path)) => Input::reader(open_script(shell, &path)?),
        (None, None) if interactive && terminal => Input::reader(Reader::Terminal),
        // bash's history expansion takes lines one by one.
        (None, None) if is_seekable(fd::borrow(0)) && !(interactive && bash) => Input::reader(Reader::Seekable(0)),
        (None, None) => Input::reader(Reader::Bytes(0)),
    };
    shell.run_input(&mut input, true)
}

/// The default of PS1: BusyBox sets it in scripts too, bash at a prompt alone.
fn set_default_prompt(shell: &mut Shell) {
    let default: &[u8] = if shell.options.bash { b"\\s-\\v\\$ " } else { b"\\w \\$ " };
    let name = shell.intern(b"PS1");
    let slot = shell.slot(name);
    if !slot.set {
        slot.value = default.to_vec();
        slot.set = true;
    }
}

/// Opens a script.
fn open_script(shell: &mut Shell, path: &[u8]) -> core::result::Result<Reader, Fail> {
    let opened = match fs::open(path, fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()) {
        Ok(opened) => opened,
        Err(errno) => {
            shell.invocation.arg0 = b"sh".copied();
            let fail = shell.error(&[b"can't open '", path, b"': ", sys::error_text(errno).as_bytes()]);
            // XCU sh, EXIT STATUS: 127 when the file is not there, 126 when it cannot be read.
            shell.status = if matches!(errno, sys::Errno::NOENT | sys::Errno::NOTDIR) { 127 } else { 126 };
            return Err(fail);
        }
    };
    shell.invocation.named = true;
    shell.script(opened)
}

/// Runs a file if there is one.
fn profile(shell: &mut Shell, path: &[u8]) -> Run {
    let Ok(opened) = fs::open(path, fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()) else {
        return Ok(());
    };
    let mut input = Input::reader(shell.script(opened)?);
    shell.flow.sources += 1;
    let result = shell.run_input(&mut input, false);
    shell.flow.sources -= 1;
    shell.close_script(&input);
    match result {
        Err(Fail::Exit) => Err(Fail::Exit),
        _ => Ok(()),
    }
}

/// A shell in which nothing runs; the first byte says how it reads.
#[cfg(fuzzing)]
fn fuzzed_shell(data: &[u8]) -> (Shell, &[u8]) {
    let mut shell = new_shell(&rbox_core::testing::env(b"sh"), b"sh");
    let (mode, text) = data.split_first().map_or((0, data), |(mode, text)| (*mode, text));
    (shell.options.bash, shell.options.extglob) = (mode & 1 != 0, mode & 2 != 0);
    (shell, text)
}

/// Reads a program, and as the body of a function reads again what it is written out as.
#[cfg(fuzzing)]
pub fn fuzz_parser(data: &[u8]) {
    use crate::syntax::{parser::next_command, unparse::node_in_whole};
    let (mut shell, text) = fuzzed_shell(data);
    let mut input = Input::text(text, 1);
    while let Ok(Some(_)) = next_command(&mut input, &mut shell) {}
    let body = [b"{\n", text, b"\n}"].concat();
    let Ok(Some(node)) = next_command(&mut Input::text(&body, 1), &mut shell) else { return };
    let written = node_in_whole(&node, &shell.symbols);
    // Only a crash counts.
    let _ = next_command(&mut Input::text(&written, 1), &mut shell);
}

/// Computes an expression; subscripts, in which commands could run, are left out.
#[cfg(fuzzing)]
pub fn fuzz_arithmetic(data: &[u8]) {
    let (mut shell, text) = fuzzed_shell(data);
    if !text.iter().any(|byte| b"[$`".contains(byte)) {
        // Only a crash counts.
        let _ = shell.evaluate_text(text, 0);
    }
}
