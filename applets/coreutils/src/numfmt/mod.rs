//! `numfmt`: convert numbers from and to the forms that people read (GNU coreutils).
//!
//! What separates fields stays as it is: GNU's prints a blank for a tab.

mod extended;
mod format;
mod number;

use rbox_core::io::Input;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;

use format::Format;
use number::{Conversion, Scale};

options! {
    "[OPTION]... [NUMBER]...

Convert NUMBERs, or those in the lines of standard input.

  -d, --delimiter=X      Separate fields by X, not by white space
      --field=FIELDS     Convert these fields: N, N-, N-M, -M, separated by commas (1)
      --format=FORMAT    Print by FORMAT, a printf format with one %f
      --from=UNIT        Unit of what is read: none (default), auto, si (K is 1000), iec (K is 1024), iec-i (Ki)
      --from-unit=N      Multiply what is read by N
      --grouping         Group digits by the locale, which has no groups
      --header[=N]       Copy the first N lines (1)
      --invalid=MODE     For what is no number: abort (default), fail, warn, ignore
      --padding=N        Pad to N characters on the left, or to -N on the right
      --round=METHOD     up, down, from-zero (default), towards-zero, nearest
      --suffix=SUFFIX    Add SUFFIX to what is printed, accept it in what is read
      --to=UNIT          Unit of what is printed: none (default), si, iec, iec-i
      --to-unit=N        Divide what is printed by N
      --debug            Report what may be wrong
  -z, --zero-terminated  Lines end with NUL, not newline";
    DELIMITER = "-d",
    FIELD = "--field",
    FORMAT = "--format",
    FROM = "--from",
    FROM_UNIT = "--from-unit",
    HEADER = "--header",
    INVALID = "--invalid",
    PADDING = "--padding",
    ROUND = "--round",
    SUFFIX = "--suffix",
    TO = "--to",
    TO_UNIT = "--to-unit",
    DEBUG = "--debug",
    ZERO = "-z",
    GROUPING = "--grouping",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// The status of a number that cannot be converted.
const UNCONVERTED: u8 = 2;

/// What happens at a word that is no number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Invalid {
    Abort,
    Fail,
    Warn,
    Ignore,
}

/// What does not change from line to line.
struct Numfmt<'a> {
    conversion: Conversion<'a>,
    format: Format,
    /// What separates fields: a byte, nothing, or white space.
    delimiter: Option<Option<u8>>,
    fields: Vec<(usize, usize)>,
    invalid: Invalid,
    end: u8,
    failed: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut format = Format::parse(args.value(FORMAT))?;
    if let Some(word) = args.value(PADDING) {
        format.set_padding(word)?;
    }
    let conversion = Conversion {
        from: args.value(FROM).map_or(Ok(Scale::None), |word| Scale::parse(word, "--from"))?,
        to: args.value(TO).map_or(Ok(Scale::None), |word| Scale::parse(word, "--to"))?,
        from_unit: args.value(FROM_UNIT).map_or(Ok(1), number::unit)?,
        to_unit: args.value(TO_UNIT).map_or(Ok(1), number::unit)?,
        method: number::method(args.value(ROUND).unwrap_or(b"from-zero"))?,
        suffix: args.value(SUFFIX).unwrap_or_default(),
        precision: format.precision,
    };
    if args.has(GROUPING) && args.has(FORMAT) {
        return Err(Error::new("--grouping cannot be combined with --format"));
    }
    if (args.has(GROUPING) || format.is_grouped) && conversion.to != Scale::None {
        return Err(Error::new("grouping cannot be combined with --to"));
    }
    let invalid = match args.value(INVALID).unwrap_or(b"abort") {
        b"abort" => Invalid::Abort,
        b"fail" => Invalid::Fail,
        b"warn" => Invalid::Warn,
        b"ignore" => Invalid::Ignore,
        word => return Err(number::invalid_argument(word, "--invalid")),
    };
    let delimiter = match args.value(DELIMITER) {
        None => None,
        Some(&[byte]) => Some(Some(byte)),
        Some(b"") => Some(None),
        Some(_) => return Err(Error::new("the delimiter must be a single character")),
    };
    let fields = args.value(FIELD).map_or_else(|| Ok(vec![(1, 1)]), fields)?;
    let header = match args.value(HEADER) {
        None => u64::from(args.has(HEADER)),
        Some(word) => {
            parse_decimal(word).filter(|count| *count > 0).ok_or_else(|| number::about("header value", word))?
        }
    };
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    if args.has(DEBUG) && conversion.changes_nothing() && args.value(FORMAT).is_none() && args.value(PADDING).is_none()
    {
        env.report(&Error::new("no conversion option specified"));
    }
    let mut numfmt = Numfmt { conversion, format, delimiter, fields, invalid, end, failed: false };
    for word in args.operands() {
        numfmt.line(env, word)?;
        env.stdout.push(end)?;
    }
    if args.operands().is_empty() {
        let mut input = env.take_stdin();
        numfmt.lines(env, &mut input, header)?;
    } else if args.has(DEBUG) && header > 0 {
        env.report(&Error::new("--header ignored with command-line input"));
    }
    if numfmt.failed && args.has(DEBUG) {
        env.report(&Error::new("failed to convert some of the input numbers"));
    }
    Ok(ExitStatus(if numfmt.failed && invalid == Invalid::Fail { UNCONVERTED } else { 0 }))
}

/// The ranges of a list of fields, both ends counted from 1 and included.
fn fields(list: &[u8]) -> Result<Vec<(usize, usize)>> {
    let number = |word: &[u8]| match parse_decimal(word) {
        Some(0) => Err(Error::misused("fields are numbered from 1")),
        Some(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
        None => Err(number::about("field value", word)),
    };
    let mut ranges = Vec::new();
    for word in list.split(|byte| matches!(byte, b',' | b' ')) {
        let (first, last) = match rbox_core::bytes::split_once(word, b'-') {
            None => (number(word)?, number(word)?),
            Some((first, last)) => (
                if first.is_empty() { 1 } else { number(first)? },
                if last.is_empty() { usize::MAX } else { number(last)? },
            ),
        };
        if first > last {
            return Err(Error::misused("invalid decreasing range"));
        }
        ranges.push((first, last));
    }
    Ok(ranges)
}

impl Numfmt<'_> {
    fn lines(&mut self, env: &mut Env, input: &mut Input, header: u64) -> Result<()> {
        let mut left = header;
        while let Some(record) = input.record_for(self.end, &mut env.stdout)? {
            if left > 0 {
                left -= 1;
                env.stdout.write(record)?;
                continue;
            }
            let line = record.strip_suffix(&[self.end]).unwrap_or(record);
            self.line(env, line)?;
            if line.len() < record.len() {
                env.stdout.push(self.end)?;
            }
        }
        Ok(())
    }

    /// Prints the line with its numbers converted.
    fn line(&mut self, env: &mut Env, line: &[u8]) -> Result<()> {
        let (mut at, mut field) = (0, 1);
        loop {
            let length = self.field_length(&line[at..]);
            let word = &line[at..at + length];
            if self.fields.iter().any(|&(first, last)| (first..=last).contains(&field)) {
                self.word(env, word, field)?;
            } else {
                env.stdout.write(word)?;
            }
            at += length;
            let Some(&separator) = line.get(at) else { return Ok(()) };
            env.stdout.push(separator)?;
            (at, field) = (at + 1, field + 1);
        }
    }

    /// Where the field that `text` begins with ends. One of white space has the blanks before it.
    fn field_length(&self, text: &[u8]) -> usize {
        match self.delimiter {
            Some(None) => text.len(),
            Some(Some(byte)) => rbox_core::bytes::find_byte(byte, text).unwrap_or(text.len()),
            None => {
                let blanks = text.iter().take_while(|&&byte| is_blank(byte)).count();
                blanks + text[blanks..].iter().take_while(|&&byte| !is_blank(byte)).count()
            }
        }
    }

    fn word(&mut self, env: &mut Env, word: &[u8], field: usize) -> Result<()> {
        let text = &word[word.iter().take_while(|&&byte| is_blank(byte)).count()..];
        // A number that is aligned by white space stays so.
        let is_aligned = self.delimiter.is_none() && (text.len() < word.len() || field > 1);
        match self.conversion.convert(text) {
            Ok(digits) => {
                let shown = self.format.apply(&digits, self.conversion.suffix, if is_aligned { word.len() } else { 0 });
                env.stdout.write(&shown)
            }
            Err(error) if self.invalid == Invalid::Abort => Err(error.with_status(UNCONVERTED)),
            Err(error) => {
                self.failed = true;
                if self.invalid != Invalid::Ignore {
                    env.report(&error);
                }
                env.stdout.write(word)
            }
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}
