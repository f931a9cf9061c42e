//! `blkid`: print the attributes of block devices: type, UUID and label.

use rbox_core::block;
use rbox_core::mounts::is_wanted_kind;
use rbox_core::prelude::*;
use rbox_core::term::{Shown, clean};
use rbox_core::{push, text};

options! {
    "[OPTION]... [DEVICE]...

Print the attributes of DEVICEs, or of all block devices.

  -o, --output=FORM     Set the format: full, value, export, device or list
  -s, --match-tag=TAG   Print only TAG: LABEL, UUID, TYPE...
  -t, --match-token=TAG=VALUE  Select devices with this tag
  -L, --label=LABEL     Print the device with this label
  -U, --uuid=UUID       Print the device with this UUID
  -l, --list-one        With -t, stop at the first device
  -n, --match-types=[no]TYPE,...  Select, or exclude, these types
  -u, --usages=[no]USAGE,...  Select, or exclude, filesystem, raid, crypto, other
  -p, --probe           Ignored: devices are always probed";
    FORM = "-o",
    TAG = "-s",
    TOKEN = "-t",
    LABEL = "-L",
    UUID = "-U",
    ONE = "-l",
    TYPES = "-n",
    USAGES = "-u",
    "-p" => ignored,
}

/// The applet. 2 is the status when nothing is found.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    for (option, tag) in [(LABEL, "LABEL="), (UUID, "UUID=")] {
        if let Some(value) = args.value(option) {
            let found = block::find(&text!(tag, value)).map_err(|_| Error::silent(ExitStatus(2)))?;
            env.stdout.write(&text!(&found, "\n"))?;
            return Ok(ExitStatus::SUCCESS);
        }
    }
    let form = args.value(FORM).unwrap_or(b"full");
    if !matches!(form, b"full" | b"value" | b"export" | b"device" | b"list") {
        return Err(Error::new(text!("unsupported output format ", form)).with_status(4));
    }
    let all: Vec<Vec<u8>> = match args.operands() {
        [] => block::devices().iter().map(|name| text!("/dev/", name)).collect(),
        operands => operands.iter().map(|path| path.to_vec()).collect(),
    };
    for word in
        args.value(USAGES).iter().flat_map(|list| list.strip_prefix(b"no").unwrap_or(list).split(|&byte| byte == b','))
    {
        if !matches!(word, b"filesystem" | b"raid" | b"crypto" | b"other") {
            return Err(Error::new(text!("unsupported usage '", word, "'")).with_status(4));
        }
    }
    let mut found = 0;
    for path in &all {
        let Some(content) = block::open(path).ok().and_then(|file| block::probe(&file)) else { continue };
        let tags: [(&str, &[u8]); 3] =
            [("LABEL", &content.label), ("UUID", &content.uuid), ("TYPE", content.kind.as_bytes())];
        let has = |token: &[u8]| tags.iter().any(|(tag, value)| token == text!(*tag, "=", *value));
        if args.value(TOKEN).is_some_and(|token| !has(token)) {
            continue;
        }
        let is_wanted = is_wanted_kind(content.kind.as_bytes(), args.value(TYPES))
            && is_wanted_kind(usage_of(content.kind), args.value(USAGES));
        if !is_wanted {
            continue;
        }
        let wanted = |tag: &str| !args.has(TAG) || args.values(TAG).any(|name| name == tag.as_bytes());
        let tags: Vec<(&str, &[u8])> =
            tags.into_iter().filter(|(tag, value)| wanted(tag) && !value.is_empty()).collect();
        env.stdout.write(&describe(form, path, &tags, found == 0))?;
        found += usize::from(!tags.is_empty());
        if found > 0 && args.has(ONE) && args.has(TOKEN) {
            break;
        }
    }
    // Without a word it is no failure that there is nothing.
    Ok(if found == 0 && (!args.operands().is_empty() || args.has(TOKEN)) { ExitStatus(2) } else { ExitStatus::SUCCESS })
}

/// What a type is used for, in the words of `-u`.
fn usage_of(kind: &str) -> &'static [u8] {
    match kind {
        "swap" => b"other",
        "crypto_LUKS" => b"crypto",
        "LVM2_member" | "linux_raid_member" => b"raid",
        _ => b"filesystem",
    }
}

fn describe(form: &[u8], path: &[u8], tags: &[(&str, &[u8])], first: bool) -> Vec<u8> {
    let mut text = Vec::new();
    match form {
        _ if tags.is_empty() => {}
        b"device" => push!(text, path, "\n"),
        b"value" => tags.iter().for_each(|(_, value)| push!(text, *value, "\n")),
        b"export" => {
            push!(text, if first { "" } else { "\n" }, "DEVNAME=", path, "\n");
            for (tag, value) in tags {
                push!(text, *tag, "=");
                // A shell reads it.
                for &byte in *value {
                    if !(byte.is_ascii_alphanumeric() || b"_-./:,+@%".contains(&byte) || byte >= 128) {
                        text.push(b'\\');
                    }
                    text.push(byte);
                }
                text.push(b'\n');
            }
        }
        _ => {
            push!(text, path, ":");
            for (tag, value) in tags {
                push!(text, " ", *tag, "=\"");
                // Who labelled a stick must not write to the terminal of who looks at it.
                for byte in clean(value, b"", Shown::As(b'?')) {
                    if matches!(byte, b'"' | b'\\' | b'`' | b'$') {
                        text.push(b'\\');
                    }
                    text.push(byte);
                }
                text.push(b'"');
            }
            text.push(b'\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn each_form_has_its_lines() {
        let tags: [(&str, &[u8]); 2] = [("LABEL", b"a \"b"), ("TYPE", b"ext4")];
        assert_eq!(describe(b"full", b"/dev/x", &tags, true), b"/dev/x: LABEL=\"a \\\"b\" TYPE=\"ext4\"\n");
        assert_eq!(describe(b"value", b"/dev/x", &tags, true), b"a \"b\next4\n");
        assert_eq!(describe(b"export", b"/dev/x", &tags, false), b"\nDEVNAME=/dev/x\nLABEL=a\\ \\\"b\nTYPE=ext4\n");
        assert_eq!(describe(b"full", b"/dev/x", &[], true), b"");
    }
}
