//! Programs (XCU 2.9.1.1): found by PATH, run in a child, or here when they are rbox itself.

use crate::state::stream::read_all;
use crate::state::traps::set_disposition;
use crate::state::{Fail, Run, Shell};
use crate::syntax::ast::Redirection;
use crate::syntax::copied::Copied;
use crate::syntax::input::Input as Source;
use rbox_core::applet::{Id, Isolation};
use rbox_core::bytes;
use rbox_core::call::is_program;
use rbox_core::env::DEFAULT_PATH;
use rbox_core::env::{Env, Vars};
use rbox_core::escape;
use rbox_core::io::{Input, Output};
use rbox_core::signals::SIGCHLD;
use rbox_core::sys::signal::{self, Disposition, SignalSet};
use rbox_core::sys::{self, AsFd, Errno, fs, process};
use std::rc::Rc;

/// Where a child runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Child {
    /// The shell waits for it; under job control the terminal is its.
    Foreground,
    /// The shell does not wait for it.
    Background,
    /// In the background without job control: it ignores the keys of the terminal.
    Detached,
}

impl Shell {
    /// The file that a command name leads to.
    pub fn find_program(&mut self, name: &[u8]) -> Option<Rc<[u8]>> {
        if name.contains(&b'/') {
            return Some(Rc::from(name));
        }
        let sym = self.intern(name);
        if let Some(path) = &self.slot(sym).path {
            return Some(Rc::clone(path));
        }
        let path = self.get(b"PATH").unwrap_or(DEFAULT_PATH).copied();
        let found = path
            .split(|&byte| byte == b':')
            .map(|directory| bytes::join_path(directory, name))
            .find(|file| is_program(file));
        let found: Rc<[u8]> = Rc::from(found?);
        self.slot(sym).path = Some(Rc::clone(&found));
        Some(found)
    }

    /// Whether a path leads to the running program. Its own device and inode are looked up once.
    pub fn is_own(&mut self, path: &[u8]) -> bool {
        let own = *self
            .invocation
            .file
            .get_or_insert_with(|| fs::stat("/proc/self/exe").map_or((0, 0), |stat| (stat.st_dev, stat.st_ino)));
        fs::stat(path).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == own)
    }

    /// The applet that a command name leads to.
    pub fn own_applet(&mut self, name: &[u8]) -> Option<Id> {
        let id = self.registry.find(bytes::base_name(name))?;
        if !name.contains(&b'/') && self.get(b"PATH").is_none_or(<[u8]>::is_empty) {
            return Some(id);
        }
        match self.find_program(name) {
            Some(path) => self.is_own(&path).then_some(id),
            None => None,
        }
    }

    /// Runs a command that is no function and no builtin: an applet, or an external command.
    pub fn run_program(&mut self, words: &[Vec<u8>], redirections: &[Redirection]) -> Run {
        self.forget_waited_jobs();
        let applet = self.own_applet(&words[0]);
        let isolation = applet.map(|id| self.registry.form(id).isolation);
        if let Some(id) = applet
            && isolation == Some(Isolation::Inline)
            && !self.must_fork()
        {
            return self.run_inline(id, words, redirections, Input::standard());
        }
        if let Some(captured) = self.streams.capture.take() {
            return self.run_captured(words, redirections, isolation, captured);
        }
        if let Some(pid) = self.start(words, redirections, isolation)? {
            self.status = self.wait_program(pid, words);
        }
        Ok(())
    }

    /// Starts a command in a child, in the cheapest way that is right; `None` when it cannot be run, which has been reported.
    fn start(
        &mut self,
        words: &[Vec<u8>],
        redirections: &[Redirection],
        isolation: Option<Isolation>,
    ) -> Result<Option<i32>, Fail> {
        if isolation.is_none() && self.find_program(&words[0]).is_none() {
            // The message goes where the command's own would.
            let saved = match self.redirect(redirections) {
                Ok(saved) => saved,
                Err(fail) => return not_started(fail),
            };
            self.status = self.cannot_run(&words[0], Errno::NOENT);
            self.undo_redirections(saved);
            return Ok(None);
        }
        let ignores_children = self.ignores_children();
        let is_program = match isolation {
            None => true,
            Some(Isolation::Program) => self.find_program(&words[0]).is_some(),
            Some(_) => false,
        };
        if self.options.monitor || self.options.interactive || ignores_children {
            // The child opens files, so that the user can end or stop what waits for a pipe.
            let forked = self.fork_child(0, Child::Foreground)?;
            if forked.is_none() {
                let status = match self.redirect_for_good(redirections) {
                    Ok(()) => self.replace_by(words),
                    Err(_) => self.status,
                };
                process::exit_now(status);
            }
            return Ok(forked);
        }
        let saved = match self.redirect(redirections) {
            Ok(saved) => saved,
            Err(fail) => return not_started(fail),
        };
        let started = if is_program { self.start_program(words) } else { self.fork_child(0, Child::Foreground) };
        if !is_program && matches!(started, Ok(None)) {
            drop(saved);
            let status = self.replace_by(words);
            process::exit_now(status);
        }
        self.undo_redirections(saved);
        started
    }

    /// Runs a command in a child, with its output going to a substitution that runs here.
    fn run_captured(
        &mut self,
        words: &[Vec<u8>],
        redirections: &[Redirection],
        isolation: Option<Isolation>,
        mut captured: Vec<u8>,
    ) -> Run {
        let (reader, writer) = self.pipe()?;
        let saved = self.replace(writer, 1)?;
        let started = self.start(words, redirections, isolation);
        self.undo_redirections(vec![saved]);
        let result = started.map(|pid| {
            captured.append(&mut read_all(reader.as_fd()));
            if let Some(pid) = pid {
                self.status = self.wait_program(pid, words);
            }
        });
        self.streams.capture = Some(captured);
        result
    }

    /// Whether the user must be able to end or stop what runs without the shell: at a prompt, and where Ctrl-C is
    /// trapped and the keyboard may be what the command reads. Under a limit of memory, too: a process that reaches it
    /// ends.
    pub fn must_fork(&self) -> bool {
        self.options.interactive
            || sys::alloc::is_limited()
            || self.traps.actions[2].as_ref().is_some_and(|action| !action.is_empty())
                && sys::termios::isatty(sys::fd::borrow(0))
    }

    fn wait_program(&mut self, pid: i32, words: &[Vec<u8>]) -> u8 {
        let mut texts = Vec::new();
        if self.options.monitor {
            let words: Vec<Vec<u8>> = words.iter().map(|word| escape::quoted_if_needed(word)).collect();
            texts.push(words.join(&b' '));
        }
        self.wait_foreground(&[pid], texts)
    }

    /// Starts a program without a copy of the shell; `None` when it cannot be run, which has been reported.
    fn start_program(&mut self, words: &[Vec<u8>]) -> Result<Option<i32>, Fail> {
        let environment = self.environment();
        let environment: Vec<&[u8]> = environment.iter().map(Vec::as_slice).collect();
        let slices: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let mut again = true;
        loop {
            let started = match self.find_program(&words[0]) {
                Some(path) => sys::job::spawn(&path, &slices, &environment),
                None => Err(Errno::NOENT),
            };
            match started {
                Ok(pid) => return Ok(Some(pid)),
                // It may have gone from where it was once found.
                Err(Errno::NOENT) if again => {
                    again = false;
                    let name = self.intern(&words[0]);
                    self.slot(name).path = None;
                }
                // A script that the kernel does not know is run by a copy of the shell.
                Err(Errno::NOEXEC) => match self.fork_child(0, Child::Foreground)? {
                    Some(pid) => return Ok(Some(pid)),
                    None => {
                        let status = self.replace_by(words);
                        process::exit_now(status)
                    }
                },
                Err(errno) => {
                    self.status = self.cannot_run(&words[0], errno);
                    return Ok(None);
                }
            }
        }
    }

    /// Reports why a command cannot be run; its status (XCU 2.8.2).
    fn cannot_run(&mut self, name: &[u8], errno: Errno) -> u8 {
        if !matches!(errno, Errno::NOENT | Errno::NOTDIR) {
            self.report(&[name, b": ", sys::error_text(errno).as_bytes()]);
            return 126;
        }
        let namesakes = self.namesakes(name);
        if namesakes.is_empty() {
            self.report(&[name, b": not found"]);
        } else {
            self.report(&[name, b": ", sys::error_text(Errno::ACCESS).as_bytes()]);
        }
        if namesakes.contains(&fs::FileType::RegularFile) { 126 } else { 127 }
    }

    /// The types of the files that PATH finds under a name that no program has.
    fn namesakes(&mut self, name: &[u8]) -> Vec<fs::FileType> {
        if name.contains(&b'/') {
            return Vec::new();
        }
        let path = self.get(b"PATH").unwrap_or(DEFAULT_PATH);
        let files = path.split(|&byte| byte == b':').map(|directory| bytes::join_path(directory, name));
        files.filter_map(|file| fs::stat(&file).ok()).map(|stat| fs::FileType::from_raw_mode(stat.st_mode)).collect()
    }

    /// Runs an applet in this process, with a text as its standard input.
    pub(super) fn run_applet_on(&mut self, words: &[Vec<u8>], redirections: &[Redirection], text: Vec<u8>) -> Run {
        let input = match redirections.iter().any(|one| one.changes(0)) {
            true => Input::standard(),
            false => Input::from_bytes(text),
        };
        match self.own_applet(&words[0]) {
            Some(id) => self.run_inline(id, words, redirections, input),
            // It has gone since it was looked for.
            None => Err(self.error(&[&words[0], b": not found"])),
        }
    }

    fn run_inline(&mut self, id: Id, words: &[Vec<u8>], redirections: &[Redirection], stdin: Input) -> Run {
        let saved = match self.redirect(redirections) {
            Ok(saved) => saved,
            Err(fail) => return not_started(fail).map(|_| ()),
        };
        let memory = self.streams.capture.is_some() && !redirections.iter().any(|one| one.changes(1));
        let output = if memory { Output::memory() } else { Output::standard(1) };
        let (status, output) = self.call_applet(id, words, stdin, output);
        if memory && let Some(captured) = &mut self.streams.capture {
            captured.append(&mut output.into_bytes());
        }
        self.undo_redirections(saved);
        self.status = status;
        Ok(())
    }

    fn call_applet(&mut self, id: Id, words: &[Vec<u8>], stdin: Input, stdout: Output) -> (u8, Output) {
        let name = bytes::base_name(&words[0]);
        let mut env =
            Env { vars: Vars::List(self.environment()), stdin, stdout, ..Env::of_process(self.registry, name) };
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let status = self.registry.call(id, &mut env, &words);
        (status.0, env.stdout)
    }

    /// Becomes the command. Returns a status: of an applet that ran here, or 126 or 127.
    pub fn replace_by(&mut self, words: &[Vec<u8>]) -> u8 {
        self.replace_by_as(words, None)
    }

    /// As `replace_by`; the program gets another name.
    pub fn replace_by_as(&mut self, words: &[Vec<u8>], name: Option<Vec<u8>>) -> u8 {
        let renamed = name.is_some();
        let mut renamed_words = words.to_vec();
        if let Some(name) = name {
            renamed_words[0] = name;
        }
        if self.ignores_children() {
            set_disposition(SIGCHLD, Disposition::Ignore);
        }
        let applet = self.own_applet(&words[0]);
        if let Some(id) = applet
            // Under another name the program would not know which applet it is.
            && (renamed || self.registry.form(id).isolation != Isolation::Program)
        {
            return self.become_applet(id, &renamed_words);
        }
        let Some(path) = self.find_program(&words[0]) else {
            // An applet that is nowhere, as at boot with an empty PATH, still runs.
            if let Some(id) = applet {
                return self.become_applet(id, &renamed_words);
            }
            return self.cannot_run(&words[0], Errno::NOENT);
        };
        let environment = self.environment();
        let environment: Vec<&[u8]> = environment.iter().map(Vec::as_slice).collect();
        let slices: Vec<&[u8]> = renamed_words.iter().map(Vec::as_slice).collect();
        match process::exec(&path, &slices, &environment) {
            Errno::NOEXEC => self.run_as_script(&path, words),
            errno => self.cannot_run(&words[0], errno),
        }
    }

    fn become_applet(&mut self, id: Id, words: &[Vec<u8>]) -> u8 {
        process::set_name(bytes::base_name(&words[0]));
        // The shell is gone, and its EXIT trap with it.
        self.traps.actions[0] = None;
        self.call_applet(id, words, Input::standard(), Output::standard(1)).0
    }

    /// XCU 2.9.1.4: an executable file that the kernel does not know is a script.
    fn run_as_script(&mut self, path: &[u8], words: &[Vec<u8>]) -> u8 {
        let opened = match fs::open(path, fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()) {
            Ok(opened) => opened,
            Err(_) => return 126,
        };
        if is_binary(&opened) {
            self.report(&[&words[0], b": ", sys::error_text(Errno::NOEXEC).as_bytes()]);
            return 126;
        }
        for slot in &mut self.variables {
            slot.function = None;
            slot.alias = None;
            slot.readonly = false;
            slot.set &= slot.export;
        }
        crate::state::initial::set_fixed_variables(self);
        self.computed.ifs = b" \t\n".copied();
        (self.parameters.option_index, self.parameters.option_offset) = (1, 0);
        (self.flow.calls, self.flow.sources, self.flow.loops, self.flow.tested) = (0, 0, 0, 0);
        self.invocation.pid = process::getpid().as_raw_nonzero().get();
        self.flow.background = None;
        self.traps.outer = None;
        self.location.context.clear();
        self.locals.clear();
        self.invocation.arg0 = path.copied();
        self.invocation.named = true;
        self.parameters.positional = Rc::new(words[1..].to_vec());
        self.options = Default::default();
        self.status = 0;
        let result = self.script(opened).and_then(|reader| self.run_input(&mut Source::reader(reader), true));
        self.end_child(result)
    }

    /// Forks; `None` in the child, which has its group and signals set. `group` is that of the job, 0 for a new one.
    pub fn fork_child(&mut self, group: i32, kind: Child) -> Result<Option<i32>, Fail> {
        self.forget_waited_jobs();
        // A signal that comes before the child has its own signals set waits until then: noted by the shell's copy in
        // the child, it would be lost.
        self.ignores_children();
        let before = signal::set_blocked(SignalSet(u64::MAX));
        let foreground = kind == Child::Foreground;
        let forked = process::fork();
        let result = match forked {
            Err(errno) => Err(self.error(&[b"can't fork: ", sys::error_text(errno).as_bytes()])),
            Ok(None) => {
                self.join_group(0, group, foreground);
                self.become_child();
                if kind == Child::Detached {
                    self.ignore_keys();
                }
                Ok(None)
            }
            Ok(Some(pid)) => {
                self.join_group(pid, group, foreground);
                let waits = self.options.interactive && (foreground || !self.options.monitor);
                if waits && self.traps.actions[2].is_none() && signal::pending() & SignalSet::of(&[2]).0 != 0 {
                    // Ctrl-C came too early for the child; the shell would wait for it in vain.
                    // It fails only when the child has ended.
                    let _ = signal::kill(pid, 2);
                }
                Ok(Some(pid))
            }
        };
        signal::set_blocked(before);
        result
    }
}

/// A command whose redirections failed: an error in their expansion is the shell's (XCU 2.8.1).
fn not_started(fail: Fail) -> Result<Option<i32>, Fail> {
    match fail {
        Fail::Redirection => Ok(None),
        fail => Err(fail),
    }
}

/// Whether a NUL byte is before the first newline: no script (XCU 2.9.1.6).
fn is_binary(opened: &sys::OwnedFd) -> bool {
    let mut block = [0; 256];
    let got = sys::fd::pread(opened, &mut block, 0).unwrap_or(0);
    let line = block[..got].split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.contains(&0)
}
