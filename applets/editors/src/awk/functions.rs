//! The functions of the language that no loop waits for, which are compiled for size here (see `awk_machine::seldom`).

use rbox_core::bytes::append;
use rbox_core::error::{Error, Result};
use rbox_core::pattern;
use rbox_core::pattern::regex::{Exec, Span};
use rbox_core::sys::float;
use rbox_core::time::{Civil, Moment, Zone, days_of, format};
use rbox_core::unicode;

use awk_machine::array::Key;
use awk_machine::builtins::count_characters;
use awk_machine::fields::Splitter;
use awk_machine::machine::Machine;
use awk_machine::program::builtin;
use awk_machine::special;
use awk_machine::substitute::{check, next_match};
use awk_machine::value::{Text, Value};

use super::sort::keys_in_order;
use super::streams;

/// What strftime() prints without a format, as in gawk.
const DATE: &[u8] = b"%a %b %e %H:%M:%S %Z %Y";

/// Calls a function with `count` arguments from a slot on.
pub fn call(machine: &mut Machine<'_>, function: u8, first: usize, count: usize) -> Result<Value> {
    use builtin::*;
    let number = |machine: &Machine<'_>, index: usize| machine.slots[first + index].number();
    let value = match function {
        PATSPLIT => patsplit(machine, first, count)?,
        GENSUB => return gensub(machine, first, count),
        MATCH => match_text(machine, first, count)?,
        SIN => number(machine, 0).sin(),
        COS => number(machine, 0).cos(),
        ATAN2 => number(machine, 0).atan2(number(machine, 1)),
        EXP => number(machine, 0).exp(),
        LOG => number(machine, 0).ln(),
        SRAND => srand(machine, first, count),
        TOLOWER | TOUPPER => return Ok(change_case(machine, first, function == TOUPPER)),
        SYSTEM => {
            let command = machine.argument(first);
            streams::system(&mut machine.streams, machine.env, &command)?
        }
        CLOSE => {
            let name = machine.argument(first);
            streams::close(&mut machine.streams, machine.env, &name)?
        }
        FFLUSH => fflush(machine, first, count)?,
        STRFTIME => return Ok(strftime(machine, first, count)),
        SYSTIME => Moment::now().seconds as f64,
        MKTIME => mktime(machine, first, count),
        AND | OR | XOR | LSHIFT | RSHIFT | COMPL => bits(machine, function, first, count)?,
        STRTONUM => strtonum(machine, first),
        ASORT | ASORTI => asort(machine, first, count, function == ASORTI)?,
        ISARRAY => f64::from(u8::from(matches!(machine.slots[first], Value::Array(_) | Value::OwnArray(_)))),
        _ => 0.0,
    };
    Ok(Value::Num(value))
}

fn change_case(machine: &mut Machine<'_>, first: usize, to_upper: bool) -> Value {
    let text = machine.argument(first);
    let mut out = text.to_vec();
    if to_upper {
        out.make_ascii_uppercase();
    } else {
        out.make_ascii_lowercase();
    }
    if machine.utf8 && !text.is_ascii() {
        out = change_wide(&out, to_upper);
    }
    Value::Str(Text::from_vec(out))
}

fn fflush(machine: &mut Machine<'_>, first: usize, count: usize) -> Result<f64> {
    let name = if count == 0 { Text::new(b"") } else { machine.argument(first) };
    match &name[..] {
        b"" => streams::flush(&mut machine.streams, machine.env).map(|()| 0.0),
        b"/dev/stdout" | b"-" => machine.env.stdout.flush().map(|()| 0.0),
        b"/dev/stderr" => machine.env.stderr.flush().map(|()| 0.0),
        name => streams::flush_named(&mut machine.streams, name),
    }
}

/// The seed before; without an argument the time is the seed.
fn srand(machine: &mut Machine<'_>, first: usize, count: usize) -> f64 {
    let seed = if count == 0 { Moment::now().seconds as f64 } else { machine.slots[first].number() };
    machine.random = seed.to_bits();
    core::mem::replace(&mut machine.seed, seed)
}

fn zone(machine: &Machine<'_>, is_utc: bool) -> Zone {
    if is_utc { Zone::utc() } else { Zone::load(machine.env.vars.get("TZ")) }
}

fn strftime(machine: &mut Machine<'_>, first: usize, count: usize) -> Value {
    let pattern = if count > 0 { machine.argument(first) } else { Text::new(DATE) };
    let seconds = if count > 1 { machine.slots[first + 1].number() as i64 } else { Moment::now().seconds };
    let zone = zone(machine, count > 2 && machine.slots[first + 2].is_true());
    // Years of a calendar that computes in 64 bits.
    let seconds = seconds.clamp(-(1 << 55), 1 << 55);
    Value::Str(Text::from_vec(format(&pattern, Moment { seconds, nanos: 0 }, &zone)))
}

/// `YYYY MM DD HH MM SS [DST]`; fields may be outside of their ranges. -1 for anything else.
fn mktime(machine: &mut Machine<'_>, first: usize, count: usize) -> f64 {
    let text = machine.argument(first);
    let mut numbers = [0i64; 7];
    let mut found = 0;
    for word in rbox_core::bytes::words(&text) {
        match (float::parse_all(word), numbers.get_mut(found)) {
            (Some(number), Some(place)) => *place = number.clamp(-1e12, 1e12) as i64,
            _ => return -1.0,
        }
        found += 1;
    }
    if found < 6 {
        return -1.0;
    }
    let [year, month, day, hour, minute, second, _] = numbers;
    let clock = days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let zone = zone(machine, count > 1 && machine.slots[first + 1].is_true());
    zone.moment(&Civil::from_clock(clock)) as f64
}

fn bits(machine: &mut Machine<'_>, function: u8, first: usize, count: usize) -> Result<f64> {
    let mut numbers = Vec::new();
    for at in first..first + count {
        let number = machine.slots[at].number();
        if number < 0.0 || number.is_nan() {
            return Err(Error::new("Negative operand of a bit operation"));
        }
        numbers.push(number as u64);
    }
    let shift = |numbers: &[u64]| u32::try_from(numbers[1]).unwrap_or(64);
    Ok(match function {
        builtin::AND => numbers.iter().fold(u64::MAX, |bits, number| bits & number),
        builtin::OR => numbers.iter().fold(0, |bits, number| bits | number),
        builtin::XOR => numbers.iter().fold(0, |bits, number| bits ^ number),
        builtin::LSHIFT => numbers[0].checked_shl(shift(&numbers)).unwrap_or(0),
        builtin::RSHIFT => numbers[0].checked_shr(shift(&numbers)).unwrap_or(0),
        // The 53 bits that a number holds exactly, as in gawk.
        _ => !numbers[0] & ((1 << 53) - 1),
    } as f64)
}

/// `0x11` and `011` are 17 and 9 here.
fn strtonum(machine: &mut Machine<'_>, first: usize) -> f64 {
    if let Value::Num(number) = machine.slots[first] {
        return number;
    }
    let text = machine.argument(first);
    let word = text.trim_ascii_start();
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    match digits {
        [b'0', b'x' | b'X', ..] => rbox_core::number::parse_c_start(word) as f64,
        [b'0', b'0'..=b'7', ..] if !digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E' | b'8' | b'9')) => {
            rbox_core::number::parse_c_start(word) as f64
        }
        _ => awk_machine::value::prefix_number(&text),
    }
}

/// Sorts the values of an array, or its keys, into the same array or another, with keys from 1 on.
fn asort(machine: &mut Machine<'_>, first: usize, count: usize, by_key: bool) -> Result<f64> {
    let source = machine.array_at(first)?;
    let order = if count > 2 { Some(machine.argument(first + 2)) } else { None };
    let default: &[u8] = if by_key { b"@ind_str_asc" } else { b"@val_type_asc" };
    let keys = keys_in_order(machine, source, order.as_ref().map_or(default, |order| order))?;
    let mut values = Vec::with_capacity(keys.len());
    for key in keys {
        let value = machine.arrays[source].get_bytes(&key).cloned().unwrap_or_default();
        values.push(if by_key { Value::Str(key) } else { value });
    }
    let dest = if count > 1 { machine.array_at(first + 1)? } else { source };
    let length = values.len();
    machine.fill(dest, values);
    Ok(length as f64)
}

/// `match(text, regex [, array])`: the position, counted from 1; also RSTART and RLENGTH. The array gets the groups.
fn match_text(machine: &mut Machine<'_>, first: usize, count: usize) -> Result<f64> {
    let text = machine.argument(first);
    let regex = machine.regex(first + 1)?;
    let mut spans = vec![None; if count > 2 { regex.regex().groups() + 1 } else { 1 }];
    let found = regex.regex().captures_at(&text, 0, Exec::default(), &mut spans);
    check(&regex)?;
    let (start, length) = match spans[0] {
        Some((start, end)) if found => (
            (count_characters(&text[..start], machine.utf8) + 1) as f64,
            count_characters(&text[start..end], machine.utf8) as f64,
        ),
        _ => (0.0, -1.0),
    };
    machine.set_number(special::RSTART << 1, start);
    machine.set_number(special::RLENGTH << 1, length);
    if count > 2 {
        let array = machine.array_at(first + 2)?;
        machine.arrays[array].clear();
        for (group, span) in spans.into_iter().enumerate() {
            let Some((start, end)) = span else { continue };
            let key = rbox_core::text!(group);
            let index = Key::Integer(group as i64);
            let separator = machine.special(special::SUBSEP);
            let position = (count_characters(&text[..start], machine.utf8) + 1) as f64;
            let length = count_characters(&text[start..end], machine.utf8) as f64;
            let array = &mut machine.arrays[array];
            *array.entry(index) = Value::input(&text[start..end]);
            *array.entry(Key::Text(&[&key, &separator[..], b"start"].concat(), None)) = Value::Num(position);
            *array.entry(Key::Text(&[&key, &separator[..], b"length"].concat(), None)) = Value::Num(length);
        }
    }
    Ok(start)
}

/// gawk's `patsplit(text, array [, content [, separators]])`: the fields are what matches.
fn patsplit(machine: &mut Machine<'_>, first: usize, count: usize) -> Result<f64> {
    let text = machine.argument(first);
    let regex = match count {
        2 => {
            let content = machine.special(special::FPAT);
            machine.regexes.of_text(&content)?
        }
        _ => machine.regex(first + 2)?,
    };
    machine.split_by(&text, &Splitter::Content(regex), first, count)
}

/// gawk's `gensub(regex, replacement, how [, text])`: the text with one match replaced, or all; `\1` is a group.
fn gensub(machine: &mut Machine<'_>, first: usize, count: usize) -> Result<Value> {
    let regex = machine.regex(first)?;
    let replacement = machine.argument(first + 1);
    let how = machine.argument(first + 2);
    let wanted =
        if matches!(how.first(), Some(b'g' | b'G')) { 0.0 } else { machine.slots[first + 2].number().trunc().max(1.0) };
    let text = if count > 3 {
        machine.argument(first + 3)
    } else {
        machine.join();
        Text::new(&machine.fields.record)
    };
    let mut spans: Vec<Span> = vec![None; regex.regex().groups() + 1];
    let mut out = Vec::new();
    let (mut copied, mut found) = (0, 0.0);
    let mut next = regex.find_at(&text, 0);
    while let Some((start, end)) = next {
        found += 1.0;
        if wanted == 0.0 || found == wanted {
            append(&mut out, &text[copied..start])?;
            regex.regex().captures_at(&text, start, Exec::default(), &mut spans);
            push_groups(&mut out, &replacement, &text, &spans)?;
            copied = end;
            if wanted != 0.0 {
                break;
            }
        }
        next = next_match(&regex, &text, end, start == end, machine.utf8);
    }
    check(&regex)?;
    append(&mut out, &text[copied..])?;
    Ok(Value::Str(Text::from_vec(out)))
}

/// The characters beyond ASCII in another case.
fn change_wide(text: &[u8], to_upper: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let length = pattern::width(&text[at..]);
        let sequence = &text[at..at + length];
        at += length;
        let unit = if length > 1 { pattern::decode(sequence) } else { None };
        // A capital comes before its small letter.
        let other = unit.and_then(if to_upper { unicode::to_upper } else { unicode::to_lower });
        match other.and_then(char::from_u32) {
            Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(sequence),
        }
    }
    out
}

/// gensub's replacement: `&` and `\0` are the match, `\1` to `\9` its groups.
fn push_groups(out: &mut Vec<u8>, replacement: &[u8], text: &[u8], spans: &[Span]) -> Result<()> {
    let mut at = 0;
    while let Some(&byte) = replacement.get(at) {
        at += 1;
        let group = match (byte, replacement.get(at)) {
            (b'&', _) => 0,
            (b'\\', Some(digit @ b'0'..=b'9')) => {
                at += 1;
                usize::from(digit - b'0')
            }
            (b'\\', Some(other)) => {
                at += 1;
                out.push(*other);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        if let Some(Some((start, end))) = spans.get(group) {
            append(out, &text[*start..*end])?;
        }
    }
    Ok(())
}
