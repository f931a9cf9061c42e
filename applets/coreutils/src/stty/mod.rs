//! `stty`: print or change the settings of a terminal (POSIX XCU stty), with GNU's and BusyBox's settings.

mod show;
mod table;

use rbox_core::number::{invalid, parse_c, parse_decimal, parse_in_range, parse_radix};
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, Mode, OFlags};
use rbox_core::sys::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, Termios, Winsize, tcgetattr, tcgetwinsize,
    tcsetattr, tcsetwinsize,
};
use rbox_core::sys::{AsFd, BorrowedFd, OwnedFd, fd};

use table::{CHARACTERS, MIN, TIME, expansion, flag, index};

options! {
    "[-a | -g] [-F DEVICE] [SETTING]...

Print the settings of the terminal that standard input is, or change them. Without SETTINGs print the speed, the special
characters, and what differs from `stty sane`.

  -a, --all          Print all settings
  -g, --save         Print all settings as a SETTING
  -F, --file=DEVICE  Use DEVICE instead of standard input

SETTINGs, which a dash before many of them takes back:
flags: parenb parodd cmspar cs5-cs8 hupcl cstopb cread clocal crtscts, ignbrk brkint ignpar parmrk inpck istrip inlcr
  igncr icrnl ixon ixoff iuclc ixany imaxbel iutf8, opost olcuc ocrnl onlcr onocr onlret ofill ofdel nl0-1 cr0-3
  tab0-3 bs0-1 vt0-1 ff0-1, isig icanon iexten echo echoe echok echonl noflsh xcase tostop echoprt echoctl echoke
  flusho extproc
characters (X, ^X, 0x18, 030, 24, ^- or undef): intr quit erase kill eof eol eol2 swtch start stop susp rprnt werase
  lnext flush
numbers: min, time, rows, cols, line, ispeed, ospeed, or a speed for both directions
several: sane raw cooked cbreak nl ek evenp oddp parity pass8 litout lcase tabs decctlq crt dec
size, speed: print them;  -drain: change at once";
    ALL = "-a",
    SAVE = "-g",
    FILE = "-F",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// The fields of `-g`: four words of flags and 32 characters, as GNU and BusyBox with glibc have them.
const CODES: u64 = 32;

/// The code of the input's speed in the control flags; 0 is the output's (CIBAUD, termbits.h of asm-generic).
const INPUT_SPEED: u32 = 0x100f_0000;

/// The terminal and what it is to have.
struct Terminal<'a> {
    file: BorrowedFd<'a>,
    name: &'a [u8],
    state: Termios,
    action: OptionalActions,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (options, settings) = split(args.words());
    let args = Args::parse(USAGE, Grammar::Permuted, &options)?;
    if args.has(ALL) && args.has(SAVE) {
        return Err(Error::new("-a and -g are mutually exclusive"));
    }
    if (args.has(ALL) || args.has(SAVE)) && !settings.is_empty() {
        return Err(Error::new("modes may not be set when -a or -g is used"));
    }
    let device = args.value(FILE).map(open).transpose()?;
    let file = match &device {
        Some(device) => device.as_fd(),
        None => fd::borrow(0),
    };
    let name = args.value(FILE).unwrap_or(b"standard input");
    let state = tcgetattr(file).map_err(|errno| Error::on(name, errno))?;
    let mut terminal = Terminal { file, name, state, action: OptionalActions::Drain };
    if settings.is_empty() {
        let text = match args.has(SAVE) {
            true => show::save(&terminal.state),
            false => show::settings(env, file, &terminal.state, args.has(ALL))?,
        };
        env.stdout.write(&text)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let before = show::save(&terminal.state);
    let speeds = |state: &Termios| (state.input_speed(), state.output_speed());
    let speeds_before = speeds(&terminal.state);
    terminal.apply(env, &settings)?;
    if show::save(&terminal.state) != before || speeds(&terminal.state) != speeds_before {
        terminal.set()?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Options, with the applet's name before them, and settings, which may begin with a dash too.
fn split<'a>(words: &[&'a [u8]]) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let (mut options, mut settings) = (Vec::new(), Vec::new());
    let mut is_value = true;
    for &word in words {
        let takes_value = matches!(word, b"-F" | b"-aF" | b"-gF" | b"--file");
        let is_option = takes_value || matches!(word, b"-a" | b"-g" | b"-ag" | b"-ga") || word.starts_with(b"-F");
        match word {
            b"--" if !is_value => {}
            _ if is_value || is_option || word.starts_with(b"--") => options.push(word),
            _ => settings.push(word),
        }
        is_value = takes_value;
    }
    (options, settings)
}

/// Opens a device, which may be a modem line without a carrier.
fn open(path: &[u8]) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = fs::open(path, flags, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))?;
    let cleared = fs::fcntl_getfl(&file).and_then(|flags| fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK));
    cleared.map_err(|errno| Error::on(path, errno))?;
    Ok(file)
}

impl Terminal<'_> {
    fn apply(&mut self, env: &mut Env, settings: &[&[u8]]) -> Result<()> {
        let mut rest = settings;
        while let Some((&word, after)) = rest.split_first() {
            rest = after;
            if let Some(words) = expansion(word) {
                let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
                self.apply(env, &words)?;
                continue;
            }
            let name = word.strip_prefix(b"-").unwrap_or(word);
            if let Some(flag) = flag(name) {
                // A value of several cannot be taken back.
                if flag.field != 0 && name.len() < word.len() {
                    return Err(unknown(word));
                }
                flag.set(&mut self.state, name.len() == word.len());
                continue;
            }
            let mut value = || -> Result<&[u8]> {
                let (value, after) =
                    rest.split_first().ok_or_else(|| Error::parts(&[word, b" requires an argument"]))?;
                rest = after;
                Ok(*value)
            };
            if let Some(number) = CHARACTERS.number_of(if word == b"discard" { b"flush" } else { word }) {
                self.set_code(number, character(value()?)?);
                continue;
            }
            match word {
                b"min" => self.set_code(MIN, parse_in_range(value()?, 0, 255)? as u8),
                b"time" => self.set_code(TIME, parse_in_range(value()?, 0, 255)? as u8),
                b"line" => self.state.line_discipline = parse_in_range(value()?, 0, 255)? as _,
                b"rows" => self.resize(true, parse_in_range(value()?, 0, 0xffff)? as u16)?,
                b"cols" | b"columns" => self.resize(false, parse_in_range(value()?, 0, 0xffff)? as u16)?,
                b"ispeed" => self.set_speed(value()?, true, false)?,
                b"ospeed" => self.set_speed(value()?, false, true)?,
                b"size" => {
                    let size = self.size()?;
                    env.stdout.write(&rbox_core::text!(size.ws_row, " ", size.ws_col, "\n"))?;
                }
                b"speed" => env.stdout.write(&show::speed(&self.state))?,
                b"drain" => self.action = OptionalActions::Drain,
                b"-drain" => self.action = OptionalActions::Now,
                _ if word.contains(&b':') => self.restore(word)?,
                _ if word.first().is_some_and(u8::is_ascii_digit) => self.set_speed(word, true, true)?,
                b"exta" | b"extb" => self.set_speed(word, true, true)?,
                _ => return Err(unknown(word)),
            }
        }
        Ok(())
    }

    fn set_code(&mut self, number: u64, code: u8) {
        if let Some(index) = index(number) {
            self.state.special_codes[index] = code;
        }
    }

    fn size(&self) -> Result<Winsize> {
        tcgetwinsize(self.file).map_err(|errno| Error::on(self.name, errno))
    }

    /// Sets the number of rows, or of columns, at once, as all else is set at the end.
    fn resize(&self, is_rows: bool, number: u16) -> Result<()> {
        let mut size = self.size()?;
        *(if is_rows { &mut size.ws_row } else { &mut size.ws_col }) = number;
        tcsetwinsize(self.file, size).map_err(|errno| Error::on(self.name, errno))
    }

    fn set_speed(&mut self, word: &[u8], input: bool, output: bool) -> Result<()> {
        let speed = match word {
            b"exta" => Some(19_200),
            b"extb" => Some(38_400),
            b"134.5" => Some(134),
            _ => parse_decimal(word).and_then(|speed| u32::try_from(speed).ok()),
        };
        let speed = speed.ok_or_else(|| unknown(word))?;
        let failed = |errno| Error::on(word, errno);
        if output {
            self.state.set_output_speed(speed).map_err(failed)?;
        }
        if input {
            self.state.set_input_speed(speed).map_err(failed)?;
        }
        if self.state.input_speed() == self.state.output_speed() {
            // So the input follows when another program sets the speed of the output alone.
            self.state.control_modes -= ControlModes::from_bits_retain(INPUT_SPEED);
        }
        Ok(())
    }

    /// Takes the output of `-g` back.
    fn restore(&mut self, word: &[u8]) -> Result<()> {
        let number = |field: &_| parse_radix(field, 16).and_then(|field| u32::try_from(field).ok());
        let fields: Option<Vec<u32>> = word.split(|&byte| byte == b':').map(number).collect();
        let Some([input, output, control, local, codes @ ..]) = fields.as_deref() else { return Err(unknown(word)) };
        if codes.len() as u64 != CODES || codes.iter().any(|&code| code > 255) {
            return Err(unknown(word));
        }
        self.state.input_modes = InputModes::from_bits_retain(*input);
        self.state.output_modes = OutputModes::from_bits_retain(*output);
        self.state.control_modes = ControlModes::from_bits_retain(*control);
        self.state.local_modes = LocalModes::from_bits_retain(*local);
        for (number, &code) in codes.iter().enumerate() {
            self.set_code(number as u64, code as u8);
        }
        Ok(())
    }

    /// Hands the settings to the terminal. It may take only some of them, and reports success (termios(3)).
    fn set(&self) -> Result<()> {
        let failed = |errno| Error::on(self.name, errno);
        tcsetattr(self.file, self.action, &self.state).map_err(failed)?;
        let now = tcgetattr(self.file).map_err(failed)?;
        if show::save(&now) != show::save(&self.state) {
            return Err(Error::parts(&[self.name, b": cannot perform all requested operations"]));
        }
        Ok(())
    }
}

fn unknown(word: &[u8]) -> Error {
    Error::parts(&[b"invalid argument '", word, b"'"])
}

/// A special character: itself, `^X`, a number as in C, or none.
fn character(word: &[u8]) -> Result<u8> {
    match word {
        b"" | b"^-" | b"undef" => Ok(0),
        [byte] => Ok(*byte),
        b"^?" => Ok(127),
        [b'^', byte] => Ok(byte & 0x1f),
        _ => parse_c(word).and_then(|number| u8::try_from(number).ok()).ok_or_else(|| invalid(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_several_forms() {
        let read = |word: &str| character(word.as_bytes()).ok();
        assert_eq!((read("^c"), read("^C"), read("^?"), read("^-")), (Some(3), Some(3), Some(127), Some(0)));
        assert_eq!((read("x"), read("0x1b"), read("033"), read("27")), (Some(b'x'), Some(27), Some(27), Some(27)));
        assert_eq!((read("xx"), read("256"), read("undef")), (None, None, Some(0)));
    }

    #[test]
    fn settings_may_look_like_options() {
        let words: [&[u8]; 7] = [b"stty", b"-echo", b"-F", b"-a", b"-g", b"--", b"raw"];
        let (options, settings) = split(&words);
        assert_eq!(options, [&b"stty"[..], b"-F", b"-a", b"-g"]);
        assert_eq!(settings, [&b"-echo"[..], b"raw"]);
    }

    #[test]
    fn every_word_stands_for_known_settings() {
        for word in ["evenp", "-evenp", "oddp", "nl", "-nl", "ek", "sane", "cooked", "raw", "pass8", "-pass8", "litout"]
            .into_iter()
            .chain([
                "-litout", "cbreak", "-cbreak", "decctlq", "-decctlq", "tabs", "-tabs", "lcase", "-lcase", "crt", "dec",
            ])
        {
            let words = expansion(word.as_bytes()).expect("it means several");
            let mut words = rbox_core::bytes::words(words.as_bytes());
            while let Some(setting) = words.next() {
                let is_flag = flag(setting.strip_prefix(b"-").unwrap_or(setting)).is_some();
                assert!(is_flag || words.next().is_some(), "{word}");
            }
        }
    }
}
