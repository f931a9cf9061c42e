//! Passes over lines that a script would leave as they are: where all that it does depends on one regular expression, whole
//! blocks of the input are searched as `grep` does it, and what is between the matches is copied at once.

use rbox_core::bytes::{find_byte_back, find_bytes};
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::prelude::*;

use super::files::{Inputs, Outputs};
use super::program::{Action, Address, Command, LAST_USED, Program, RegexId};

/// After a line that matches, so many are read one by one: where most lines match, a search beforehand is in vain.
const PAUSE: u32 = 16;

pub struct Skim {
    /// Finds lines on which the script does something.
    regex: Regex,
    /// The lines that are passed over are not printed: `-n`.
    quiet: bool,
    /// The script asks for numbers of lines.
    counts: bool,
    line_end: u8,
    /// How many lines are still to be read one by one.
    pause: u32,
}

impl Skim {
    /// The search for this script, if there is one.
    pub fn of(program: &Program, quiet: bool, line_end: u8) -> Option<Skim> {
        let id = only_regex(program)?;
        let (pattern, flags) = program.sources.get(id.0 as usize)?;
        let lines = if line_end == 0 { Flags::NUL_LINES } else { Flags::LINES };
        // Where a block is searched, the ends of the buffer are not those of the line, and no line contains its end.
        let has_text_edge = pattern.windows(2).any(|pair| matches!(pair, b"\\`" | b"\\'"));
        if has_text_edge || pattern.contains(&line_end) || line_end == 0 && flags.contains(Flags::LINE_ANCHORS) {
            return None;
        }
        let regex = Regex::new(pattern, *flags | lines).ok()?;
        Some(Skim { regex, quiet, counts: program.commands.iter().any(asks_for_lines), line_end, pause: 0 })
    }

    /// Passes over lines of the open file, up to the next that matches or to one that has not been read whole.
    pub fn pass(&mut self, env: &mut Env, inputs: &mut Inputs<'_>, outputs: &mut Outputs) -> Result<()> {
        if self.pause > 0 {
            self.pause -= 1;
            return Ok(());
        }
        while let Some(input) = inputs.current() {
            let data = input.buffered();
            let whole = find_byte_back(self.line_end, data).map_or(0, |end| end + 1);
            let found = self.regex.find_line(&data[..whole], 0);
            let passed = &data[..found.as_ref().map_or(whole, |line| line.start)];
            if !self.quiet && !passed.is_empty() {
                outputs.main().write(env, passed, self.line_end)?;
            }
            let lines = if self.counts { find_bytes(self.line_end, passed).count() } else { 0 };
            let length = passed.len();
            input.consume(length);
            // A failure is met again, and reported, when the line is read.
            let is_more = found.is_none() && whole > 0 && input.fill_more_for(&mut env.stdout).unwrap_or(false);
            inputs.line += lines as u64;
            if found.is_some() && length == 0 {
                self.pause = PAUSE;
            }
            if !is_more {
                break;
            }
        }
        self.regex.check()
    }
}

/// The expression without which no command does anything: that of a single `s`, or the address of a single command or of a
/// block that is all of the script.
fn only_regex(program: &Program) -> Option<RegexId> {
    let first = program.commands.first()?;
    let is_all = match first.action {
        Action::Block(after) => after == program.commands.len(),
        _ => program.commands.len() == 1,
    };
    if !is_all || first.negated || first.end.is_some() {
        return None;
    }
    let id = match (&first.first, &first.action) {
        (Some(Address::Regex(id)), _) => *id,
        (None, Action::Substitute(substitute)) => substitute.regex,
        _ => return None,
    };
    (id != LAST_USED).then_some(id)
}

fn asks_for_lines(command: &Command) -> bool {
    command.end.is_some()
        || matches!(command.first, Some(Address::Line(_) | Address::Step(..)))
        || matches!(command.action, Action::LineNumber)
}
