//! `getopt`: separate options from operands for shell scripts (util-linux's getopt(1), the enhanced one).

use rbox_core::bytes;
use rbox_core::prelude::*;
use rbox_core::text;

options! {
    "OPTIONS WORD... | getopt [OPTION]... [--] OPTIONS WORD... | getopt -o OPTIONS [OPTION]... -- WORD...

Parse WORDs as command line options and print them normalized, quoted for a shell.
OPTIONS are characters; `:` after one means a value, `::` an optional value.

  -a, --alternative   Accept long options with one dash
  -l, --longoptions=NAMES  Long options, separated by commas or blanks
  -n, --name=NAME     Report errors as NAME
  -o, --options=OPTIONS  Short options
  -q, --quiet         Report no errors
  -Q, --quiet-output  Print no output
  -s, --shell=SHELL   Quote for sh, bash, csh or tcsh
  -T, --test          Exit with 4: this is the enhanced getopt
  -u, --unquoted      Do not quote";
    ALTERNATIVE = "-a",
    LONG = "-l",
    NAME = "-n",
    SHORT = "-o",
    QUIET = "-q",
    NO_OUTPUT = "-Q",
    SHELL = "-s",
    TEST = "-T",
    UNQUOTED = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline();

/// How words are quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    None,
    Bourne,
    C,
}

/// Where operands may be: after the options, or (`+`) they end them, or (`-`) they stay where they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Permuted,
    OptionsFirst,
    InPlace,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Optional,
}

struct Parser<'a> {
    short: &'a [u8],
    long: Vec<(&'a [u8], Takes)>,
    order: Order,
    /// Long options may begin with one dash.
    alternative: bool,
    quoting: Quoting,
    out: Vec<u8>,
    operands: Vec<&'a [u8]>,
    errors: Vec<Error>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let compatible = env.vars.get("GETOPT_COMPATIBLE").is_some();
    let all = args.words();
    let first = all.get(1);
    // The old form: the first word holds the characters, and nothing is quoted. It has no options of its own.
    let old = compatible || first.is_some_and(|word| !word.starts_with(b"-"));
    let args = &Args::parse(USAGE, options::Grammar::OptionsFirst, if old { &all[..1] } else { all })?;
    if args.has(TEST) {
        return Ok(ExitStatus(4));
    }
    let mut words = if old { all[1..].to_vec() } else { args.operands().to_vec() };
    let mut short = match args.value(SHORT) {
        Some(characters) => characters,
        None if words.is_empty() => return Err(Error::misused("missing optstring argument")),
        None => words.remove(0),
    };
    if old {
        short = short.strip_prefix(b"-").or(short.strip_prefix(b"+")).unwrap_or(short);
    }
    let shell = match args.value(SHELL) {
        None | Some(b"sh" | b"bash") => Quoting::Bourne,
        Some(b"csh" | b"tcsh") => Quoting::C,
        Some(other) => return Err(Error::usage_because(&[b"unknown shell '", other, b"'"])),
    };
    let mut order = if env.vars.get("POSIXLY_CORRECT").is_some() { Order::OptionsFirst } else { Order::Permuted };
    match short {
        [b'+', rest @ ..] => (order, short) = (Order::OptionsFirst, rest),
        [b'-', rest @ ..] => (order, short) = (Order::InPlace, rest),
        _ => {}
    }
    // A leading colon asks getopt(3) for silence.
    let silent = short.starts_with(b":") || args.has(QUIET);
    let mut parser = Parser {
        short: short.strip_prefix(b":").unwrap_or(short),
        long: args.values(LONG).flat_map(long_options).collect(),
        order,
        alternative: args.has(ALTERNATIVE),
        quoting: if old || args.has(UNQUOTED) { Quoting::None } else { shell },
        out: Vec::new(),
        operands: Vec::new(),
        errors: Vec::new(),
    };
    parser.parse(&words);
    if !silent {
        if let Some(name) = args.value(NAME) {
            env.name = name.to_vec();
        }
        for error in &parser.errors {
            env.report(error);
        }
    }
    if !args.has(NO_OUTPUT) {
        let mut out = core::mem::take(&mut parser.out);
        out.extend_from_slice(b" --");
        for word in &parser.operands {
            out.push(b' ');
            quote(word, parser.quoting, &mut out);
        }
        out.push(b'\n');
        env.stdout.write(&out)?;
    }
    Ok(ExitStatus::from_ok(parser.errors.is_empty()))
}

fn long_options(list: &[u8]) -> impl Iterator<Item = (&[u8], Takes)> {
    let names = list.split(|byte| matches!(byte, b',' | b' ' | b'\t' | b'\n')).filter(|name| !name.is_empty());
    names.map(|name| match name {
        [name @ .., b':', b':'] => (name, Takes::Optional),
        [name @ .., b':'] => (name, Takes::Value),
        name => (name, Takes::Nothing),
    })
}

impl<'a> Parser<'a> {
    fn parse(&mut self, words: &[&'a [u8]]) {
        let mut rest = words;
        while let Some((&word, after)) = rest.split_first() {
            rest = after;
            match word {
                b"--" => break,
                [b'-', b'-', name @ ..] => self.long(b"--", name, &mut rest),
                [b'-', name @ ..] if !name.is_empty() => {
                    // getopt_long_only(3): two characters or more, or one that is no option.
                    let tries = self.alternative && (name.len() > 1 || self.takes(name[0]).is_none());
                    let known =
                        tries && !self.matching(name.split(|&byte| byte == b'=').next().unwrap_or(name)).is_empty();
                    if known || tries && self.takes(name[0]).is_none() {
                        self.long(b"-", name, &mut rest);
                    } else {
                        self.characters(name, &mut rest);
                    }
                }
                _ => match self.order {
                    Order::Permuted => self.operands.push(word),
                    Order::InPlace => {
                        self.out.push(b' ');
                        quote(word, self.quoting, &mut self.out);
                    }
                    Order::OptionsFirst => {
                        self.operands.push(word);
                        break;
                    }
                },
            }
        }
        self.operands.extend_from_slice(rest);
    }

    fn takes(&self, character: u8) -> Option<Takes> {
        let at = self.short.iter().position(|&byte| byte == character && character != b':')?;
        Some(match self.short[at + 1..] {
            [b':', b':', ..] => Takes::Optional,
            [b':', ..] => Takes::Value,
            _ => Takes::Nothing,
        })
    }

    /// The long options that `name` may mean: the one that it is, or those that it begins.
    fn matching(&self, name: &[u8]) -> Vec<(&'a [u8], Takes)> {
        if let Some(exact) = self.long.iter().find(|(known, _)| *known == name) {
            return vec![*exact];
        }
        self.long.iter().filter(|(known, _)| known.starts_with(name)).copied().collect()
    }

    fn fail(&mut self, message: Vec<u8>) {
        self.errors.push(Error::new(message));
    }

    fn long(&mut self, dashes: &[u8], word: &'a [u8], rest: &mut &[&'a [u8]]) {
        let (name, value) = match bytes::split_once(word, b'=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let found = self.matching(name);
        let (known, takes) = match found[..] {
            [one] => one,
            [] => return self.fail(text!("unrecognized option '", dashes, word, "'")),
            _ => {
                let mut message = text!("option '", dashes, name, "' is ambiguous; possibilities:");
                for (other, _) in found {
                    message.extend_from_slice(&text!(" '", dashes, other, "'"));
                }
                return self.fail(message);
            }
        };
        let value = match (takes, value) {
            (Takes::Nothing, Some(_)) => {
                return self.fail(text!("option '", dashes, known, "' doesn't allow an argument"));
            }
            (Takes::Value, None) => match rest.split_first() {
                Some((value, after)) => {
                    *rest = after;
                    Some(*value)
                }
                None => return self.fail(text!("option '", dashes, known, "' requires an argument")),
            },
            (Takes::Optional, None) => Some(&b""[..]),
            _ => value,
        };
        self.add(&text!("--", known), value);
    }

    fn characters(&mut self, characters: &'a [u8], rest: &mut &[&'a [u8]]) {
        for (at, &character) in characters.iter().enumerate() {
            let attached = &characters[at + 1..];
            let value = match self.takes(character) {
                None => {
                    self.fail(text!("invalid option -- '", &[character], "'"));
                    continue;
                }
                Some(Takes::Nothing) => {
                    self.add(&[b'-', character], None);
                    continue;
                }
                Some(Takes::Value) if attached.is_empty() => match rest.split_first() {
                    Some((value, after)) => {
                        *rest = after;
                        *value
                    }
                    None => return self.fail(text!("option requires an argument -- '", &[character], "'")),
                },
                Some(_) => attached,
            };
            return self.add(&[b'-', character], Some(value));
        }
    }

    fn add(&mut self, option: &[u8], value: Option<&[u8]>) {
        self.out.push(b' ');
        self.out.extend_from_slice(option);
        if let Some(value) = value {
            self.out.push(b' ');
            quote(value, self.quoting, &mut self.out);
        }
    }
}

fn quote(word: &[u8], quoting: Quoting, out: &mut Vec<u8>) {
    if quoting == Quoting::None {
        return out.extend_from_slice(word);
    }
    out.push(b'\'');
    for &byte in word {
        match byte {
            b'\'' => out.extend_from_slice(b"'\\''"),
            b'\\' if quoting == Quoting::C => out.extend_from_slice(b"\\\\"),
            b'!' if quoting == Quoting::C => out.extend_from_slice(b"'\\!'"),
            b'\n' if quoting == Quoting::C => out.extend_from_slice(b"\\n"),
            b' ' | b'\t' | 11..=13 if quoting == Quoting::C => out.extend_from_slice(&[b'\'', b'\\', byte, b'\'']),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::{try_call, try_call_with};

    use super::APPLET;

    fn getopt(words: &[&str]) -> (u8, String, String) {
        let ran = try_call(APPLET, &[&["getopt"], words].concat(), b"");
        (ran.status, ran.stdout, ran.stderr)
    }

    #[test]
    fn options_come_first_and_words_are_quoted() {
        let words = ["-o", "ab:c::", "-l", "long,req:", "--", "x y", "-abval", "--lo", "-c", "--req=it's"];
        assert_eq!(getopt(&words).1, " -a -b 'val' --long -c '' --req 'it'\\''s' -- 'x y'\n");
        assert_eq!(getopt(&["ab:", "-b", "x y", "z"]).1, " -b x y -- z\n");
    }

    #[test]
    fn errors_have_the_programs_name() {
        let found = getopt(&["-n", "me", "-o", "a", "-l", "one,only", "--", "-z", "--on"]);
        let errors = "me: invalid option -- 'z'\nme: option '--on' is ambiguous; possibilities: '--one' '--only'\n";
        assert_eq!(found, (1, " --\n".into(), errors.into()));
        assert_eq!(getopt(&["-T"]).0, 4);
    }

    #[test]
    fn the_order_may_be_kept() {
        assert_eq!(getopt(&["-o", "+a", "--", "x", "-a"]).1, " -- 'x' '-a'\n");
        assert_eq!(getopt(&["-o", "-a", "--", "x", "-a"]).1, " 'x' -a --\n");
        let ran = try_call_with(APPLET, &["getopt", "-T"], b"", &["GETOPT_COMPATIBLE=1"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (0, " --\n"));
    }
}
