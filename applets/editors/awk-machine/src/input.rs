//! The main input, `getline`, and the variables that say how records and fields are found.

use std::rc::Rc;

use rbox_core::error::Result;

use crate::fields::{Fields, Splitter};
use crate::io::read_record;
use crate::machine::{Flow, Machine};
use crate::program::From;
use crate::program::Operand;
use crate::regexes::Pattern;
use crate::special;
use crate::value::{Text, Value};

impl Machine<'_> {
    /// Runs the whole program: BEGIN, the rules for each record, END.
    pub fn run_program(&mut self) -> Result<()> {
        if self.run(self.code.begin)? != Flow::Exit && self.code.reads_input && self.run_records()? == Flow::Exit {
            return self.run_end();
        }
        self.run_end()
    }

    /// POSIX XCU awk, Actions: `exit` in BEGIN or for a record leads to END, in END it ends the program.
    fn run_end(&mut self) -> Result<()> {
        self.run(self.code.end)?;
        Ok(())
    }

    fn run_records(&mut self) -> Result<Flow> {
        loop {
            match self.next_record()? {
                None => return Ok(Flow::Done),
                Some(Flow::Exit) => return Ok(Flow::Exit),
                Some(_) => {}
            }
            if !self.code.has_main {
                continue;
            }
            match self.run_main()? {
                Flow::Exit => return Ok(Flow::Exit),
                Flow::NextFile => {
                    if self.end_file()? == Flow::Exit {
                        return Ok(Flow::Exit);
                    }
                }
                Flow::Done | Flow::Next => {}
            }
        }
    }

    /// Reads the next record of the main input into `$0`. `None` at the end of the last file; what else ended the rules
    /// for a file.
    fn next_record(&mut self) -> Result<Option<Flow>> {
        let mut record = core::mem::take(&mut self.fields.record);
        let result = self.read_main(&mut record, true);
        self.fields.record = record;
        match result? {
            Some(Flow::Done) => {
                self.fields.changed();
                self.count_record();
                Ok(Some(Flow::Done))
            }
            other => Ok(other),
        }
    }

    fn count_record(&mut self) {
        let next = |value: &Value| value.number() + 1.0;
        let count = next(&self.slots[special::NR as usize]);
        self.set_number(special::NR << 1, count);
        let count = next(&self.slots[special::FNR as usize]);
        self.set_number(special::FNR << 1, count);
        if self.code.uses_terminator {
            self.slots[special::RT as usize] = Value::input(&self.terminator);
        }
    }

    /// Reads into `record`, which was taken from `$0` if `is_whole`.
    #[inline]
    fn read_main(&mut self, record: &mut Vec<u8>, is_whole: bool) -> Result<Option<Flow>> {
        loop {
            let is_read = if self.input_is_stdin {
                let (input, output) = (&mut self.env.stdin, &mut self.env.stdout);
                read_record(input, output, &self.separator, record, &mut self.terminator)
            } else if let Some(input) = &mut self.input {
                read_record(input, &mut self.env.stdout, &self.separator, record, &mut self.terminator)
            } else {
                match (self.seldom.open_next)(self)? {
                    Some(Flow::Done) => continue,
                    other => return Ok(other),
                }
            };
            if is_read? {
                return Ok(Some(Flow::Done));
            }
            // ENDFILE and END still have the last record.
            if is_whole {
                core::mem::swap(&mut self.fields.record, record);
            }
            let flow = self.end_file()?;
            if is_whole {
                core::mem::swap(&mut self.fields.record, record);
            }
            if flow == Flow::Exit {
                return Ok(Some(flow));
            }
        }
    }

    /// Ends the current file.
    pub fn end_file(&mut self) -> Result<Flow> {
        (self.input, self.input_is_stdin) = (None, false);
        if self.code.has_file_rules { self.run_nested(self.code.end_file) } else { Ok(Flow::Done) }
    }

    /// `getline` in all its forms: 1, 0 at the end, -1 for an error.
    #[inline(never)]
    pub fn getline(&mut self, kind: u8, source: Operand, dest: Operand) -> Result<f64> {
        let (from, has_target) = (kind & 3, kind & 4 != 0);
        if from == From::Main as u8 {
            return self.getline_main(has_target, dest);
        }
        let is_command = from == From::Command as u8;
        let name = self.text(source);
        let opened = match self.streams.input(is_command, &name) {
            Some(index) => Ok(index),
            None => (self.seldom.open_input)(self, is_command, &name)?,
        };
        let index = match opened {
            Ok(index) => index,
            Err(errno) => {
                let reason = rbox_core::sys::error_text(errno);
                self.slots[special::ERRNO as usize] = Value::text(reason.as_bytes());
                return Ok(-1.0);
            }
        };
        let mut record = Vec::new();
        match self.streams.read(self.env, index, &self.separator, &mut record, &mut self.terminator) {
            Ok(true) => {}
            Ok(false) => return Ok(0.0),
            Err(error) if error.is_output() || error.errno().is_none() => return Err(error),
            Err(_) => return Ok(-1.0),
        }
        if self.code.uses_terminator {
            self.slots[special::RT as usize] = Value::input(&self.terminator);
        }
        if has_target {
            self.set(dest, Value::Input(Text::from_vec(record)));
        } else {
            self.fields.record = record;
            self.fields.changed();
        }
        Ok(1.0)
    }

    fn getline_main(&mut self, has_target: bool, dest: Operand) -> Result<f64> {
        if !has_target {
            return Ok(if self.next_record()? == Some(Flow::Done) { 1.0 } else { 0.0 });
        }
        let mut record = Vec::new();
        if self.read_main(&mut record, false)? != Some(Flow::Done) {
            return Ok(0.0);
        }
        self.count_record();
        self.set(dest, Value::Input(Text::from_vec(record)));
        Ok(1.0)
    }

    /// What separates fields where FS is `text`, or where that is the third argument of split().
    pub fn splitter(&mut self, text: &Rc<Text>, is_paragraph: bool) -> Result<Splitter> {
        Ok(match ***text {
            [b' '] => Splitter::Blanks,
            [] => Splitter::Characters(self.utf8),
            // POSIX XCU awk, Regular Expressions: any other single character is itself, except in a regular expression.
            [byte] if !self.ignores_case || !byte.is_ascii_alphabetic() => {
                Splitter::Byte(byte, if is_paragraph { b'\n' } else { byte })
            }
            _ if is_paragraph => {
                let either = Text::from_vec([&b"("[..], text, b")|\n"].concat());
                Splitter::Regex(self.regexes.of_text(&either)?)
            }
            _ => Splitter::Regex(self.regexes.of_text(text)?),
        })
    }

    /// Whether a value matches an expression, or a string that has one.
    #[inline(never)]
    pub fn matches(&mut self, text: Operand, regex: Operand) -> Result<bool> {
        let regex = self.regex(self.at(regex))?;
        let at = self.at(text);
        Ok(regex.is_match(self.slots[at].bytes(&self.convfmt, &mut self.digits)))
    }

    /// Whether the record matches an expression of the program.
    #[inline]
    pub fn record_matches(&mut self, regex: Operand) -> bool {
        self.join();
        match self.value(regex) {
            Value::Regex(index) => self.regexes.fixed(*index).is_match(&self.fields.record),
            _ => false,
        }
    }

    /// The expression in a slot.
    pub fn regex(&mut self, at: usize) -> Result<Rc<Pattern>> {
        match &self.slots[at] {
            Value::Regex(index) => Ok(Rc::clone(self.regexes.fixed(*index))),
            Value::Str(text) | Value::Input(text) => self.regexes.of_text(text),
            value => {
                let text = Text::new(value.bytes(b"%.6g", &mut self.digits));
                self.regexes.of_text(&text)
            }
        }
    }

    /// `$0` is up to date.
    #[inline]
    pub fn join(&mut self) {
        if self.fields.is_stale() {
            self.join_fields();
        }
    }

    #[inline(never)]
    fn join_fields(&mut self) {
        let separator = self.special(special::OFS);
        self.fields.join(&self.convfmt, &separator);
    }

    #[inline]
    fn field_index(&self, operand: Operand) -> Result<usize> {
        Fields::check(self.value(operand).number())
    }

    #[inline(never)]
    pub fn field(&mut self, operand: Operand) -> Result<Value> {
        match self.field_index(operand)? {
            0 => {
                self.join();
                Ok(self.fields.whole())
            }
            number => Ok(self.fields.value(number)),
        }
    }

    #[inline]
    pub fn field_number(&mut self, operand: Operand) -> Result<f64> {
        match self.field_index(operand)? {
            0 => {
                self.join();
                Ok(crate::value::prefix_number(&self.fields.record))
            }
            number => Ok(self.fields.number(number)),
        }
    }

    #[inline(never)]
    pub fn set_field(&mut self, operand: Operand, value: Value) -> Result<()> {
        match self.field_index(operand)? {
            0 => {
                let text = value.bytes(&self.convfmt, &mut self.digits);
                self.fields.set_record(text);
            }
            number => self.fields.set(number, value),
        }
        Ok(())
    }
}
