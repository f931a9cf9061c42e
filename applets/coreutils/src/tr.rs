//! `tr`: translate, squeeze or delete characters (POSIX XCU tr). A character is a byte, as in BusyBox and GNU.

use rbox_core::escape::control;
use rbox_core::prelude::*;

options! {
    "[-cCdst] STRING1 [STRING2]

Copy standard input to standard output; translate characters of STRING1 to STRING2.
STRINGs contain ranges a-z, classes [:alpha:], equivalents [=a=], repetitions [x*N], escapes \\n, \\012.

  -c, -C, --complement   Use the characters not in STRING1
  -d, --delete           Delete characters of STRING1
  -s, --squeeze-repeats  Print repeated characters of the last STRING once
  -t, --truncate-set1    Truncate STRING1 to the length of STRING2";
    COMPLEMENT = "-c",
    DELETE = "-d",
    SQUEEZE = "-s",
    TRUNCATE = "-t",
}

/// The applet. POSIX: a negative number is no option here, so options come first.
pub const APPLET: Applet = Applet::new(USAGE, run).inline().options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (delete, squeeze) = (args.has(DELETE), args.has(SQUEEZE));
    let operands = args.operands_between(if delete == squeeze { 1 + usize::from(delete) } else { 1 }, 2)?;
    if operands.len() < 2 && !delete && !squeeze {
        return Err(Error::usage());
    }
    let mut first = expand(operands[0], None)?;
    if args.has(COMPLEMENT) {
        let mut is_in = [false; 256];
        first.iter().for_each(|&byte| is_in[usize::from(byte)] = true);
        first = (0..=255).filter(|&byte: &u8| !is_in[usize::from(byte)]).collect();
    }
    let second = operands.get(1).map(|word| expand(word, Some(first.len()))).transpose()?;
    let mut map: [u8; 256] = std::array::from_fn(|byte| byte as u8);
    let mut is_deleted = [false; 256];
    let mut is_squeezed = [false; 256];
    if delete {
        first.iter().for_each(|&byte| is_deleted[usize::from(byte)] = true);
    } else if let Some(second) = &second {
        let last = *second.last().ok_or_else(|| Error::new("STRING2 cannot be empty"))?;
        let count = if args.has(TRUNCATE) { second.len() } else { first.len() };
        for (at, &byte) in first.iter().enumerate().take(count) {
            map[usize::from(byte)] = second.get(at).copied().unwrap_or(last);
        }
    }
    if squeeze {
        second.as_ref().unwrap_or(&first).iter().for_each(|&byte| is_squeezed[usize::from(byte)] = true);
    }
    let mut changed = Vec::new();
    let mut last = None;
    loop {
        let content = env.stdin.fill_for(&mut env.stdout)?;
        let length = content.len();
        if length == 0 {
            return Ok(ExitStatus::SUCCESS);
        }
        changed.resize(length.max(changed.len()), 0);
        let mut count = length;
        if !delete && !squeeze {
            for (to, from) in changed.iter_mut().zip(content) {
                *to = map[usize::from(*from)];
            }
        } else if !squeeze {
            count = 0;
            for &byte in content {
                changed[count] = byte;
                // No branch: what is dropped comes as it likes.
                count += usize::from(!is_deleted[usize::from(byte)]);
            }
        } else {
            count = 0;
            for &from in content {
                let byte = map[usize::from(from)];
                let is_dropped =
                    is_deleted[usize::from(from)] || (last == Some(byte) && is_squeezed[usize::from(byte)]);
                changed[count] = byte;
                count += usize::from(!is_dropped);
                last = if is_deleted[usize::from(from)] { last } else { Some(byte) };
            }
        }
        env.stdin.consume(length);
        env.stdout.write(&changed[..count])?;
    }
}

/// The bytes that a STRING stands for. `[x*]` fills the second one up to `length`.
fn expand(word: &[u8], length: Option<usize>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Where a repetition without count is, and of what.
    let mut filler = None;
    let mut rest = word;
    while !rest.is_empty() {
        if let Some((class, taken)) = bracketed(rest, b':') {
            push_class(&mut bytes, class)?;
            rest = &rest[taken..];
            continue;
        }
        if let Some((&[byte], taken)) = bracketed(rest, b'=') {
            bytes.push(byte);
            rest = &rest[taken..];
            continue;
        }
        if length.is_some()
            && let Some((byte, count, taken)) = repetition(rest)
        {
            match count {
                0 => filler = Some((bytes.len(), byte)),
                // More than all bytes there are would never be looked at.
                _ => bytes.resize(bytes.len() + count.min(256), byte),
            }
            rest = &rest[taken..];
            continue;
        }
        let (low, taken) = character(rest);
        rest = &rest[taken..];
        if rest.len() > 1 && rest[0] == b'-' {
            let (high, taken) = character(&rest[1..]);
            if low > high {
                let range = [low, b'-', high];
                return Err(Error::parts(&[b"range '", &range, b"' is reversed"]));
            }
            bytes.extend(low..=high);
            rest = &rest[1 + taken..];
        } else {
            bytes.push(low);
        }
    }
    if let (Some((at, byte)), Some(length)) = (filler, length) {
        let missing = length.saturating_sub(bytes.len());
        bytes.splice(at..at, std::iter::repeat_n(byte, missing));
    }
    Ok(bytes)
}

/// What is between `[:` and `:]`, or `[=` and `=]`, and how long the whole is.
fn bracketed(text: &[u8], kind: u8) -> Option<(&[u8], usize)> {
    let inner = text.strip_prefix(&[b'[', kind])?;
    let end = inner.windows(2).position(|pair| pair == [kind, b']'])?;
    Some((&inner[..end], end + 4))
}

fn push_class(bytes: &mut Vec<u8>, class: &[u8]) -> Result<()> {
    let is_member: fn(&u8) -> bool = match class {
        b"alpha" => u8::is_ascii_alphabetic,
        b"alnum" => u8::is_ascii_alphanumeric,
        b"digit" => u8::is_ascii_digit,
        b"lower" => u8::is_ascii_lowercase,
        b"upper" => u8::is_ascii_uppercase,
        b"space" => |byte| matches!(byte, b' ' | 9..=13),
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"punct" => u8::is_ascii_punctuation,
        b"cntrl" => u8::is_ascii_control,
        b"graph" => u8::is_ascii_graphic,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return Err(Error::parts(&[b"invalid character class '", class, b"'"])),
    };
    bytes.extend((0..=255).filter(is_member));
    Ok(())
}

/// `[x*N]`: the byte, how often (0 means as often as needed) and its length. N is octal after a 0.
fn repetition(text: &[u8]) -> Option<(u8, usize, usize)> {
    let inner = text.strip_prefix(b"[")?;
    let (byte, taken) = if inner.is_empty() { return None } else { character(inner) };
    let digits = inner[taken..].strip_prefix(b"*")?;
    let end = digits.iter().position(|&byte| byte == b']')?;
    let radix = if digits.starts_with(b"0") { 8 } else { 10 };
    let count = if end == 0 { 0 } else { rbox_core::number::parse_radix(&digits[..end], radix)? };
    Some((byte, usize::try_from(count).unwrap_or(usize::MAX), 1 + taken + 1 + end + 1))
}

/// One character, perhaps written with a backslash, and its length. `text` is not empty.
fn character(text: &[u8]) -> (u8, usize) {
    let [b'\\', escaped, ..] = *text else { return (text[0], 1) };
    let byte = match escaped {
        b'0'..=b'7' => {
            let digits = text[1..].iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let value =
                |count: usize| text[1..=count].iter().fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            // A third digit that would pass a byte is a character of its own.
            let count = if value(digits) > 255 { digits - 1 } else { digits };
            return (value(count) as u8, 1 + count);
        }
        other => control(other).unwrap_or(other),
    };
    (byte, 2)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn tr(words: &[&str], stdin: &str) -> String {
        let words: Vec<&str> = std::iter::once("tr").chain(words.iter().copied()).collect();
        try_call(APPLET, &words, stdin.as_bytes()).stdout
    }

    #[test]
    fn translates() {
        assert_eq!(tr(&["a-y", "b-z"], "hello"), "ifmmp");
        assert_eq!(tr(&["abc", "x"], "abcd"), "xxxd");
        assert_eq!(tr(&["[:upper:]", "[:lower:]"], "aXb"), "axb");
        assert_eq!(tr(&["abcd", "1[x*2]2"], "abcd"), "1xx2");
        assert_eq!(tr(&["abcd", "1[x*]2"], "abcd"), "1xx2");
        assert_eq!(tr(&["\\141\\n", "x\\t"], "a\n"), "x\t");
        assert_eq!(tr(&["a\\-c", "123"], "a-c"), "123");
        assert_eq!(tr(&["[=a=]b", "xy"], "ab"), "xy");
        assert_eq!(tr(&["-c", "a\\n", "x"], "abc\n"), "axx\n");
        assert_eq!(tr(&["-t", "abc", "x"], "abc"), "xbc");
        assert_eq!(tr(&["a-", "xy"], "a-"), "xy");
        assert_eq!(tr(&["[b]", "xyz"], "a[b]"), "axyz");
        assert_eq!(tr(&["\\\\", "/"], "a\\b"), "a/b");
    }

    #[test]
    fn deletes_and_squeezes() {
        assert_eq!(tr(&["-d", "l"], "hello"), "heo");
        assert_eq!(tr(&["-s", "ab"], "aabbcc"), "abcc");
        assert_eq!(tr(&["-s", "a", "b"], "aabbc"), "bc");
        assert_eq!(tr(&["-ds", "a", "b"], "abb"), "b");
        assert_eq!(tr(&["-cs", "a-z", "\\n"], "ab  cd"), "ab\ncd");
        assert_eq!(tr(&["-dc", "a\\n"], "abc\n"), "a\n");
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(try_call(APPLET, &["tr", "a", ""], b"").stderr, "tr: STRING2 cannot be empty\n");
        assert_eq!(try_call(APPLET, &["tr", "c-a", "x"], b"").stderr, "tr: range 'c-a' is reversed\n");
        assert_eq!(try_call(APPLET, &["tr", "[:foo:]", "x"], b"").status, 1);
        assert_eq!(try_call(APPLET, &["tr", "a"], b"").status, 1);
    }
}
