//! `getfattr`: print extended attributes of files (xattr(7)), as setfattr reads them.

use rbox_core::codec::base::Base;
use rbox_core::escape;
use rbox_core::files::{Follow, Phase, Step, walk_gathering};
use rbox_core::hash::hex;
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::prelude::*;
use rbox_core::sys::{Errno, fs};
use rbox_core::text;

options! {
    "[-dhRLP] [-n NAME] [-m PATTERN] [-e ENCODING] FILE...

Print the names of extended attributes, or with -d and -n their values too.

  -d, --dump              Print values
  -n, --name=NAME         Print only attribute NAME
  -h, --no-dereference    Read symbolic links themselves
  -m, --match=PATTERN     Print names that match the regular expression PATTERN (^user\\.);
                          (PATTERN - is all)
  -e, --encoding=text|hex|base64  Encode values so; text where it is readable, else base64
      --only-values       Print the bare values
      --absolute-names    Keep leading slashes of pathnames
  -R, --recursive         Recurse
  -L, --logical           Follow symbolic links in -R
  -P, --physical          Follow no symbolic link in -R, nor among the operands";
    DUMP = "-d",
    NAME = "-n",
    LINKS = "-h",
    MATCH = "-m",
    ENCODING = "-e",
    ONLY_VALUES = "--only-values",
    ABSOLUTE = "--absolute-names",
    RECURSE = "-R",
    LOGICAL = "-L",
    PHYSICAL = "-P",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// How values are written.
#[derive(Clone, Copy)]
enum Encoding {
    /// As text where most of it is printable, else in base64.
    Readable,
    Text,
    Hex,
    Base64,
}

struct Printer {
    names: Vec<Vec<u8>>,
    pattern: Option<Regex>,
    encoding: Encoding,
    has_values: bool,
    bare: bool,
    follows: bool,
    absolute: bool,
    /// A pathname has lost its slash, and this was reported.
    was_absolute: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, usize::MAX)?;
    let encoding = match args.value(ENCODING) {
        None => Encoding::Readable,
        Some(b"text") => Encoding::Text,
        Some(b"hex") => Encoding::Hex,
        Some(b"base64") => Encoding::Base64,
        Some(word) => return Err(Error::parts(&[b"invalid encoding '", word, b"'"])),
    };
    let pattern = match args.value(MATCH).unwrap_or(b"^user\\.") {
        b"-" => None,
        pattern => Some(Regex::new(pattern, Flags::EXTENDED).map_err(|error| error.about(pattern))?),
    };
    let mut printer = Printer {
        names: args.value(NAME).map(|name| vec![name.to_vec()]).unwrap_or_default(),
        pattern,
        encoding,
        has_values: args.has(DUMP) || args.has(NAME) || args.has(ONLY_VALUES),
        bare: args.has(ONLY_VALUES),
        follows: !args.has(LINKS) && !args.has(PHYSICAL),
        absolute: args.has(ABSOLUTE),
        was_absolute: false,
    };
    let follow = match args.last_of(&[LOGICAL, PHYSICAL]) {
        Some(LOGICAL) => Follow::Always,
        Some(_) => Follow::Never,
        None => Follow::Operands,
    };
    env.for_each_operand(operands, &mut |env, operand| {
        if !args.has(RECURSE) {
            return printer.file(env, operand);
        }
        let mut status = ExitStatus::SUCCESS;
        let failed = walk_gathering(operand, follow, &mut |visit| {
            if visit.phase != Phase::After {
                printer.file(env, visit.path)?;
            }
            Ok(Step::On)
        })?;
        for error in failed {
            status.worsen(env.warn(error));
        }
        if status == ExitStatus::SUCCESS { Ok(()) } else { Err(Error::silent(status)) }
    })
}

impl Printer {
    /// Prints what a file has. Nothing is printed of a file without such attributes.
    fn file(&mut self, env: &mut Env, path: &[u8]) -> Result<()> {
        let failed = |errno| Error::on(path, errno);
        let names = if self.names.is_empty() { self.names_of(path).map_err(failed)? } else { self.names.clone() };
        let mut out = Vec::new();
        for name in names {
            let value = match self.has_values {
                true => self.value(path, &name).map_err(|errno| match errno {
                    Errno::NODATA => Error::on([path, b": ", &name].concat(), errno),
                    errno => failed(errno),
                })?,
                false => Vec::new(),
            };
            if self.bare {
                out.extend_from_slice(&value);
                continue;
            }
            push_quoted(&mut out, &name, b"=\n\r\\");
            if self.has_values {
                out.push(b'=');
                self.push_value(&mut out, &value);
            }
            out.push(b'\n');
        }
        if self.bare || out.is_empty() {
            return env.stdout.write(&out);
        }
        let slashes = if self.absolute { 0 } else { path.iter().take_while(|&&byte| byte == b'/').count() };
        if slashes > 0 && !core::mem::replace(&mut self.was_absolute, true) {
            env.report(&Error::new("Removing leading '/' from absolute path names"));
        }
        let mut lead = b"# file: ".to_vec();
        push_quoted(&mut lead, &path[slashes..], b"\n\r\\");
        env.stdout.write(&text!(lead, "\n", out, "\n"))
    }

    /// The names that are wanted, sorted.
    fn names_of(&self, path: &[u8]) -> core::result::Result<Vec<Vec<u8>>, Errno> {
        let list =
            grown(&mut |buffer| if self.follows { fs::listxattr(path, buffer) } else { fs::llistxattr(path, buffer) })?;
        let mut names: Vec<Vec<u8>> = Vec::new();
        for name in list.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            if self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(name)) {
                names.push(name.to_vec());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn value(&self, path: &[u8], name: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
        grown(&mut |buffer| {
            if self.follows { fs::getxattr(path, name, buffer) } else { fs::lgetxattr(path, name, buffer) }
        })
    }

    fn push_value(&self, out: &mut Vec<u8>, value: &[u8]) {
        let is_text = match self.encoding {
            Encoding::Readable => {
                let others = value.iter().filter(|&&byte| !matches!(byte, b' '..=b'~')).count();
                // A string may have its end with it.
                value.len() >= 8 * (others - usize::from(value.last() == Some(&0)))
            }
            Encoding::Text => true,
            Encoding::Hex | Encoding::Base64 => false,
        };
        if is_text {
            let value = value.strip_suffix(b"\0").unwrap_or(value);
            out.push(b'"');
            for &byte in value {
                match byte {
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                    _ => push_quoted(out, &[byte], b"\0\n\r"),
                }
            }
            out.push(b'"');
        } else if matches!(self.encoding, Encoding::Hex) {
            out.extend_from_slice(&[&b"0x"[..], &hex(value)].concat());
        } else {
            out.extend_from_slice(b"0s");
            Base::Base64.encode(value, out);
        }
    }
}

/// Calls with larger buffers until one is large enough. The kernel's limit is 64 KiB (XATTR_SIZE_MAX, XATTR_LIST_MAX).
fn grown(
    read: &mut dyn FnMut(&mut [u8]) -> core::result::Result<usize, Errno>,
) -> core::result::Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; 256];
    loop {
        match read(&mut buffer) {
            Err(Errno::RANGE) if buffer.len() < 1 << 16 => buffer.resize(1 << 16, 0),
            Err(errno) => return Err(errno),
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
        }
    }
}

/// Appends the bytes; those of `special` in octal.
fn push_quoted(out: &mut Vec<u8>, bytes: &[u8], special: &[u8]) {
    for &byte in bytes {
        match special.contains(&byte) {
            true => out.extend_from_slice(&escape::octal(byte)),
            false => out.push(byte),
        }
    }
}
