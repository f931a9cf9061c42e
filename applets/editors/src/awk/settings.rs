//! What an assignment to a special variable changes, and the operands of the command line.

use rbox_core::error::{Error, Result};
use rbox_core::io::Input;
use rbox_core::sys::Errno;

use awk_machine::array::Key;
use awk_machine::fields::{Fields, Splitter};
use awk_machine::io::Separator;
use awk_machine::machine::{Flow, Machine};
use awk_machine::script::unescaped;
use awk_machine::special;
use awk_machine::value::{Text, Value};

/// Opens the next file among the operands, and makes assignments on the way. `None` when there is none left.
pub fn open_next(machine: &mut Machine<'_>) -> Result<Option<Flow>> {
    loop {
        let count = machine.slots[special::ARGC as usize].number();
        if machine.operand as f64 >= count {
            if machine.had_operand {
                return Ok(None);
            }
            machine.had_operand = true;
            return open(machine, b"-", b"");
        }
        let arguments = machine.array_at(special::ARGV as usize)?;
        let number = Key::Integer(machine.operand as i64);
        machine.operand += 1;
        let Some(value) = machine.arrays[arguments].get(number) else { continue };
        let operand = value.bytes(b"%.6g", &mut awk_machine::value::Digits::default()).to_vec();
        if operand.is_empty() || (machine.takes_assignments && assign_operand(machine, &operand)?) {
            continue;
        }
        machine.had_operand = true;
        return open(machine, &operand, &operand);
    }
}

fn open(machine: &mut Machine<'_>, name: &[u8], shown: &[u8]) -> Result<Option<Flow>> {
    if matches!(name, b"-" | b"/dev/stdin") {
        machine.input_is_stdin = true;
    } else {
        let opened = Input::open(name);
        machine.input = Some(opened.map_err(|error| Error::on(name, error.errno().unwrap_or(Errno::IO)))?);
    }
    machine.slots[special::FILENAME as usize] = Value::input(shown);
    machine.set_number(special::FNR << 1, 0.0);
    if !machine.code.has_file_rules {
        return Ok(Some(Flow::Done));
    }
    Ok(Some(match machine.run_nested(machine.code.begin_file)? {
        Flow::NextFile => machine.end_file()?,
        flow => flow,
    }))
}

/// An operand `NAME=value` is an assignment (POSIX XCU awk, OPERANDS). Whether it was one.
pub fn assign_operand(machine: &mut Machine<'_>, operand: &[u8]) -> Result<bool> {
    let Some((name, value)) = rbox_core::bytes::split_once(operand, b'=') else { return Ok(false) };
    let is_name = name.iter().enumerate().all(|(at, byte)| match byte {
        b'0'..=b'9' => at > 0,
        byte => byte.is_ascii_alphabetic() || *byte == b'_',
    });
    if name.is_empty() || !is_name {
        return Ok(false);
    }
    // A variable that the program does not have cannot be seen.
    let Some(index) = machine.code.globals.iter().position(|global| global == name) else { return Ok(true) };
    if matches!(machine.slots[index], Value::Array(_)) {
        return Err(Error::parts(&[name, b": Array used as a scalar"]));
    }
    machine.slots[index] = Value::Input(Text::from_vec(unescaped(value)));
    changed(machine, index as u32)?;
    Ok(true)
}

/// A special variable was assigned to.
pub fn changed(machine: &mut Machine<'_>, index: u32) -> Result<()> {
    match index {
        special::NF => {
            let count = machine.slots[special::NF as usize].number();
            if count < 0.0 {
                return Err(Error::new("NF set to negative value"));
            }
            machine.fields.set_count(Fields::check(count)?);
        }
        special::CONVFMT => machine.convfmt = machine.special(index),
        special::OFMT => machine.ofmt = machine.special(index),
        special::RS => {
            machine.separator = record_separator(machine)?;
            set_splitter(machine, special::FS)?;
        }
        special::FS | special::FIELDWIDTHS | special::FPAT => set_splitter(machine, index)?,
        special::IGNORECASE => {
            machine.ignores_case = machine.slots[special::IGNORECASE as usize].is_true();
            machine.regexes.set_ignore_case(machine.ignores_case)?;
            machine.separator = record_separator(machine)?;
            set_splitter(machine, special::FS)?;
        }
        _ => {}
    }
    Ok(())
}

fn record_separator(machine: &mut Machine<'_>) -> Result<Separator> {
    let text = machine.special(special::RS);
    Ok(match **text {
        [] => Separator::Paragraph,
        [byte] if !machine.ignores_case || !byte.is_ascii_alphabetic() => Separator::Byte(byte),
        _ => Separator::Regex(machine.regexes.of_text(&text)?),
    })
}

fn set_splitter(machine: &mut Machine<'_>, variable: u32) -> Result<()> {
    let text = machine.special(variable);
    let splitter = match variable {
        special::FIELDWIDTHS => {
            let width = |word| rbox_core::number::parse_decimal(word).map(|width| width as usize);
            let widths: Option<Vec<usize>> = rbox_core::bytes::words(&text).map(width).collect();
            Splitter::Widths(widths.ok_or_else(|| Error::new("Invalid FIELDWIDTHS"))?)
        }
        special::FPAT => Splitter::Content(machine.regexes.of_text(&text)?),
        _ => {
            let is_paragraph = matches!(machine.separator, Separator::Paragraph);
            machine.splitter(&text, is_paragraph)?
        }
    };
    machine.fields.set_splitter(splitter);
    Ok(())
}
