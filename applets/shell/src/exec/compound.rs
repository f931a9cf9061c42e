//! Compound commands (XCU 2.9.4).

use crate::state::stream::write_error;
use crate::state::{Fail, Run, Shell};
use crate::syntax::ast::{ArithFor, Arm, ArmEnd, Case, For, Node};
use crate::syntax::copied::Copied;
use rbox_core::push;

/// What a loop does after its body.
enum Turn {
    /// The next iteration.
    Next,
    /// None: `break`.
    Leave,
}

impl Shell {
    pub(super) fn run_if(&mut self, arms: &[(Node, Node)], otherwise: Option<&Node>) -> Run {
        for (test, body) in arms {
            self.run_tested(test)?;
            if self.status == 0 {
                return self.run(body);
            }
        }
        match otherwise {
            Some(body) => self.run(body),
            None => {
                self.status = 0;
                Ok(())
            }
        }
    }

    /// Runs a loop's body and takes `break` and `continue` for itself.
    fn run_body(&mut self, body: &Node) -> Result<Turn, Fail> {
        match self.run(body) {
            Ok(()) | Err(Fail::Continue(1)) => Ok(Turn::Next),
            Err(Fail::Break(1)) => Ok(Turn::Leave),
            Err(Fail::Break(levels)) => Err(Fail::Break(levels - 1)),
            Err(Fail::Continue(levels)) => Err(Fail::Continue(levels - 1)),
            Err(other) => Err(other),
        }
    }

    pub(super) fn run_while(&mut self, test: &Node, body: &Node, until: bool) -> Run {
        self.flow.loops += 1;
        let result = self.while_turns(test, body, until);
        self.flow.loops -= 1;
        result
    }

    fn while_turns(&mut self, test: &Node, body: &Node, until: bool) -> Run {
        let mut status = 0;
        loop {
            match self.run_tested(test) {
                Ok(()) => {}
                // XCU continue: the next iteration begins with the condition.
                Err(Fail::Continue(1)) => {
                    self.check_errexit()?;
                    continue;
                }
                Err(Fail::Break(1)) => break,
                Err(Fail::Break(levels)) => return Err(Fail::Break(levels - 1)),
                Err(Fail::Continue(levels)) => return Err(Fail::Continue(levels - 1)),
                Err(other) => return Err(other),
            }
            if (self.status == 0) == until {
                break;
            }
            if matches!(self.run_body(body)?, Turn::Leave) {
                status = self.status;
                break;
            }
            status = self.status;
            if rbox_core::sys::signal::pending() != 0 {
                self.run_traps()?;
            }
        }
        self.status = status;
        Ok(())
    }

    pub(super) fn run_for(&mut self, found: &For) -> Run {
        self.location.line = found.line;
        let words = match &found.words {
            Some(words) => self.expand_words(words)?,
            None => self.parameters.positional.to_vec(),
        };
        // Until its first command has ended, `$?` is that of the command before the loop.
        if words.is_empty() {
            self.status = 0;
        }
        self.flow.loops += 1;
        let result = words.iter().try_for_each(|word| {
            if self.options.bash && found.words.is_some() {
                self.before_turn(found)?;
            }
            let assigned = self.set_loop_variable(found.name, word);
            self.leave_on_error(assigned)?;
            match self.run_body(&found.body) {
                Ok(Turn::Next) => Ok(()),
                Ok(Turn::Leave) => Err(Fail::Break(0)),
                Err(other) => Err(other),
            }
        });
        self.flow.loops -= 1;
        self.after_loop(result)
    }

    /// A read-only loop variable: bash leaves the loop and goes on after it; in POSIX the error is the shell's (XCU 2.8.1).
    fn leave_on_error(&mut self, assigned: Run) -> Run {
        if assigned == Err(Fail::Error) && self.options.bash && !self.options.posix {
            self.status = 1;
            return Err(Fail::Break(0));
        }
        assigned
    }

    /// What follows a loop: `Fail::Break(0)` has left it, by `break` or by an error of its head.
    fn after_loop(&mut self, result: Run) -> Run {
        if result == Err(Fail::Break(0)) { self.check_errexit() } else { result }
    }

    pub(super) fn run_arith_for(&mut self, found: &ArithFor) -> Run {
        self.location.line = found.line;
        self.flow.loops += 1;
        let result = self.arith_for_turns(found);
        self.flow.loops -= 1;
        self.after_loop(result)
    }

    fn arith_for_turns(&mut self, found: &ArithFor) -> Run {
        self.traced_arith(&found.init, found.line)?;
        // An empty test is true.
        let always =
            matches!(&found.test.text, crate::syntax::ast::Word::Literal(text) if text.trim_ascii().is_empty());
        let mut turns = 0u64;
        while always || self.traced_arith(&found.test, found.line)? != 0 {
            turns += 1;
            if matches!(self.run_body(&found.body)?, Turn::Leave) {
                break;
            }
            self.traced_arith(&found.step, found.line)?;
        }
        if turns == 0 {
            self.status = 0;
        }
        Ok(())
    }

    pub(super) fn run_select(&mut self, found: &For) -> Run {
        let words = match &found.words {
            Some(words) => self.expand_words(words)?,
            None => self.parameters.positional.to_vec(),
        };
        self.flow.loops += 1;
        let result = self.select_turns(found, &words);
        self.flow.loops -= 1;
        self.after_loop(result)
    }

    fn select_turns(&mut self, found: &For, words: &[Vec<u8>]) -> Run {
        let mut menu = Vec::new();
        for (number, word) in words.iter().enumerate() {
            push!(menu, number + 1, ") ", word, "\n");
        }
        write_error(&menu);
        loop {
            let prompt = self.get(b"PS3").unwrap_or(b"#? ").copied();
            write_error(&prompt);
            let Some(line) = crate::state::stream::read_line(0) else {
                if self.options.bash {
                    self.print(b"\n");
                }
                self.status = 1;
                return Ok(());
            };
            if line.is_empty() {
                write_error(&menu);
                continue;
            }
            let reply = self.intern(b"REPLY");
            self.set(reply, &line)?;
            let choice = rbox_core::number::parse_decimal(line.trim_ascii()).unwrap_or(0) as usize;
            let word = choice.checked_sub(1).and_then(|at| words.get(at)).cloned().unwrap_or_default();
            let assigned = self.set(found.name, &word);
            self.leave_on_error(assigned)?;
            if matches!(self.run_body(&found.body)?, Turn::Leave) {
                return Ok(());
            }
        }
    }

    pub(super) fn run_case(&mut self, case: &Case) -> Run {
        self.location.line = case.line;
        let word = self.expand_one(&case.word)?;
        let mut fall = false;
        let mut ran = false;
        for arm in &case.arms {
            if !fall && !self.arm_matches(arm, &word)? {
                continue;
            }
            ran = true;
            match &arm.body {
                Some(body) => self.run(body)?,
                None => self.status = 0,
            }
            match arm.end {
                ArmEnd::Break => return Ok(()),
                ArmEnd::FallThrough => fall = true,
                ArmEnd::TestNext => fall = false,
            }
        }
        if !ran {
            self.status = 0;
        }
        Ok(())
    }

    fn arm_matches(&mut self, arm: &Arm, word: &[u8]) -> Result<bool, Fail> {
        for pattern in &arm.patterns {
            if self.pattern_matches(pattern, word, self.pattern_flags())? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
