//! `print` and `printf`.

use rbox_core::error::{Error, Result};
use rbox_core::sys::Errno;

use crate::fields::Fields;
use crate::format;
use crate::io::Sink;
use crate::machine::Machine;
use crate::program::Operand;
use crate::value::{Digits, Value};

/// Writes to the sink of the statement. The error names the stream.
fn write(machine: &mut Machine<'_>, bytes: &[u8]) -> Result<()> {
    let sink = machine.sink;
    machine.streams.writer(machine.env, sink).write(bytes).map_err(|error| located(sink, error))
}

/// A dead standard output ends everything without further words.
fn located(sink: Sink, error: Error) -> Error {
    match sink {
        Sink::Stdout => error,
        _ => Error::on("write error", error.errno().unwrap_or(Errno::IO)),
    }
}

impl Machine<'_> {
    /// Writes a value; numbers that are no integers by OFMT.
    pub fn write(&mut self, operand: Operand) -> Result<()> {
        let at = self.at(operand);
        let sink = self.sink;
        match &self.slots[at] {
            Value::Str(text) | Value::Input(text) => {
                self.streams.writer(self.env, sink).write(text).map_err(|error| located(sink, error))
            }
            Value::Num(number) => {
                let number = *number;
                let text = self.digits.number(number, &self.ofmt);
                self.streams.writer(self.env, sink).write(text).map_err(|error| located(sink, error))
            }
            Value::Array(_) | Value::OwnArray(_) => Err(Error::new("Array used as a scalar")),
            _ => Ok(()),
        }
    }

    #[inline]
    pub fn write_field(&mut self, operand: Operand) -> Result<()> {
        let number = Fields::check(self.value(operand).number())?;
        if number == 0 {
            return self.write_record();
        }
        let sink = self.sink;
        let text = self.fields.bytes(number, &self.ofmt, &mut self.digits);
        self.streams.writer(self.env, sink).write(text).map_err(|error| located(sink, error))
    }

    pub fn write_record(&mut self) -> Result<()> {
        self.join();
        let sink = self.sink;
        let output = self.streams.writer(self.env, sink);
        output.write(&self.fields.record).map_err(|error| located(sink, error))
    }

    /// Writes OFS or ORS.
    #[inline]
    pub fn write_special(&mut self, index: u32) -> Result<()> {
        let sink = self.sink;
        match &self.slots[index as usize] {
            Value::Str(text) | Value::Input(text) => {
                self.streams.writer(self.env, sink).write(text).map_err(|error| located(sink, error))
            }
            value => {
                let mut digits = Digits::default();
                let text = value.bytes(b"%.6g", &mut digits).to_vec();
                write(self, &text)
            }
        }
    }

    #[inline(never)]
    pub fn printf(&mut self, first: Operand, count: usize) -> Result<()> {
        let mut text = core::mem::take(&mut self.scratch);
        text.clear();
        self.formatted(self.at(first), count, &mut text)?;
        let result = write(self, &text);
        self.scratch = text;
        result
    }

    /// Adds what `printf` prints with the values from a slot on, the first of them the format.
    pub fn formatted(&mut self, first: usize, count: usize, out: &mut Vec<u8>) -> Result<()> {
        let mut digits = Digits::default();
        let format = self.slots[first].bytes(&self.convfmt, &mut digits);
        format::push(out, format, &self.slots[first + 1..first + count], &self.convfmt, self.utf8)
    }
}
