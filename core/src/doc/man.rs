//! The manual page of an applet, in man(7) macros.

use crate::applet::VERSION_LINE;
use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome};
use crate::options;

/// `rbox --man APPLET`.
pub fn print(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let &[name] = words else { return Err(Error::new("usage: --man APPLET")) };
    let id = env.registry.find(name).ok_or_else(|| Error::parts(&[name, b": applet not found"]).with_status(127))?;
    let page = page(name, env.registry.usage(id));
    env.stdout.write(&page)?;
    Ok(ExitStatus::SUCCESS)
}

/// The page of the applet `name` with that usage text.
pub fn page(name: &[u8], usage: &str) -> Vec<u8> {
    let (synopsis, rest) = usage.split_once('\n').unwrap_or((usage, ""));
    let summary = rest.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim().trim_end_matches('.');
    let mut page =
        [b".TH ", name.to_ascii_uppercase().as_slice(), b" 1 \"\" \"", VERSION_LINE.as_bytes(), b"\"\n.SH NAME\n"]
            .concat();
    escape(&mut page, name);
    page.extend_from_slice(b" \\- ");
    escape(&mut page, summary.as_bytes());
    page.extend_from_slice(b"\n.SH SYNOPSIS\n.B ");
    escape(&mut page, name);
    page.extend_from_slice(b"\n");
    escape(&mut page, synopsis.as_bytes());
    page.extend_from_slice(b"\n.SH DESCRIPTION\n.nf\n");
    for line in rest.lines().filter(|line| !is_option(line)) {
        escape(&mut page, line.as_bytes());
        page.push(b'\n');
    }
    page.extend_from_slice(b".fi\n");
    if options::count(usage) > 0 {
        page.extend_from_slice(b".SH OPTIONS\n");
    }
    for line in options::lines(usage) {
        page.extend_from_slice(b".TP\n.B ");
        escape(&mut page, &line.names.join(&b", "[..]));
        page.push(b'\n');
        escape(&mut page, line.help);
        page.push(b'\n');
    }
    page
}

fn is_option(line: &str) -> bool {
    options::count(line) > 0
}

/// roff takes a dash for a hyphen, a backslash for an escape and a leading dot or quote for a request.
fn escape(page: &mut Vec<u8>, text: &[u8]) {
    if page.ends_with(b"\n") && matches!(text.first(), Some(b'.' | b'\'')) {
        page.extend_from_slice(b"\\&");
    }
    for &byte in text {
        match byte {
            b'\\' => page.extend_from_slice(b"\\e"),
            b'-' => page.extend_from_slice(b"\\-"),
            _ => page.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_name_synopsis_and_options() {
        let page = page(b"head", "[-n N] [FILE]...\n\nPrint the first lines.\n\n  -n, --lines=N  Print N lines\n");
        let page = String::from_utf8(page).expect("the text is ASCII");
        assert!(page.contains(".SH NAME\nhead \\- Print the first lines\n"), "{page}");
        assert!(page.contains(".B head\n[\\-n N] [FILE]...\n"), "{page}");
        assert!(page.contains(".TP\n.B \\-n, \\-\\-lines\nPrint N lines\n"), "{page}");
    }
}
