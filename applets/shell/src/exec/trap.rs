//! Signals and traps (XCU 2.12, trap).

use crate::state::stream::write_error;
use crate::state::traps::DEBUG;
use crate::state::traps::ERR;
use crate::state::traps::RETURN;
use crate::state::traps::set_disposition;
use crate::state::{Fail, Run, Shell};
use crate::syntax::ast::{Arith, For, Node};
use crate::syntax::unparse;
use rbox_core::signals::SIGCHLD;
use rbox_core::sys::signal::{self, Disposition};
use std::rc::Rc;

impl Shell {
    /// Sets the action of a trap; `None` is the default, an empty one ignores.
    pub fn set_trap(&mut self, number: usize, action: Option<&[u8]>) {
        if number >= ERR {
            self.traps.actions[number] = action.map(Rc::from);
            return;
        }
        if number > 0 && self.was_ignored(number) && !self.options.interactive {
            return;
        }
        let disposition = match action {
            None => self.own_disposition(number),
            // The shell itself must still get SIGCHLD for its children.
            Some(b"") if number == SIGCHLD as usize => Disposition::Watch,
            Some(b"") => Disposition::Ignore,
            Some(_) => Disposition::Note,
        };
        self.traps.actions[number] = action.map(Rc::from);
        if number > 0 {
            set_disposition(number as i32, disposition);
        }
    }

    /// Whether a signal was ignored when the shell began; to be asked before its action is changed for the first time.
    pub(super) fn was_ignored(&mut self, number: usize) -> bool {
        let bit = 1 << (number - 1);
        if self.traps.known & bit == 0 {
            self.traps.known |= bit;
            if rbox_core::sys::job::is_ignored(number as i32) {
                self.traps.ignored |= bit;
                if number == SIGCHLD as usize {
                    // Were it so in the shell, the system would keep no status of a child for it. Programs inherit it.
                    set_disposition(SIGCHLD, Disposition::Default);
                }
            }
        }
        self.traps.ignored & bit != 0
    }

    /// Whether programs start with SIGCHLD ignored. It must be called before the first child, whose end is a SIGCHLD.
    pub(super) fn ignores_children(&mut self) -> bool {
        let was_ignored = self.was_ignored(SIGCHLD as usize);
        match &self.traps.actions[SIGCHLD as usize] {
            Some(action) => action.is_empty(),
            None => was_ignored && !self.options.interactive,
        }
    }

    /// What the shell itself does on a signal that has no trap.
    fn own_disposition(&self, number: usize) -> Disposition {
        match number {
            2 if self.options.interactive => Disposition::Note,
            3 | 15 if self.options.interactive => Disposition::Ignore,
            // Ctrl-Z while the terminal is still the shell's is for the job that it starts.
            20 if self.options.monitor && self.options.interactive && !self.flow.subshell => Disposition::Note,
            20..=22 if self.options.monitor && !self.flow.subshell => Disposition::Ignore,
            17 => Disposition::Watch,
            _ => Disposition::Default,
        }
    }

    /// Watches for the end of children, to collect the status of one that runs in the background while the
    /// shell runs builtins alone. Whether SIGCHLD was ignored is known before, as for every fork.
    pub(super) fn watch_children(&self) {
        if self.traps.actions[SIGCHLD as usize].as_ref().is_none_or(|action| action.is_empty()) {
            // The signal can be caught.
            set_disposition(SIGCHLD, Disposition::Watch);
        }
    }

    /// Sets the signals of an interactive shell or of one with job control.
    pub fn set_own_signals(&mut self) {
        for number in [2, 3, 15, 20, 21, 22] {
            if self.traps.actions[number].is_none() && !self.was_ignored(number) {
                set_disposition(number as i32, self.own_disposition(number));
            }
        }
    }

    /// Saves the traps for the listing of a subshell that has set none yet (XCU trap).
    pub(super) fn keep_traps(&mut self) {
        if self.traps.outer.is_none() && self.traps.actions.iter().any(Option::is_some) {
            self.traps.outer = Some(self.traps.actions.clone());
        }
    }

    /// A subshell resets traps, except that ignored signals stay ignored (XCU 2.12).
    pub(super) fn reset_traps(&mut self, own: bool) {
        // What the shell has noted is not the child's.
        signal::take_pending();
        for number in 1..ERR {
            if self.traps.actions[number].as_ref().is_some_and(|action| !action.is_empty()) {
                self.traps.actions[number] = None;
                set_disposition(number as i32, Disposition::Default);
            }
        }
        self.traps.actions[0] = None;
        // In BusyBox only functions inherit it.
        if !self.options.errtrace || !self.options.bash {
            self.traps.actions[ERR] = None;
        }
        if !self.options.functrace {
            self.traps.actions[DEBUG] = None;
            self.traps.actions[RETURN] = None;
        }
        if own {
            for number in [2, 3, 15, 20, 21, 22] {
                if self.traps.actions[number as usize].is_none() && !self.was_ignored(number as usize) {
                    set_disposition(number, Disposition::Default);
                }
            }
        }
    }

    /// Runs the traps of the signals that came.
    pub fn run_traps(&mut self) -> Run {
        if self.flow.is_virtual {
            // The traps are the shell's, not the virtual subshell's.
            return Ok(());
        }
        let pending = signal::take_pending();
        for number in 1..=64usize {
            if pending & (1 << (number - 1)) == 0 {
                continue;
            }
            match self.traps.actions.get(number).cloned().flatten() {
                Some(action) => self.run_trap(&action)?,
                // SIGINT at an interactive shell goes back to the prompt.
                None if number == 2 && self.options.interactive => {
                    self.status = 130;
                    // After the terminal's `^C`, where the end of a job has not put it.
                    if !std::mem::take(&mut self.terminal.interrupted_job) {
                        write_error(b"\n");
                    }
                    return Err(Fail::Error);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Runs the ERR trap after a command has failed: where `set -e` counts, in functions only with `set -E`.
    pub(super) fn run_error_trap(&mut self) -> Run {
        if self.flow.calls > 0 && !self.options.errtrace {
            return Ok(());
        }
        // It is removed while it runs, so that a failure in it does not call it.
        let Some(action) = self.traps.actions[ERR].take() else { return Ok(()) };
        let result = self.run_trap(&action);
        self.traps.actions[ERR].get_or_insert(action);
        result
    }

    /// In bash mode, before a command: notes its text for a trap that may ask, and runs the DEBUG trap.
    #[cold]
    pub(super) fn before_command(&mut self, node: &Node) -> Run {
        let asked = [0, ERR, DEBUG].iter().any(|&number| self.traps.actions[number].is_some());
        if !asked || self.traps.running.is_some() {
            return Ok(());
        }
        let line = match node {
            Node::Simple(one) => one.line,
            Node::Condition(_, line) | Node::Arith(_, line) => *line,
            Node::Case(case) => {
                self.flow.command_text = unparse::case_head(case, &self.symbols);
                return self.run_debug_trap(case.line);
            }
            Node::Select(found) => {
                self.flow.command_text = unparse::for_head(found, b"select ", &self.symbols);
                return self.run_debug_trap(found.line);
            }
            _ => return Ok(()),
        };
        self.flow.command_text = unparse::node_in_whole(node, &self.symbols);
        self.run_debug_trap(line)
    }

    /// Each turn of a `for` begins with a DEBUG trap too.
    pub(super) fn before_turn(&mut self, found: &For) -> Run {
        if self.traps.actions[DEBUG].is_none() || self.traps.running.is_some() {
            return Ok(());
        }
        self.flow.command_text = unparse::for_head(found, b"for ", &self.symbols);
        self.run_debug_trap(found.line)
    }

    /// In bash mode, the value of one of the three expressions of `for ((...))`, each after a DEBUG trap.
    pub(super) fn traced_arith(&mut self, arith: &Arith, line: u32) -> Result<i64, Fail> {
        if self.options.bash && self.traps.actions[DEBUG].is_some() && self.traps.running.is_none() {
            self.flow.command_text = unparse::arith(arith, &self.symbols);
            self.run_debug_trap(line)?;
        }
        match self.arith(arith) {
            // bash leaves the loop and goes on after it.
            Err(Fail::Error) if self.options.bash => {
                self.status = 1;
                Err(Fail::Break(0))
            }
            value => value,
        }
    }

    fn run_debug_trap(&mut self, line: u32) -> Run {
        let Some(action) = self.traps.actions[DEBUG].clone() else { return Ok(()) };
        self.location.line = line;
        self.run_trap(&action)
    }

    /// The traps that a function does not inherit, unless `set -T` is on.
    pub(super) fn suspend_function_traps(&mut self) -> [Option<Rc<[u8]>>; 2] {
        if self.options.functrace {
            return [None, None];
        }
        [DEBUG, RETURN].map(|number| self.traps.actions[number].take())
    }

    /// Runs the RETURN trap, and restores the caller's traps where the function has set none.
    pub fn end_function_traps(&mut self, outer: [Option<Rc<[u8]>>; 2]) -> Run {
        let result = match self.traps.actions[RETURN].clone() {
            Some(action) if self.traps.running.is_none() => self.run_trap(&action),
            _ => Ok(()),
        };
        for (number, outer) in [DEBUG, RETURN].into_iter().zip(outer) {
            if self.traps.actions[number].is_none() {
                self.traps.actions[number] = outer;
            }
        }
        result
    }

    fn run_trap(&mut self, action: &[u8]) -> Run {
        let status = self.status;
        let outer = self.traps.running.replace((status, self.flow.calls + self.flow.sources));
        let result = self.run_text(action);
        self.traps.running = outer;
        match result {
            Ok(()) => {
                self.status = status;
                Ok(())
            }
            other => other,
        }
    }

    /// Whether a trap is to be run, or may have to be.
    pub(super) fn has_trap(&self) -> bool {
        self.traps.actions.iter().flatten().any(|action| !action.is_empty()) || signal::pending() != 0
    }

    /// Runs the EXIT trap once; its `exit` decides the status.
    pub fn run_exit_trap(&mut self) {
        let status = self.status;
        if let Some(action) = self.traps.actions[0].take() {
            self.streams.capture = None;
            self.traps.running = Some((status, u32::MAX));
            self.location.context.clear();
            self.location.builtin = "";
            match self.run_text(&action) {
                // An error in it is an error of the shell, which ends with it (XCU 2.8.1).
                Err(Fail::Exit | Fail::Error) => {}
                _ => self.status = status,
            }
        }
    }
}
