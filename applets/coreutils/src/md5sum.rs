//! `md5sum`, `sha1sum`, `sha224sum`, `sha256sum`, `sha384sum`, `sha512sum`, `sha3sum`, `b2sum`: print and check hashes of
//! files, with GNU's lines and options.
//!
//! A name with a newline or a backslash is escaped as GNU's tools do it, so that a list can hold every name. An
//! improper line of a list is a failure, as with BusyBox and GNU's `--strict`.

use rbox_core::bytes::{find, find_byte, split_once};
use rbox_core::hash::blake2b::Blake2b;
use rbox_core::hash::{Algorithm, Hash, hex};
use rbox_core::io::Input;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::text;

options! {
    "[-btz] [--tag] [-a BITS] [-l BITS] [FILE]... | -c [-sw] [-a BITS] [LIST]...

Print or check hashes of FILEs, or of standard input.

  -c, --check               Check FILEs by the hashes in each LIST
  -s, --status              With -c, print nothing
      --quiet               With -c, print no line for good files
  -w, --warn                With -c, report malformed lines
      --strict              With -c, fail on malformed lines
      --ignore-missing      With -c, skip missing files
      --tag                 Print in BSD format
  -z, --zero                End lines with NUL and do not escape names
  -b, -t, --binary, --text  Binary or text mode, which are equal
  -a, --algorithm=BITS      Size for sha3sum: 224 (default), 256, 384, 512
  -l, --length=BITS         Size for b2sum: a multiple of 8, at most 512 (default)";
    CHECK = "-c",
    STATUS = "-s",
    QUIET = "--quiet",
    WARN = "-w",
    STRICT = "--strict",
    IGNORE_MISSING = "--ignore-missing",
    TAG = "--tag",
    ZERO = "-z",
    SAME = "-b",
    BITS = "-a",
    LENGTH = "-l",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // What these ask for is always so.
    let _ = args.has(SAME);
    let algorithm = algorithm(&env.name, args.value(BITS), args.value(LENGTH))?;
    if args.has(CHECK) {
        let lists = args.operands_or(b"-");
        return env.for_each_operand(&lists, &mut |env, list| check(env, args, algorithm, list));
    }
    if [STATUS, QUIET, WARN, IGNORE_MISSING].into_iter().any(|option| args.has(option)) {
        return Err(Error::usage());
    }
    env.for_each_operand(&args.operands_or(b"-"), &mut |env, name| {
        let sum = sum(env, algorithm, name)?;
        let is_plain = args.has(ZERO) || !name.iter().any(|byte| b"\n\r\\".contains(byte));
        let escaped = if is_plain { name.to_vec() } else { escape(name) };
        let lead = if is_plain { "" } else { "\\" };
        let end = if args.has(ZERO) { b"\0" } else { b"\n" };
        let line = match args.has(TAG) {
            true => text!(lead, tag(algorithm, sum.len()), " (", escaped, ") = ", sum, end),
            false => text!(lead, sum, "  ", escaped, end),
        };
        env.stdout.write(&line)
    })
}

/// Which hash: one of SHA-2, SHA-3 and the broken ones, or BLAKE2b of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Of(Algorithm),
    Blake2b(usize),
}

/// The applet's name says which hash, and for SHA-3 and BLAKE2b also the word of an option.
fn algorithm(name: &[u8], bits: Option<&[u8]>, length: Option<&[u8]>) -> Result<Kind> {
    if name == b"b2sum" && bits.is_none() {
        // GNU: 0 is the default.
        let word = length.filter(|word| *word != b"0").unwrap_or(b"512");
        let bits = parse_decimal(word).filter(|bits| (8..=512).contains(bits) && bits % 8 == 0);
        return bits.map(|bits| Kind::Blake2b(bits as usize / 8)).ok_or_else(|| bad("-l", word));
    }
    Ok(Kind::Of(match (name, bits) {
        _ if length.is_some() => return Err(Error::usage()),
        (b"sha3sum", None | Some(b"224")) => Algorithm::Sha3_224,
        (b"sha3sum", Some(b"256")) => Algorithm::Sha3_256,
        (b"sha3sum", Some(b"384")) => Algorithm::Sha3_384,
        (b"sha3sum", Some(b"512")) => Algorithm::Sha3_512,
        (_, Some(bits)) => return Err(bad("-a", bits)),
        (b"sha1sum", _) => Algorithm::Sha1,
        (b"sha224sum", _) => Algorithm::Sha224,
        (b"sha256sum", _) => Algorithm::Sha256,
        (b"sha384sum", _) => Algorithm::Sha384,
        (b"sha512sum", _) => Algorithm::Sha512,
        _ => Algorithm::Md5,
    }))
}

fn bad(option: &str, word: &[u8]) -> Error {
    Error::parts(&[b"bad ", option.as_bytes(), word])
}

/// What BSD's form calls a hash of so many digits; GNU's has the bits of a BLAKE2b that is not the usual one.
fn tag(kind: Kind, digits: usize) -> Vec<u8> {
    let name = match kind {
        Kind::Blake2b(_) if digits < 128 => return text!("BLAKE2b-", 4 * digits),
        Kind::Blake2b(_) => "BLAKE2b",
        Kind::Of(Algorithm::Md5) => "MD5",
        Kind::Of(Algorithm::Sha1) => "SHA1",
        Kind::Of(Algorithm::Sha224) => "SHA224",
        Kind::Of(Algorithm::Sha256) => "SHA256",
        Kind::Of(Algorithm::Sha384) => "SHA384",
        Kind::Of(Algorithm::Sha512) => "SHA512",
        Kind::Of(Algorithm::Sha3_224) => "SHA3-224",
        Kind::Of(Algorithm::Sha3_256) => "SHA3-256",
        Kind::Of(Algorithm::Sha3_384) => "SHA3-384",
        Kind::Of(Algorithm::Sha3_512) => "SHA3-512",
    };
    name.as_bytes().to_vec()
}

/// A hash that is being made.
enum Sum {
    Of(Hash),
    Blake2b(Blake2b),
}

/// The digits of a file's hash.
fn sum(env: &mut Env, kind: Kind, name: &[u8]) -> Result<Vec<u8>> {
    let mut sum = match kind {
        Kind::Of(algorithm) => Sum::Of(Hash::new(algorithm)),
        Kind::Blake2b(length) => Sum::Blake2b(Blake2b::new(length)),
    };
    let mut opened;
    let input = if name == b"-" {
        &mut env.stdin
    } else {
        opened = Input::open(name)?;
        &mut opened
    };
    loop {
        let content = input.fill().map_err(|error| Error::cannot("read", name, error.errno().unwrap_or(Errno::IO)))?;
        if content.is_empty() {
            return Ok(hex(&match sum {
                Sum::Of(hash) => hash.finish(),
                Sum::Blake2b(hash) => hash.finish(),
            }));
        }
        match &mut sum {
            Sum::Of(hash) => hash.update(content),
            Sum::Blake2b(hash) => hash.update(content),
        }
        let length = content.len();
        input.consume(length);
    }
}

fn escape(name: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(name.len() + 2);
    for &byte in name {
        match byte {
            b'\n' => escaped.extend_from_slice(b"\\n"),
            b'\r' => escaped.extend_from_slice(b"\\r"),
            b'\\' => escaped.extend_from_slice(b"\\\\"),
            byte => escaped.push(byte),
        }
    }
    escaped
}

fn unescape(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match (byte, bytes.clone().next()) {
            (b'\\', Some(letter @ (b'n' | b'r' | b'\\'))) => {
                bytes.next();
                match letter {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    _ => b'\\',
                }
            }
            _ => byte,
        });
    }
    plain
}

/// A line of a list: the hash and the name. `None` when it has none of the known forms.
fn entry(line: &[u8], kind: Kind) -> Option<(&[u8], Vec<u8>)> {
    // A list that was written on another system.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (line, is_escaped) = match line.strip_prefix(b"\\") {
        Some(line) => (line, true),
        None => (line, false),
    };
    // A BLAKE2b has as many digits as the line has.
    let count = if let Kind::Of(algorithm) = kind { digits(algorithm) } else { 0 };
    let of_bsd = match (kind, line.strip_prefix(b"BLAKE2b-")) {
        (Kind::Blake2b(_), Some(rest)) => Some(&rest[rest.iter().take_while(|byte| byte.is_ascii_digit()).count()..]),
        _ => line.strip_prefix(&tag(kind, 128)[..]),
    };
    let of_bsd = of_bsd.and_then(|rest| rest.strip_prefix(b" ("));
    let (sum, name) = match of_bsd {
        Some(rest) => {
            // The last one: a name may have what looks like it.
            let mut at = find(rest, b") = ")?;
            while let Some(more) = find(&rest[at + 1..], b") = ") {
                at += more + 1;
            }
            (&rest[at + 4..], &rest[..at])
        }
        None => {
            let (sum, name) = split_once(line, b' ')?;
            // BSD's `-r` writes one blank only.
            (sum, name.strip_prefix(b" ").or_else(|| name.strip_prefix(b"*")).unwrap_or(name))
        }
    };
    let is_length = sum.len() == count || count == 0 && (2..=128).contains(&sum.len()) && sum.len() % 2 == 0;
    let is_sum = is_length && !name.is_empty() && sum.iter().all(u8::is_ascii_hexdigit);
    is_sum.then(|| (sum, if is_escaped { unescape(name) } else { name.to_vec() }))
}

/// Checks the files of a list.
fn check(env: &mut Env, args: &Args<'_>, kind: Kind, list: &[u8]) -> Result<()> {
    let mut input = env.open(list)?;
    let is_silent = args.has(STATUS);
    let (mut total, mut malformed, mut unreadable, mut wrong, mut right) = (0u64, 0u64, 0u64, 0u64, 0u64);
    while let Some(line) = input.line()? {
        // No name of a file has a NUL character: this is the form of -z, or no list at all.
        let Some((expected, name)) = entry(line, kind).filter(|(_, name)| find_byte(0, name).is_none()) else {
            malformed += 1;
            if args.has(WARN) {
                env.report(&Error::new("invalid format"));
            }
            continue;
        };
        total += 1;
        let kind = if let Kind::Blake2b(_) = kind { Kind::Blake2b(expected.len() / 2) } else { kind };
        let result: &[u8] = match sum(env, kind, &name) {
            Ok(sum) if sum.eq_ignore_ascii_case(expected) => {
                right += 1;
                b": OK\n"
            }
            Ok(_) => {
                wrong += 1;
                b": FAILED\n"
            }
            Err(error) if args.has(IGNORE_MISSING) && error.errno() == Some(Errno::NOENT) => continue,
            Err(error) => {
                env.report(&error);
                unreadable += 1;
                b": FAILED open or read\n"
            }
        };
        if !(is_silent || result == b": OK\n" && args.has(QUIET)) {
            env.stdout.write(&text!(&name, result))?;
        }
    }
    if total == 0 {
        return Err(Error::parts(&[list, b": no properly formatted checksum lines found"]));
    }
    if !is_silent {
        for (count, one, several) in [
            (malformed, "line is improperly formatted", "lines are improperly formatted"),
            (unreadable, "listed file could not be read", "listed files could not be read"),
            (wrong, "computed checksum did NOT match", "computed checksums did NOT match"),
        ] {
            match count {
                0 => {}
                1 => env.report(&Error::new(text!("WARNING: 1 ", one))),
                _ => env.report(&Error::new(text!("WARNING: ", count, " ", several))),
            }
        }
    }
    if args.has(IGNORE_MISSING) && right == 0 && !is_silent {
        env.report(&Error::parts(&[list, b": no file was verified"]));
    }
    let is_strict = args.has(STRICT) && malformed > 0;
    match wrong == 0 && unreadable == 0 && !is_strict && (right > 0 || !args.has(IGNORE_MISSING)) {
        true => Ok(()),
        false => Err(Error::silent(ExitStatus::FAILURE)),
    }
}

/// Hexadecimal digits of a hash.
const fn digits(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Md5 => 32,
        Algorithm::Sha1 => 40,
        Algorithm::Sha224 | Algorithm::Sha3_224 => 56,
        Algorithm::Sha256 | Algorithm::Sha3_256 => 64,
        Algorithm::Sha384 | Algorithm::Sha3_384 => 96,
        Algorithm::Sha512 | Algorithm::Sha3_512 => 128,
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::{APPLET, Algorithm, Kind, entry, escape, unescape};

    #[test]
    fn the_name_says_which_hash() {
        let sum = |words: &[&str]| try_call(APPLET, words, b"abc").stdout;
        assert_eq!(sum(&["md5sum"]), "900150983cd24fb0d6963f7d28e17f72  -\n");
        assert_eq!(sum(&["sha1sum", "-"]), "a9993e364706816aba3e25717850c26c9cd0d89d  -\n");
        assert_eq!(sum(&["sha3sum"]), "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf  -\n");
        assert_eq!(sum(&["md5sum", "--tag"]), "MD5 (-) = 900150983cd24fb0d6963f7d28e17f72\n");
        assert_eq!(sum(&["md5sum", "-z"]), "900150983cd24fb0d6963f7d28e17f72  -\0");
    }

    #[test]
    fn lines_of_lists_have_forms() {
        let name = |start: &[u8], end: &[u8]| {
            let line = [start, &b"0f".repeat(16), end].concat();
            entry(&line, Kind::Of(Algorithm::Md5)).map(|(_, name)| name)
        };
        assert_eq!(name(b"", b" *a b"), Some(b"a b".to_vec()));
        assert_eq!(name(b"", b" a"), Some(b"a".to_vec()));
        assert_eq!(name(b"\\", b"  a\\nb\\\\"), Some(b"a\nb\\".to_vec()));
        assert_eq!(name(b"MD5 (a) = b) = ", b""), Some(b"a) = b".to_vec()));
        for (start, end) in [(&b""[..], &b""[..]), (b"", b"  "), (b"0", b"  a"), (b"x", b"  a"), (b"SHA1 (a) = ", b"")]
        {
            assert_eq!(name(start, end), None);
        }
        assert_eq!(entry(b"", Kind::Of(Algorithm::Md5)), None);
    }

    #[test]
    fn escaped_names_are_read_back() {
        assert_eq!(escape(b"a\nb\\c\r"), b"a\\nb\\\\c\\r");
        assert_eq!(unescape(b"a\\nb\\\\n\\r\\x\\"), b"a\nb\\n\r\\x\\");
    }

    #[test]
    fn bits_are_for_sha3() {
        let ran = try_call(APPLET, &["sha3sum", "-a5"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "sha3sum: bad -a5\n"));
        assert_eq!(try_call(APPLET, &["md5sum", "-a", "256"], b"").status, 1);
    }
}
