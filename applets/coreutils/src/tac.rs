//! `tac`: print the lines of files, the last one first (GNU coreutils), with GNU's `-b` and `-s`.

use rbox_core::bytes::find_byte_back;
use rbox_core::io::Input;
use rbox_core::prelude::*;

options! {
    "[-b] [-s SEPARATOR] [FILE]...

Print the lines of each FILE, or of standard input, the last one first.

  -b, --before  A separator is before its line
  -s, --separator=SEPARATOR  What separates lines: a newline";
    BEFORE = "-b",
    SEPARATOR = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let separator = args.value(SEPARATOR).unwrap_or(b"\n");
    if separator.is_empty() {
        return Err(Error::new("separator cannot be empty"));
    }
    env.for_each_input(args.operands(), &mut |env, input: &mut Input| {
        let content = input.read_to_end()?;
        print_reversed(env, &content, separator, args.has(BEFORE))
    })
}

fn print_reversed(env: &mut Env, content: &[u8], separator: &[u8], is_before: bool) -> Result<()> {
    // Where the part ends that has not been printed, and where a separator is still looked for.
    let (mut end, mut limit) = (content.len(), content.len());
    while let Some(at) = find_back(&content[..limit], separator) {
        let start = if is_before { at } else { at + separator.len() };
        env.stdout.write(&content[start..end])?;
        (end, limit) = (start, at);
    }
    env.stdout.write(&content[..end])
}

/// The last place of `needle`.
fn find_back(hay: &[u8], needle: &[u8]) -> Option<usize> {
    if let [byte] = needle {
        return find_byte_back(*byte, hay);
    }
    let (&last, front) = needle.split_last()?;
    let mut end = hay.len();
    loop {
        let at = find_byte_back(last, &hay[..end])?;
        if hay[..at].ends_with(front) {
            return Some(at - front.len());
        }
        end = at;
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn lines_come_in_reverse() {
        let tac = |words: &[&str], stdin: &str| try_call(APPLET, words, stdin.as_bytes()).stdout;
        assert_eq!(tac(&["tac"], "a\nb\nc\n"), "c\nb\na\n");
        assert_eq!(tac(&["tac"], "a\n\nb"), "b\na\n");
        assert_eq!(tac(&["tac", "-s", ","], "a,b,c"), "cb,a,");
        assert_eq!(tac(&["tac", "-bs", "::"], "a::b::c"), "::c::ba");
        assert_eq!(tac(&["tac"], ""), "");
    }
}
