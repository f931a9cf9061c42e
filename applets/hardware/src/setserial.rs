//! `setserial`: print and set the parameters of serial ports (setserial(8), linux/serial.h).

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::device_block::{Exchange, SIZE, exchange};
use rbox_core::sys::fs::{Mode, OFlags, open};
use rbox_core::text::{Hex, Right};
use rbox_core::{push, text};

options! {
    "[-abGvz] DEVICE [PARAMETER [ARG]]... | -g [-abGv] DEVICE...

Print or set the parameters of a serial port.

  -a  Print all parameters
  -b  Print a summary
  -G  Print them as words for setserial
  -g  All operands are devices
  -v  Print the port after it was set
  -z  Clear all flags before PARAMETERs are set

With an ARG: port, irq, divisor, uart, baud_base, close_delay, closing_wait (or none, infinite).
Without, and switched off by ^ before them: fourport, auto_irq, skip_test, sak, session_lockout, pgrp_lockout,
callout_nohup, split_termios, hup_notify, low_latency. Others: autoconfig, spd_normal, spd_hi, spd_vhi, spd_shi, spd_warp,
spd_cust.";
    ALL = "-a",
    SUMMARY = "-b",
    WORDS = "-G",
    DEVICES = "-g",
    VERBOSE = "-v",
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// Types of chips: PORT_UNKNOWN and on.
const CHIPS: Names = names! {
    "unknown" = 0, "8250" = 1, "16450" = 2, "16550" = 3, "16550A" = 4, "Cirrus" = 5, "16650" = 6, "16650V2" = 7,
    "16750" = 8, "Startech" = 9, "16C950/954" = 10, "16654" = 11, "16850" = 12, "RSA" = 13,
};

/// linux/tty_flags.h
const FLAGS: Names = names! {
    "hup_notify" = 1, "fourport" = 2, "sak" = 4, "split_termios" = 8, "skip_test" = 0x40, "auto_irq" = 0x80,
    "session_lockout" = 0x100, "pgrp_lockout" = 0x200, "callout_nohup" = 0x400, "low_latency" = 0x2000,
};
const SPEEDS: Names = names! {
    "spd_normal" = 0, "spd_hi" = 0x10, "spd_vhi" = 0x20, "spd_cust" = 0x30, "spd_shi" = 0x1000, "spd_warp" = 0x1010,
};
const SPEED_MASK: u32 = 0x1030;

/// Offsets in struct serial_struct.
const TYPE: usize = 0;
const LINE: usize = 4;
const PORT: usize = 8;
const IRQ: usize = 12;
const FLAG: usize = 16;
const DIVISOR: usize = 24;
const BASE: usize = 28;
const CLOSE_DELAY: usize = 32;
const CLOSING_WAIT: usize = 40;

/// Values of closing_wait that are names.
const WAITS: Names = names! { "infinite" = 0, "none" = 65535 };

struct Port([u8; SIZE]);

impl Port {
    fn get(&self, at: usize) -> u32 {
        match at {
            CLOSE_DELAY | CLOSING_WAIT => u16::from_ne_bytes([self.0[at], self.0[at + 1]]).into(),
            _ => u32::from_ne_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]]),
        }
    }

    fn set(&mut self, at: usize, value: u32) {
        match at {
            CLOSE_DELAY | CLOSING_WAIT => self.0[at..at + 2].copy_from_slice(&(value as u16).to_ne_bytes()),
            _ => self.0[at..at + 4].copy_from_slice(&value.to_ne_bytes()),
        }
    }

    /// Sets a parameter; returns whether its argument was used.
    fn apply(&mut self, word: &[u8], argument: Option<&[u8]>) -> Result<bool> {
        let (name, is_off) = word.strip_prefix(b"^").map_or((word, false), |name| (name, true));
        let flags = self.get(FLAG);
        if let Some(flag) = FLAGS.number_of(name) {
            self.set(FLAG, if is_off { flags & !(flag as u32) } else { flags | flag as u32 });
            return Ok(false);
        }
        if let Some(speed) = SPEEDS.number_of(word) {
            self.set(FLAG, flags & !SPEED_MASK | speed as u32);
            return Ok(false);
        }
        let at = match word {
            b"port" => PORT,
            b"irq" => IRQ,
            b"divisor" => DIVISOR,
            b"uart" => TYPE,
            b"baud_base" => BASE,
            b"close_delay" => CLOSE_DELAY,
            b"closing_wait" => CLOSING_WAIT,
            _ => return Err(Error::usage_because(&[b"invalid parameter: ", word])),
        };
        let argument = argument.ok_or_else(|| Error::usage_because(&[word, b" needs an argument"]))?;
        let known = match at {
            TYPE => {
                CHIPS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(argument)).map(|(_, number)| number)
            }
            CLOSING_WAIT => WAITS.number_of(argument),
            _ => None,
        };
        let most = if matches!(at, CLOSE_DELAY | CLOSING_WAIT) { 65535 } else { u32::MAX };
        let number = parse_c(argument).filter(|_| at != TYPE).and_then(|number| u32::try_from(number).ok());
        let value = known.map(|number| number as u32).or(number.filter(|number| *number <= most));
        self.set(at, value.ok_or_else(|| invalid(argument))?);
        Ok(true)
    }

    fn chip(&self) -> &'static str {
        CHIPS.name_of(self.get(TYPE).into()).unwrap_or("undefined")
    }

    /// The flags' names after `lead`, if there are any; with all parameters the normal speed too.
    fn flags(&self, lead: &str, all: bool) -> Vec<u8> {
        let (mut words, flags) = (Vec::new(), self.get(FLAG));
        let speed = flags & SPEED_MASK;
        if speed != 0 || all {
            push!(words, SPEEDS.name_of(speed.into()).unwrap_or("spd_unknown"), " ");
        }
        FLAGS.of_flags(flags.into()).for_each(|name| push!(words, name, " "));
        words.pop();
        if words.is_empty() { words } else { text!(lead, words) }
    }

    fn describe(&self, device: &[u8], how: Option<Opt>) -> Vec<u8> {
        let port = text!("0x", Right(Hex(self.get(PORT).into()), 4, b'0'));
        let (chip, irq) = (self.chip(), self.get(IRQ));
        match how {
            Some(SUMMARY) if self.get(TYPE) == 0 => Vec::new(),
            Some(SUMMARY) => {
                text!(device, " at ", port, " (irq = ", irq, ") is a ", chip, self.flags(" ", false), "\n")
            }
            Some(WORDS) => {
                let mut line =
                    text!(device, " uart ", chip, " port ", port, " irq ", irq, " baud_base ", self.get(BASE));
                if self.get(DIVISOR) > 0 {
                    push!(line, " divisor ", self.get(DIVISOR));
                }
                text!(line, self.flags(" ", true), "\n")
            }
            Some(_) => {
                let wait = self.get(CLOSING_WAIT);
                let wait = WAITS.name_of(wait.into()).map_or_else(|| text!(wait), |name| text!(name));
                let mut lines = text!(device, ", Line ", self.get(LINE), ", UART: ", chip, ", Port: ", port, ", IRQ: ");
                push!(lines, irq, "\n\tBaud_base: ", self.get(BASE), ", close_delay: ", self.get(CLOSE_DELAY));
                push!(lines, ", divisor: ", self.get(DIVISOR), "\n\tclosing_wait: ", wait);
                push!(lines, self.flags("\n\tFlags: ", true), "\n\n");
                lines
            }
            None => {
                text!(device, ", UART: ", chip, ", Port: ", port, ", IRQ: ", irq, self.flags(", Flags: ", false), "\n")
            }
        }
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, usize::MAX)?;
    let how = args.last_of(&[ALL, SUMMARY, WORDS]);
    if args.has(DEVICES) {
        return env.for_each_operand(operands, &mut |env, path| handle(env, path, &[], args, how));
    }
    handle(env, operands[0], &operands[1..], args, how)?;
    Ok(ExitStatus::SUCCESS)
}

fn handle(env: &mut Env, path: &[u8], words: &[&[u8]], args: &Args<'_>, how: Option<Opt>) -> Result<()> {
    let file = open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    let call =
        |what, port: &mut Port| exchange(file.as_fd(), what, &mut port.0).map_err(|errno| Error::on(path, errno));
    let mut port = Port([0; SIZE]);
    call(Exchange::GetSerial, &mut port)?;
    if args.has(ZERO) {
        port.set(FLAG, 0);
    }
    let mut rest = words;
    while let [word, after @ ..] = rest {
        rest = after;
        if *word == b"autoconfig" {
            // What was set before it is what the driver looks with.
            call(Exchange::SetSerial, &mut port)?;
            call(Exchange::ConfigureSerial, &mut port)?;
            call(Exchange::GetSerial, &mut port)?;
        } else if port.apply(word, after.first().copied())? {
            rest = &after[1..];
        }
    }
    let is_set = !words.is_empty() || args.has(ZERO);
    if is_set {
        call(Exchange::SetSerial, &mut port)?;
        call(Exchange::GetSerial, &mut port)?;
    }
    if !is_set || args.has(VERBOSE) || how.is_some() {
        env.stdout.write(&port.describe(path, how))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_set_and_printed() {
        let mut port = Port([0; SIZE]);
        for words in
            [["uart", "16550a"], ["port", "0x3f8"], ["irq", "4"], ["baud_base", "115200"], ["closing_wait", "none"]]
        {
            assert_eq!(port.apply(words[0].as_bytes(), Some(words[1].as_bytes())).ok(), Some(true));
        }
        for word in ["spd_vhi", "skip_test", "sak", "^sak", "low_latency"] {
            assert_eq!(port.apply(word.as_bytes(), None).ok(), Some(false));
        }
        let text = |how| String::from_utf8(port.describe(b"ttyS0", how)).expect("ASCII");
        assert_eq!(text(None), "ttyS0, UART: 16550A, Port: 0x03f8, IRQ: 4, Flags: spd_vhi skip_test low_latency\n");
        assert_eq!(text(Some(SUMMARY)), "ttyS0 at 0x03f8 (irq = 4) is a 16550A spd_vhi skip_test low_latency\n");
        let words = "ttyS0 uart 16550A port 0x03f8 irq 4 baud_base 115200 spd_vhi skip_test low_latency\n";
        assert_eq!(text(Some(WORDS)), words);
        let all = "ttyS0, Line 0, UART: 16550A, Port: 0x03f8, IRQ: 4\n\tBaud_base: 115200, close_delay: 0, divisor: 0\n\t\
                   closing_wait: none\n\tFlags: spd_vhi skip_test low_latency\n\n";
        assert_eq!(text(Some(ALL)), all);
        assert!(port.apply(b"irq", Some(b"x")).is_err() && port.apply(b"irq", None).is_err());
        assert!(port.apply(b"close_delay", Some(b"65536")).is_err() && port.apply(b"nope", None).is_err());
    }
}
