//! Simple commands (XCU 2.9.1): what a name means, and running it.

use super::trace::{declared, traced_value};
use crate::exec::redirect::{Saved, errors_before};
use crate::state::builtin::Builtin;
use crate::state::slot::INTEGER;
use crate::state::upward::Upward;
use crate::state::{Fail, Frame, Run, Shell};
use crate::syntax::ast::{Assign, Function, Redirection, Simple};
use crate::syntax::copied::Copied;
use crate::syntax::unparse;
use std::rc::Rc;

impl Shell {
    /// Runs a simple command. `replace`: the shell has nothing left to do after it.
    pub(super) fn run_simple(&mut self, simple: &Simple, replace: bool) -> Run {
        if self.options.noexec && !self.options.interactive {
            return Ok(());
        }
        self.location.line = simple.line;
        self.location.builtin = "";
        self.flow.substitution_status = None;
        let words = self.expand_words(&simple.words)?;
        if words.is_empty() {
            return self.run_without_name(simple);
        }
        if self.options.bash
            && let Some(last) = words.last()
        {
            // Of elements that are declared it is the name.
            self.flow.last_word = declared(last).map_or(&last[..], |(name, _)| name).copied();
        }
        let name = match simple.name {
            Some(name) => name,
            None => self.intern(&words[0]),
        };
        let builtin = self.builtin_of(name);
        // XCU 2.9.1.1: a special builtin is found first; by bash only in its POSIX mode.
        if builtin.is_none_or(|found| !found.special || (self.options.bash && !self.options.posix))
            && let Some(function) = self.slot(name).function.clone()
        {
            return self.run_function_command(simple, &function, words);
        }
        if let Some(builtin) = builtin {
            return self.run_builtin_command(simple, builtin, &words);
        }
        self.run_program_command(simple, &words, replace)
    }

    /// Assignments and redirections without a command name.
    fn run_without_name(&mut self, simple: &Simple) -> Run {
        let saved = match self.redirect(&simple.redirections) {
            Ok(saved) => saved,
            Err(fail) => return self.after_redirection(fail),
        };
        // XCU 2.9.1: they hold for the substitutions of the assignments too; in bash they are over before.
        let mut saved = Some(saved);
        if self.options.bash {
            self.undo_redirections(saved.take().unwrap_or_default());
        }
        let assigned = self.assign_after(&simple.assigns, false, saved.as_deref().unwrap_or_default());
        self.undo_redirections(saved.unwrap_or_default());
        self.status = match (&assigned, self.flow.substitution_status) {
            (Err(_), _) => return assigned,
            (Ok(()), Some(status)) => status,
            (Ok(()), None) => 0,
        };
        self.check_errexit()
    }

    /// Assigns after redirections; the trace goes where standard error was before them.
    fn assign_after(&mut self, assigns: &[Assign], export: bool, saved: &[Saved]) -> Run {
        if assigns.is_empty() {
            return Ok(());
        }
        let outer = std::mem::replace(&mut self.streams.trace_to, errors_before(saved));
        let assigned = self.assign_all(assigns, export);
        self.streams.trace_to = outer;
        assigned
    }

    fn assign_all(&mut self, assigns: &[Assign], export: bool) -> Run {
        let mut trace = Vec::new();
        for assign in assigns {
            let mut value = self.expand_one(&assign.value)?;
            if assign.subscript.is_some() || value.first() == Some(&0) {
                if self.options.xtrace {
                    trace.push(unparse::assignment(assign, &self.symbols));
                }
                self.assign_array(assign, value)?;
                continue;
            }
            let added = (assign.append && self.options.bash).then(|| traced_value(&value));
            if assign.append {
                let old = self.value(assign.name).unwrap_or_default().copied();
                value = if self.slot(assign.name).attributes & INTEGER != 0 {
                    [&old[..], b"+(", &value, b")"].concat()
                } else {
                    [old, value].concat()
                };
            }
            if self.options.xtrace {
                // bash shows the appended value, BusyBox the result.
                let name = &self.symbols.name(assign.name)[..];
                trace.push(match added {
                    Some(added) => [name, b"+=", &added].concat(),
                    None => [name, b"=", &traced_value(&value)].concat(),
                });
            }
            if export {
                self.save(assign.name);
            }
            self.set(assign.name, &value)?;
            if export {
                self.slot(assign.name).export = true;
            }
        }
        if !trace.is_empty() {
            trace.append(&mut self.streams.traced);
            self.trace(&trace);
        }
        Ok(())
    }

    /// `name[subscript]=value` and `name=(...)`.
    fn assign_array(&mut self, assign: &Assign, value: Vec<u8>) -> Run {
        if let Some(subscript) = &assign.subscript {
            let key = self.element_key(assign.name, subscript)?;
            return self.set_element(assign.name, &key, &value, assign.append);
        }
        let items = crate::state::array::decode(&value).unwrap_or_default();
        self.assign_list(assign.name, items, assign.append)
    }

    fn run_builtin_command(&mut self, simple: &Simple, builtin: Builtin, words: &[Vec<u8>]) -> Run {
        self.trace_command(simple, words);
        if builtin.name == "exec" {
            return self.run_exec(simple, words);
        }
        if builtin.name == "command" && is_bare_exec(words) {
            return self.run_command_exec(simple);
        }
        let saved = match self.redirect(&simple.redirections) {
            Ok(saved) => saved,
            // XCU 2.8.1: a redirection error of a special builtin ends the shell.
            Err(_) if builtin.special && (!self.options.bash || self.options.posix) => return Err(Fail::Error),
            Err(fail) => return self.after_redirection(fail),
        };
        let capture = self.suspend_capture(&simple.redirections);
        // XCU 2.14: assignments before a special builtin stay, in bash in its POSIX mode alone.
        let special = builtin.special && (!self.options.bash || self.options.posix);
        let scoped = !special && !simple.assigns.is_empty();
        if scoped {
            self.locals.push(Vec::new());
        }
        let assigned = self.assign_after(&simple.assigns, scoped, &saved);
        // XCU 2.8.1: an error in an assignment ends the shell.
        let fatal = (builtin.special && (!self.options.bash || self.options.posix)) || assigned.is_err();
        let result = assigned.and_then(|()| self.call_builtin(builtin, words));
        if scoped {
            self.restore_scope();
        }
        self.resume_capture(capture);
        self.undo_redirections(saved);
        self.location.builtin = "";
        match result {
            // Only errors of special builtins end the shell.
            Err(Fail::Error) if !fatal => {}
            result => result?,
        }
        self.check_errexit()
    }

    /// Calls a builtin with its words.
    pub fn call_builtin(&mut self, builtin: Builtin, words: &[Vec<u8>]) -> Run {
        self.location.builtin = if builtin.unnamed { "" } else { builtin.name };
        let operands: Vec<&[u8]> = words[1..].iter().map(Vec::as_slice).collect();
        let outer = std::mem::take(&mut self.streams.write_failed);
        let result = self.status_of(|shell| shell.run_builtin(builtin, &operands));
        if std::mem::replace(&mut self.streams.write_failed, outer) && self.status == 0 {
            // XCU 1.4: a utility whose output is lost fails.
            self.status = 1;
        }
        result
    }

    fn status_of(&mut self, call: impl FnOnce(&mut Shell) -> Result<u8, Fail>) -> Run {
        match call(self) {
            Ok(status) => {
                self.status = status;
                Ok(())
            }
            Err(fail) => Err(fail),
        }
    }

    /// `command exec` without a command: the redirections stay, an error does not end the shell (XCU command).
    fn run_command_exec(&mut self, simple: &Simple) -> Run {
        match self.redirect_for_good(&simple.redirections) {
            Ok(()) => {
                self.status = 0;
                self.check_errexit()
            }
            Err(fail) => self.after_redirection(fail),
        }
    }

    fn run_exec(&mut self, simple: &Simple, words: &[Vec<u8>]) -> Run {
        if self.redirect_for_good(&simple.redirections).is_err() {
            // bash continues.
            return if self.options.bash && !self.options.interactive {
                self.check_errexit()
            } else {
                Err(Fail::Error)
            };
        }
        let (mut words, how) = self.exec_options(&words[1..])?;
        match words.first().map(Vec::as_slice) {
            Some(b"--") => words = &words[1..],
            Some([b'-', flag, ..]) => {
                self.location.builtin = "exec";
                return Err(self.error(&[b"illegal option -", &[*flag]]));
            }
            _ => {}
        }
        if words.is_empty() {
            self.assign_all(&simple.assigns, false)?;
            self.status = 0;
            return Ok(());
        }
        self.locals.push(Vec::new());
        self.assign_all(&simple.assigns, true)?;
        self.location.builtin = "exec";
        if self.options.interactive {
            // The program gets the signals and the group that the shell was given.
            self.options.interactive = false;
            self.options.monitor = false;
            crate::exec::job_control::release_terminal(self);
            self.set_own_signals();
        }
        if how.clear {
            self.variables.iter_mut().for_each(|slot| slot.export = false);
        }
        let status = self.replace_by_as(words, how.name);
        self.restore_scope();
        self.status = status;
        Err(Fail::Exit)
    }

    /// bash's options of `exec`.
    fn exec_options<'a>(&mut self, words: &'a [Vec<u8>]) -> Result<(&'a [Vec<u8>], ExecOptions), Fail> {
        let (mut words, mut how, mut login) = (words, ExecOptions::default(), false);
        while self.options.bash
            && let Some((word, rest)) = words.split_first()
            && let [b'-', flags @ ..] = &word[..]
            && flags != b"-"
        {
            words = rest;
            for flag in flags {
                match flag {
                    b'c' => how.clear = true,
                    b'l' => login = true,
                    b'a' => {
                        let Some((name, rest)) = words.split_first() else {
                            return Err(self.plain_error(b"exec: option requires an argument -a"));
                        };
                        how.name = Some(name.copied());
                        words = rest;
                    }
                    _ => return Err(self.error(&[b"exec: illegal option -", &[*flag]])),
                }
            }
        }
        if login && let Some(first) = words.first() {
            how.name = Some([b"-", &how.name.unwrap_or_else(|| first.copied())[..]].concat());
        }
        Ok((words, how))
    }

    fn run_function_command(&mut self, simple: &Simple, function: &Rc<Function>, words: Vec<Vec<u8>>) -> Run {
        self.trace_command(simple, &words);
        let saved = match self.redirect(&simple.redirections) {
            Ok(saved) => saved,
            Err(fail) => return self.after_redirection(fail),
        };
        let capture = self.suspend_capture(&simple.redirections);
        self.locals.push(Vec::new());
        let assigned = self.assign_after(&simple.assigns, true, &saved);
        let result = assigned.and_then(|()| self.call_function(function, words));
        self.restore_scope();
        self.resume_capture(capture);
        self.undo_redirections(saved);
        result?;
        if self.options.bash {
            // An ERR trap is about the call.
            self.location.line = simple.line;
        }
        self.check_errexit()
    }

    fn call_function(&mut self, function: &Rc<Function>, mut words: Vec<Vec<u8>>) -> Run {
        if !self.stack_has_space() {
            return Err(self.plain_error(b"maximum function recursion depth exceeded"));
        }
        let frames = self.flow.frames.len();
        let name = words.remove(0);
        let outer_name = std::mem::replace(&mut self.flow.function_name, name);
        if self.options.bash {
            let name = self.flow.function_name.copied();
            let source = function.source.get_or_init(|| self.source());
            self.flow.frames.push(Frame { name, source: Rc::clone(source), line: self.location.line });
        }
        let traps = if self.options.bash { self.suspend_function_traps() } else { [None, None] };
        let outer = std::mem::replace(&mut self.parameters.positional, Rc::new(words));
        // bash's `getopts` continues with the caller's.
        let options = (self.parameters.option_index, self.parameters.option_offset);
        if !self.options.bash {
            (self.parameters.option_index, self.parameters.option_offset) = (1, 0);
        }
        let loops = std::mem::take(&mut self.flow.loops);
        self.flow.calls += 1;
        let sources = self.flow.sources;
        self.flow.sources += u32::from(function.sourced.get());
        let mut result = self.run(&function.body);
        if self.options.bash && matches!(result, Ok(()) | Err(Fail::Return)) {
            result = self.end_function_traps(traps).and(result);
        }
        self.flow.calls -= 1;
        self.flow.function_name = outer_name;
        self.flow.sources = sources;
        self.flow.frames.truncate(frames);
        self.flow.loops = loops;
        self.parameters.positional = outer;
        if !self.options.bash {
            (self.parameters.option_index, self.parameters.option_offset) = options;
        }
        match result {
            Err(Fail::Return | Fail::Break(_) | Fail::Continue(_)) => Ok(()),
            other => other,
        }
    }

    fn run_program_command(&mut self, simple: &Simple, words: &[Vec<u8>], replace: bool) -> Run {
        self.trace_command(simple, words);
        if simple.assigns.is_empty() {
            self.run_or_become(words, &simple.redirections, replace)?;
            return self.check_errexit();
        }
        // XCU 2.9.1.1: redirections are expanded before assignments are.
        let mut redirections = &simple.redirections[..];
        let mut saved = Vec::new();
        if redirections.iter().any(Redirection::is_expanded) {
            saved = match self.redirect(redirections) {
                Ok(saved) => saved,
                Err(fail) => return self.after_redirection(fail),
            };
            redirections = &[];
        }
        let capture = if saved.is_empty() { None } else { self.suspend_capture(&simple.redirections) };
        self.locals.push(Vec::new());
        let result = self
            .assign_after(&simple.assigns, true, &saved)
            .and_then(|()| self.run_or_become(words, redirections, replace && saved.is_empty()));
        self.restore_scope();
        self.resume_capture(capture);
        self.undo_redirections(saved);
        result?;
        self.check_errexit()
    }

    fn run_or_become(&mut self, words: &[Vec<u8>], redirections: &[Redirection], replace: bool) -> Run {
        if !replace {
            return self.run_program(words, redirections);
        }
        if self.redirect_for_good(redirections).is_ok() {
            self.status = self.replace_by(words);
        }
        Err(Fail::Exit)
    }

    /// A redirection that could not be made ends its command; an error in its expansion ends the shell (XCU 2.8.1).
    pub(super) fn after_redirection(&mut self, fail: Fail) -> Run {
        match fail {
            Fail::Redirection => self.check_errexit(),
            fail => Err(fail),
        }
    }

    /// Standard output leaves a capture for the time that it is redirected.
    pub(super) fn suspend_capture(&mut self, all: &[Redirection]) -> Option<Vec<u8>> {
        if all.iter().any(|one| one.changes(1)) { self.streams.capture.take() } else { None }
    }

    pub(super) fn resume_capture(&mut self, capture: Option<Vec<u8>>) {
        if capture.is_some() {
            self.streams.capture = capture;
        }
    }
}

/// How `exec` starts a program.
#[derive(Default)]
struct ExecOptions {
    /// The name that the program sees, if not its own.
    name: Option<Vec<u8>>,
    /// Without an environment.
    clear: bool,
}

/// Whether the words are `command exec` and nothing more.
fn is_bare_exec(words: &[Vec<u8>]) -> bool {
    let mut rest = words[1..].iter().map(Vec::as_slice).skip_while(|word| matches!(*word, b"command" | b"-p" | b"--"));
    rest.next() == Some(b"exec") && rest.all(|word| word == b"--")
}
