//! `rev`: print lines with their characters in reverse (util-linux).

use rbox_core::pattern;
use rbox_core::prelude::*;

options! {
    "[FILE]...

Print each FILE, or standard input, with the characters of each line reversed."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let utf8 = env.is_utf8();
    let mut reversed = Vec::new();
    env.for_each_input(args.operands(), &mut |env, input| {
        while let Some(record) = input.record_for(b'\n', &mut env.stdout)? {
            let line = record.strip_suffix(b"\n").unwrap_or(record);
            reversed.clear();
            reversed.extend_from_slice(line);
            reversed.reverse();
            if utf8 && !line.is_ascii() {
                restore_characters(line, &mut reversed);
            }
            if line.len() < record.len() {
                reversed.push(b'\n');
            }
            env.stdout.write(&reversed)?;
        }
        Ok(())
    })
}

/// Puts the bytes of each character of `line` back into their order.
fn restore_characters(line: &[u8], reversed: &mut [u8]) {
    let mut at = 0;
    while at < line.len() {
        let length = pattern::width(&line[at..]);
        let end = line.len() - at;
        reversed[end - length..end].reverse();
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::{try_call, try_call_with};

    use super::APPLET;

    #[test]
    fn characters_are_those_of_the_locale() {
        assert_eq!(try_call(APPLET, &["rev"], b"ab\n\ncd").stdout, "ba\n\ndc");
        assert_eq!(try_call_with(APPLET, &["rev"], "aé€b\n".as_bytes(), &["LANG=C.UTF-8"]).stdout, "b€éa\n");
    }
}
