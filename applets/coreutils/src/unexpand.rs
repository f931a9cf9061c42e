//! `unexpand`: replace blanks by tabs (POSIX XCU unexpand).

use rbox_core::prelude::*;

use super::expand::{Stops, column_after};

options! {
    "[-af] [-t STOPS] [FILE]...

Print each FILE, or standard input, with tabs in place of the blanks that lines begin with.

  -a, --all          Two and more blanks that end at a tab stop, anywhere in the line
  -f, --first-only   Only those that lines begin with
  -t, --tabs=STOPS   Tab stops are STOPS columns apart (8), or at the columns of a list: 4,12,20; means -a";
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
    let mut out = Vec::new();
    env.for_each_input(args.operands(), &mut |env, input| {
        while let Some(line) = input.record(b'\n')? {
            out.clear();
            let (mut rest, mut column) = (line, 0);
            let mut is_first = true;
            while !rest.is_empty() && (all || is_first) {
                let length = rest.iter().position(|byte| !is_blank(byte)).unwrap_or(rest.len());
                let (blanks, after) = rest.split_at(length);
                column = push_blanks(&mut out, blanks, column, &stops, is_first);
                is_first = false;
                let length = if all { after.iter().position(is_blank).unwrap_or(after.len()) } else { after.len() };
                let (text, after) = after.split_at(length);
                out.extend_from_slice(text);
                column = column_after(text, column, utf8);
                rest = after;
            }
            out.extend_from_slice(rest);
            env.stdout.write(&out)?;
        }
        Ok(())
    })
}

/// Adds blanks, as few of them as fill the same columns, and returns the column after them.
fn push_blanks(out: &mut Vec<u8>, blanks: &[u8], start: usize, stops: &Stops, is_first: bool) -> usize {
    // POSIX: a single space stays, unless the line begins with it.
    if blanks == b" " && !is_first {
        out.push(b' ');
        return start + 1;
    }
    let (mut written, mut column) = (start, start);
    for &blank in blanks {
        match (blank, stops.next(column)) {
            (b'\t', Some(next)) => column = next,
            (b'\t', None) => {
                // After the last stop of a list a tab is what it is.
                push_columns(out, written, column, stops);
                out.push(b'\t');
                column += 1;
                written = column;
            }
            _ => column += 1,
        }
    }
    push_columns(out, written, column, stops);
    column
}

fn push_columns(out: &mut Vec<u8>, mut from: usize, to: usize, stops: &Stops) {
    while let Some(next) = stops.next(from)
        && next <= to
    {
        out.push(b'\t');
        from = next;
    }
    out.resize(out.len() + (to - from), b' ');
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
