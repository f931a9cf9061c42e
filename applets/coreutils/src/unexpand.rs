//! `unexpand`: replace blanks by tabs (POSIX XCU unexpand).

use rbox_core::prelude::*;

use super::expand::{Stops, column_after};

options! {
    "[-af] [-t STOPS] [FILE]...

Print each FILE, or standard input, with leading blanks converted to tabs.

  -a, --all         Convert all runs of 2 or more blanks before a tab stop
  -f, --first-only  Convert only leading blanks
  -t, --tabs=STOPS  Tab stops: every STOPS columns (8), or a list: 4,12,20; implies -a";
    ALL = "-a",
    FIRST_ONLY = "-f",
    STOPS = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let stops = Stops::parse(args.value(STOPS).unwrap_or(b"8"))?;
    let utf8 = env.is_utf8();
    let all = (args.has(ALL) || args.has(STOPS)) && !args.has(FIRST_ONLY);
    let is_blank = |&byte: &u8| byte == b' ' || byte == b'\t';
    let mut line = Line::default();
    env.for_each_input(args.operands(), &mut |env, input| {
        while let Some(chunk) = input.chunk(b'\n', &mut env.stdout)? {
            let mut rest = chunk.bytes;
            while !rest.is_empty() && (all || !line.has_text) {
                let length = rest.iter().position(|byte| !is_blank(byte)).unwrap_or(rest.len());
                let (blanks, after) = rest.split_at(length);
                line.take_blanks(env, blanks, &stops)?;
                rest = after;
                if rest.is_empty() {
                    break;
                }
                line.end_blanks(env)?;
                line.has_text = true;
                let length = if all { rest.iter().position(is_blank).unwrap_or(rest.len()) } else { rest.len() };
                let (text, after) = rest.split_at(length);
                env.stdout.write(text)?;
                line.column = if all { column_after(text, line.column, utf8) } else { 0 };
                (line.written, line.stop, line.blanks) = (line.column, 0, 0);
                rest = after;
            }
            env.stdout.write(rest)?;
            if chunk.ends {
                line.end_blanks(env)?;
                env.stdout.push(b'\n')?;
                line = Line::default();
            }
        }
        line.end_blanks(env)
    })
}

/// What has been read and written of a line.
#[derive(Default)]
struct Line {
    /// The column after what was read.
    column: usize,
    /// The column after what was written; what is between both is blank.
    written: usize,
    /// The stop after `written`; 0 when it is not known.
    stop: usize,
    /// Blanks since the last text.
    blanks: u64,
    has_text: bool,
}

impl Line {
    /// Takes blanks and writes the tabs that end at a stop in them.
    fn take_blanks(&mut self, env: &mut Env, blanks: &[u8], stops: &Stops) -> Result<()> {
        for &blank in blanks {
            self.blanks += 1;
            match blank {
                // POSIX: a single space stays, unless the line begins with it.
                b' ' if self.has_text && self.blanks == 1 => {
                    self.column += 1;
                    continue;
                }
                b' ' => self.column += 1,
                _ => match stops.next(self.column) {
                    Some(next) => self.column = next,
                    None => {
                        // After the last stop of a list a tab is what it is.
                        self.end_blanks(env)?;
                        env.stdout.push(b'\t')?;
                        self.column += 1;
                        self.written = self.column;
                    }
                },
            }
            if self.stop <= self.written {
                self.stop = stops.next(self.written).unwrap_or(usize::MAX);
            }
            while self.stop <= self.column {
                env.stdout.push(b'\t')?;
                self.written = self.stop;
                self.stop = stops.next(self.written).unwrap_or(usize::MAX);
            }
        }
        Ok(())
    }

    /// Writes the blanks that end at no stop.
    fn end_blanks(&mut self, env: &mut Env) -> Result<()> {
        let count = self.column - self.written;
        self.written = self.column;
        if count == 1 { env.stdout.push(b' ') } else { env.stdout.write_repeated(b' ', count) }
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn blanks_become_tabs() {
        let unexpand = |words: &[&str], stdin: &str| try_call(APPLET, words, stdin.as_bytes()).stdout;
        assert_eq!(unexpand(&["unexpand"], "         a        b\n"), "\t a        b\n");
        assert_eq!(unexpand(&["unexpand", "-a"], "a       b c"), "a\tb c");
        assert_eq!(unexpand(&["unexpand", "-t4"], "  \ta   b\n"), "\ta\tb\n");
        assert_eq!(unexpand(&["unexpand", "-f", "-t4"], "    a   b\n"), "\ta   b\n");
        assert_eq!(unexpand(&["unexpand", "-t", "2,4"], "    a      b\n"), "\t\ta      b\n");
        assert_eq!(unexpand(&["unexpand", "-a"], "1234567 x\n"), "1234567 x\n");
    }
}
