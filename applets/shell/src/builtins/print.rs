//! `echo` and `printf`.

use crate::state::Shell;
use crate::state::builtin::Done;
use crate::state::stream::write_error;

use crate::syntax::copied::Copied;
use rbox_core::escape::Style;
use rbox_core::printf;

/// `echo [-neE] [WORD...]`
pub fn echo(shell: &mut Shell, words: &[&[u8]]) -> Done {
    shell.status = 0;
    shell.print(&printf::echo(words, if shell.options.bash { Style::WideEcho } else { Style::Echo }));
    Ok(shell.status)
}

/// `printf FORMAT [WORD...]` (XCU printf)
pub fn printf(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    let Some((format, words)) = words.split_first() else {
        let fail = shell.plain_error(b"printf: usage: printf FORMAT [ARG]...");
        shell.status = if shell.options.bash { 2 } else { shell.status };
        return Err(fail);
    };
    // bash's `-v NAME`: the text goes into a variable.
    let mut variable = None;
    let (format, words) = match (*format, words) {
        (b"-v", [name, b"--", format, words @ ..] | [name, format, words @ ..]) if shell.options.bash => {
            variable = Some(name.copied());
            (*format, words)
        }
        (format, words) => (format, words),
    };
    let mut out = Vec::new();
    let bash = printf::Bash { quote: crate::syntax::quote::backslash, zone: shell.get(b"TZ").map(<[u8]>::copied) };
    let bash = shell.options.bash.then_some(&bash);
    shell.status = printf::print(format, words, &mut out, bash, &mut |out, parts| {
        if variable.is_none() {
            shell.print(out);
            out.clear();
        }
        write_error(&[&shell.invocation.name[..], b": ", &parts.concat(), b"\n"].concat());
    });
    match variable {
        Some(name) => shell.set_by_text(&name, &out)?,
        None => shell.print(&out),
    }
    Ok(shell.status)
}
