//! `ifup` and `ifdown`: configure interfaces as /etc/network/interfaces says (interfaces(5), ifup(8)).

mod config;
mod method;

#[cfg(fuzzing)]
pub use config::fuzz;

use rbox_core::bytes;
use rbox_core::call;
use rbox_core::env::Vars;
use rbox_core::io;
use rbox_core::pattern::glob;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FlockOperation, Mode, OFlags};
use rbox_core::sys::{AsFd, OwnedFd, pipe, process};
use rbox_core::text;

use config::{Config, Mapping, Stanza};

options! {
    "[-nmvf] [-i FILE] [--allow=CLASS] -a | IFACE[=LOGICAL]...

Configure or deconfigure interfaces. Hooks and the files of /etc/network/if-*.d run with IFACE, LOGICAL, ADDRFAM, METHOD,
MODE, PHASE and the options as IF_NAME in their environment.

  -a, --all              Select all interfaces of the class auto, or for ifdown all that are configured
  -i, --interfaces=FILE  Read FILE (/etc/network/interfaces)
  -n, --no-act           Print commands only; mappings run
  -m, --no-mappings      Run no mappings
  -v, --verbose          Print commands and run them
  -f, --force            Ignore what is configured already
      --allow=CLASS      Select interfaces of the line allow-CLASS only";
    ALL = "-a",
    FILE = "-i",
    DRY = "-n",
    NO_MAPPINGS = "-m",
    VERBOSE = "-v",
    FORCE = "-f",
    ALLOW = "--allow",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

const STATE: &[u8] = b"/var/run/ifstate";

/// What the command line asks for.
struct Job<'a> {
    up: bool,
    dry: bool,
    verbose: bool,
    force: bool,
    mappings: bool,
    config: &'a Config,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let up = env.name != b"ifdown";
    if args.has(ALL) != args.operands().is_empty() {
        return Err(Error::usage());
    }
    let config = Config::read(args.value(FILE).unwrap_or(b"/etc/network/interfaces"))?;
    let job = Job {
        up,
        dry: args.has(DRY),
        verbose: args.has(VERBOSE) || args.has(DRY),
        force: args.has(FORCE),
        mappings: !args.has(NO_MAPPINGS),
        config: &config,
    };
    let is_allowed = |name: &[u8]| {
        let class = args.value(ALLOW);
        class.is_none_or(|class| config.classes.iter().any(|(known, other)| known == class && other == name))
    };
    let mut wanted: Vec<Vec<u8>> = match (args.has(ALL), up) {
        (false, _) => args.operands().iter().map(|word| word.to_vec()).collect(),
        (true, true) => {
            let class = args.value(ALLOW).unwrap_or(b"auto");
            config.classes.iter().filter(|(known, _)| known == class).map(|(_, name)| name.clone()).collect()
        }
        (true, false) => {
            let mut known: Vec<Vec<u8>> = read_state()?.into_iter().map(|(name, _)| name).collect();
            known.retain(|name| !config.kept.contains(name));
            known
        }
    };
    wanted.retain(|word| is_allowed(bytes::split_once(word, b'=').map_or(word, |(name, _)| name)));
    let mut status = ExitStatus::SUCCESS;
    for word in wanted {
        if let Err(error) = job.change(env, &word) {
            if error.is_output() {
                return Err(error);
            }
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

impl Job<'_> {
    /// Brings one interface up or down.
    fn change(&self, env: &mut Env, word: &[u8]) -> Result<()> {
        let (name, given) = bytes::split_once(word, b'=').map_or((word, None), |(name, logical)| (name, Some(logical)));
        let known = read_state()?.into_iter().find(|(known, _)| known == name).map(|(_, logical)| logical);
        if !self.force && self.up == known.is_some() {
            let what: &[u8] = if self.up { b" already configured" } else { b" not configured" };
            return Err(Error::parts(&[b"interface ", name, what]).with_status(if self.up { 0 } else { 1 }));
        }
        let logical = match (given, known) {
            (Some(given), _) => given.to_vec(),
            (None, Some(known)) if !self.up => known,
            (None, _) => self.map(env, name)?,
        };
        let mut found = self.config.stanzas.iter().filter(|stanza| stanza.name == logical).peekable();
        if found.peek().is_none() {
            return Err(Error::parts(&[b"ignoring unknown interface ", name]));
        }
        let done = found.try_for_each(|stanza| self.run_stanza(env, stanza, name));
        // What could not be brought down completely is no longer up.
        if !self.dry && (done.is_ok() || self.force || !self.up) {
            write_state(name, self.up.then_some(&logical[..]))?;
        }
        done
    }

    /// interfaces(5): the first line that the script of a mapping prints is the logical interface.
    fn map(&self, env: &mut Env, name: &[u8]) -> Result<Vec<u8>> {
        let mut logical = name.to_vec();
        for mapping in self.config.mappings.iter().filter(|_| self.mappings) {
            if mapping.patterns.iter().any(|pattern| glob::matches(pattern, &logical, glob::Flags::default())) {
                if self.verbose {
                    env.stdout.write(&text!("Running mapping script ", &mapping.script, " on ", &logical, "\n"))?;
                }
                if let Some(chosen) = run_mapping(env, mapping, &logical)? {
                    logical = chosen;
                }
            }
        }
        Ok(logical)
    }

    fn run_stanza(&self, env: &mut Env, stanza: &Stanza, name: &[u8]) -> Result<()> {
        let commands = method::commands(stanza, name, self.up)?;
        let before = env.vars.clone();
        set_variables(&mut env.vars, stanza, name, self);
        let done = self.run_phases(env, stanza, &commands);
        env.vars = before;
        done
    }

    fn run_phases(&self, env: &mut Env, stanza: &Stanza, commands: &[Vec<u8>]) -> Result<()> {
        let (first, last) =
            if self.up { (["pre-up", ""], ["up", "post-up"]) } else { (["down", "pre-down"], ["post-down", ""]) };
        let directories = if self.up { ["if-pre-up.d", "if-up.d"] } else { ["if-down.d", "if-post-down.d"] };
        let phases: [&[u8]; 2] = if self.up { [b"pre-up", b"post-up"] } else { [b"pre-down", b"post-down"] };
        env.vars.set("PHASE", Some(phases[0]));
        self.run_hooks(env, stanza, first)?;
        self.run_directory(env, directories[0])?;
        commands.iter().try_for_each(|command| self.run_command(env, command))?;
        env.vars.set("PHASE", Some(phases[1]));
        self.run_hooks(env, stanza, last)?;
        self.run_directory(env, directories[1])
    }

    fn run_hooks(&self, env: &mut Env, stanza: &Stanza, names: [&str; 2]) -> Result<()> {
        for (name, command) in &stanza.options {
            if names.iter().any(|known| known.as_bytes() == name) {
                self.run_command(env, command)?;
            }
        }
        Ok(())
    }

    /// Runs a command of the shell. With -f, and on the way down, a failure is told and the next one runs.
    fn run_command(&self, env: &mut Env, command: &[u8]) -> Result<()> {
        self.run_words(env, command, &[b"/bin/sh", b"-c", command])
    }

    /// Runs the files of a directory in the order of run-parts(8).
    fn run_directory(&self, env: &mut Env, name: &str) -> Result<()> {
        let path = text!("/etc/network/", name);
        let is_there = fs::stat(&path[..]).is_ok();
        if self.dry || is_there {
            return self.run_words(env, &text!("run-parts ", &path), &[b"run-parts", &path]);
        }
        Ok(())
    }

    fn run_words(&self, env: &mut Env, shown: &[u8], words: &[&[u8]]) -> Result<()> {
        if self.verbose {
            env.stdout.write(&text!(shown, "\n"))?;
        }
        if self.dry || call::run(env, words)? == process::Change::Exited(0) {
            return Ok(());
        }
        let error = Error::parts(&[b"'", shown, b"' failed"]);
        if self.force || !self.up {
            env.report(&error);
            return Ok(());
        }
        Err(error)
    }
}

/// Runs the script with the name as operand and the lines of the mapping as input; `None` when it chooses nothing.
fn run_mapping(env: &mut Env, mapping: &Mapping, name: &[u8]) -> Result<Option<Vec<u8>>> {
    env.stdout.flush()?;
    let failed = |errno| Error::on("pipe", errno);
    let (answer, write_answer) = pipe::pipe_with(pipe::PipeFlags::CLOEXEC).map_err(failed)?;
    let (lines, write_lines) = pipe::pipe_with(pipe::PipeFlags::CLOEXEC).map_err(failed)?;
    let words = [&mapping.script[..], name];
    let failed = |errno| Error::on("can't fork", errno);
    let script = process::fork_run(|| {
        use rbox_core::sys::fd;
        if fd::redirect(lines.as_fd(), 0).is_err() || fd::redirect(write_answer.as_fd(), 1).is_err() {
            return 126;
        }
        let errno = process::exec(&mapping.script, &words, &env.vars.words());
        // Standard error is the only one left.
        let _ =
            io::write_all(fd::borrow(2), &[Error::cannot("execute", &mapping.script, errno).message(), b"\n"].concat());
        126
    });
    let script = script.map_err(failed)?;
    drop((lines, write_answer));
    // A script that reads nothing must not stop this process, nor one that writes much before it reads.
    let writer = process::fork_run(|| {
        let all: Vec<u8> = mapping.lines.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
        u8::from(io::write_all(write_lines.as_fd(), &all).is_err())
    });
    let writer = writer.map_err(failed)?;
    drop(write_lines);
    let chosen = first_word(answer)?;
    let ended = process::wait_for(script).map_err(|errno| Error::on("wait", errno))?;
    process::wait_for(writer).map_err(|errno| Error::on("wait", errno))?;
    Ok(chosen.filter(|_| ended == process::Change::Exited(0)))
}

fn first_word(answer: OwnedFd) -> Result<Option<Vec<u8>>> {
    let mut input = io::Input::from_fd(answer, b"mapping script");
    let mut chosen = None;
    while let Some(line) = input.line()? {
        if chosen.is_none() {
            chosen = bytes::words(line).next().map(<[u8]>::to_vec);
        }
    }
    Ok(chosen)
}

/// interfaces(5): IF_ and the name of the option in capitals, with underscores for hyphens.
fn set_variables(vars: &mut Vars, stanza: &Stanza, name: &[u8], job: &Job<'_>) {
    for (option, value) in &stanza.options {
        let option = option.iter().filter_map(|byte| match byte.to_ascii_uppercase() {
            b'-' => Some(b'_'),
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => Some(byte),
            _ => None,
        });
        vars.set(b"IF_".iter().copied().chain(option).collect::<Vec<u8>>(), Some(value));
    }
    for (variable, value) in [
        ("IFACE", name),
        ("LOGICAL", &stanza.name),
        ("ADDRFAM", &stanza.family),
        ("METHOD", &stanza.method),
        ("MODE", if job.up { b"start" } else { b"stop" }),
        ("VERBOSITY", if job.verbose { b"1" } else { b"0" }),
    ] {
        vars.set(variable, Some(value));
    }
}

/// Interfaces that are configured, and the logical interfaces whose stanzas were taken.
fn parse_state(content: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines = content.split(|&byte| byte == b'\n').filter_map(|line| bytes::split_once(line, b'='));
    lines.map(|(name, logical)| (name.to_vec(), logical.to_vec())).collect()
}

fn read_state() -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    match fs::stat(STATE) {
        Ok(_) => Ok(parse_state(&io::read_file(STATE)?)),
        // Nothing was configured since the machine started.
        Err(_) => Ok(Vec::new()),
    }
}

/// Notes that an interface is up, or with `None` that it is down. Another ifup waits meanwhile.
fn write_state(name: &[u8], logical: Option<&[u8]>) -> Result<()> {
    let failed = |errno| Error::on(STATE, errno);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    let file = fs::open(STATE, flags, Mode::from_raw_mode(0o644)).map_err(failed)?;
    fs::flock(&file, FlockOperation::LockExclusive).map_err(failed)?;
    let mut state = read_state()?;
    state.retain(|(known, _)| known != name);
    state.extend(logical.map(|logical| (name.to_vec(), logical.to_vec())));
    let content: Vec<u8> = state.iter().flat_map(|(name, logical)| text!(name, "=", logical, "\n")).collect();
    fs::ftruncate(&file, 0).map_err(failed)?;
    io::write_all(file.as_fd(), &content).map_err(failed)
}
