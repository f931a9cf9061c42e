//! What the expressions match, in literal spans.

//! Tests of the regular expressions.

use super::*;

/// The spans of the first match, written `(0,3)(0,1)(?,?)`; "-" if there is none.
fn spans(pattern: &str, text: &str, flags: Flags) -> String {
    let regex = match Regex::new(pattern.as_bytes(), flags) {
        Ok(regex) => regex,
        Err(error) => return error.message().to_string(),
    };
    let mut spans = vec![None; regex.groups() + 1];
    if !regex.captures_at(text.as_bytes(), 0, Exec::default(), &mut spans) {
        return "-".to_string();
    }
    let written = spans.iter().map(|span| match span {
        Some((from, to)) => format!("({from},{to})"),
        None => "(?,?)".to_string(),
    });
    written.collect()
}

fn basic(pattern: &str, text: &str) -> String {
    spans(pattern, text, Flags::NONE)
}

fn extended(pattern: &str, text: &str) -> String {
    spans(pattern, text, Flags::EXTENDED)
}

#[test]
fn finds_the_leftmost_longest_match() {
    for (pattern, text, expected) in [
        ("abc", "xabcy", "(1,4)"),
        ("a|ab|abc", "xabcd", "(1,4)"),
        ("abcd|c", "abcx", "(2,3)"),
        ("abcd|c", "abcd", "(0,4)"),
        ("abcd|bc|c", "abcx", "(1,3)"),
        ("x*", "aaa", "(0,0)"),
        ("a*b", "aaab", "(0,4)"),
        ("(a|b)*c|(a|ab)*c", "abc", "(0,3)(1,2)(?,?)"),
        ("[0-9]+x?", "ab123xy", "(2,6)"),
        ("a{2,3}", "aaaa", "(0,3)"),
        ("a{,2}b", "aaab", "(1,4)"),
        ("a{3}", "aa", "-"),
        ("", "abc", "(0,0)"),
        ("a.c", "a\nc", "(0,3)"),
    ] {
        assert_eq!(extended(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn makes_groups_as_long_as_the_match_allows() {
    for (pattern, text, expected) in [
        ("(a|ab)(c|bcd)(d*)", "abcd", "(0,4)(0,2)(2,3)(3,4)"),
        ("(a|ab)(bcd|c)(d*)", "abcd", "(0,4)(0,2)(2,3)(3,4)"),
        ("(ab|a)(c|bcd)(d*)", "abcd", "(0,4)(0,2)(2,3)(3,4)"),
        ("(a*)(b|abc)", "abc", "(0,3)(0,0)(0,3)"),
        ("((a*)(b|abc))(c*)", "abc", "(0,3)(0,3)(0,0)(0,3)(3,3)"),
        ("(a*)*", "b", "(0,0)(0,0)"),
        ("(a*)*", "aa", "(0,2)(0,2)"),
        ("(a*)+", "b", "(0,0)(0,0)"),
        ("(a|b)*", "x", "(0,0)(?,?)"),
        ("(a*|b)*", "aab", "(0,3)(2,3)"),
        ("((a)|b)*", "ab", "(0,2)(1,2)(?,?)"),
        ("(aa|aaa)*(a*)", "aaaa", "(0,4)(2,4)(4,4)"),
        ("(.*)=(.*)", "a=b=c", "(0,5)(0,3)(4,5)"),
        ("([^,]*),([^,]*)", "one,two,three", "(0,7)(0,3)(4,7)"),
        ("(a)?(b)?", "b", "(0,1)(?,?)(0,1)"),
        ("(a?)((ab)?)(b?)", "ab", "(0,2)(0,1)(1,1)(?,?)(1,2)"),
        ("(x){2,3}", "xxx", "(0,3)(2,3)"),
        ("(^a|b)*", "aab", "(0,1)(0,1)"),
        ("(weeknights|week)(night|s)*", "weeknights", "(0,10)(0,10)(?,?)"),
        ("(((((a)))))", "a", "(0,1)(0,1)(0,1)(0,1)(0,1)(0,1)"),
    ] {
        assert_eq!(extended(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn reads_basic_expressions() {
    for (pattern, text, expected) in [
        ("*a", "x*a", "(1,3)"),
        ("^*a", "*a", "(0,2)"),
        ("\\(*a\\)", "*a", "(0,2)(0,2)"),
        ("a\\|b", "xb", "(1,2)"),
        ("a\\+", "xaa", "(1,3)"),
        ("xa\\?b", "xb", "(0,2)"),
        ("a\\{2\\}", "aaa", "(0,2)"),
        ("a^b", "a^b", "(0,3)"),
        ("a$b", "a$b", "(0,3)"),
        ("x*^", "xx^", "(0,3)"),
        ("\\(^a\\)", "ba", "-"),
        ("\\(^a\\)b", "ab", "(0,2)(0,1)"),
        ("\\(a$\\)", "ba", "(1,2)(1,2)"),
        ("a+b|(c)", "a+b|(c)", "(0,7)"),
        ("a\\.b", "axb", "-"),
        ("a{1}", "a{1}", "(0,4)"),
    ] {
        assert_eq!(basic(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn reads_odd_extended_expressions() {
    for (pattern, text, expected) in [
        ("a^b", "a^b", "-"),
        ("*a", "*a", "(1,2)"),
        ("a|*b", "b", "(0,1)"),
        ("a)", "a)", "(0,2)"),
        ("a{x", "a{x", "(0,3)"),
        ("a{1", "a{1", "(0,3)"),
        ("{", "{", "(0,1)"),
        ("()", "a", "(0,0)(0,0)"),
        ("a||b", "xb", "(0,0)"),
        ("(|a)b", "ab", "(0,2)(0,1)"),
        ("a**", "aa", "(0,2)"),
        ("a+*", "", "(0,0)"),
        ("(a{0})b", "ab", "(1,2)(1,1)"),
        ("$^", "", "(0,0)"),
    ] {
        assert_eq!(extended(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn reads_brackets_and_classes() {
    for (pattern, text, expected) in [
        ("[]a]", "x]", "(1,2)"),
        ("[^]a]", "]ax", "(2,3)"),
        ("[a-]", "-", "(0,1)"),
        ("[[:digit:][:upper:]]+", "ab1Cd", "(2,4)"),
        ("[[.-.]x]", "-", "(0,1)"),
        ("[[=a=]]", "a", "(0,1)"),
        ("[\\n]", "\\", "(0,1)"),
        ("\\w+", "  ab_1-", "(2,6)"),
        ("\\W", "ab-", "(2,3)"),
        ("\\s\\S", "a b", "(1,3)"),
        ("[+--]", ",", "(0,1)"),
    ] {
        assert_eq!(extended(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn reads_places() {
    for (pattern, text, expected) in [
        ("\\<b", "ab b", "(3,4)"),
        ("b\\>", "ba ab", "(4,5)"),
        ("\\bb\\b", "ab b", "(3,4)"),
        ("\\Bb", "b ab", "(3,4)"),
        ("\\`a", "ba", "-"),
        ("a\\'", "ab a", "(3,4)"),
        ("^", "abc", "(0,0)"),
        ("$", "abc", "(3,3)"),
        ("\\<", " ab", "(1,1)"),
        ("(^|x)a", "bxa", "(1,3)(1,2)"),
    ] {
        assert_eq!(extended(pattern, text), expected, "{pattern} {text}");
    }
    assert_eq!(spans("^b$", "a\nb\nc", Flags::NEWLINE), "(2,3)");
    assert_eq!(spans("a.*", "ab\nc", Flags::NEWLINE), "(0,2)");
    assert_eq!(spans("^b", "a\nb", Flags::NONE), "-");
}

#[test]
fn sees_what_stands_around_the_place() {
    let find = |pattern: &str, text: &str, start, exec| {
        Regex::new(pattern.as_bytes(), Flags::NONE).unwrap().find_at(text.as_bytes(), start, exec)
    };
    assert_eq!(find("^a", "aa", 1, Exec::default()), None);
    assert_eq!(find("\\<a", "aa a", 1, Exec::default()), Some((3, 4)));
    assert_eq!(find("^a", "a", 0, Exec { not_bol: true, not_eol: false }), None);
    assert_eq!(find("a$", "a", 0, Exec { not_bol: false, not_eol: true }), None);
    assert_eq!(find("x*", "axb", 1, Exec::default()), Some((1, 2)));
    assert_eq!(find("x*", "ab", 2, Exec::default()), Some((2, 2)));
    assert_eq!(find("\\B.*b", "ac cb", 1, Exec::default()), Some((1, 5)));
    assert_eq!(find("a", "ab", 3, Exec::default()), None);
}

#[test]
fn follows_back_references() {
    for (pattern, text, expected) in [
        ("(.)\\1", "abccd", "(2,4)(2,3)"),
        ("(a*)b\\1", "aabaa", "(0,5)(0,2)"),
        ("(a*)\\1", "aaaaa", "(0,4)(0,2)"),
        ("^(.*)\\n?\\1$", "abab", "(0,4)(0,2)"),
        ("(a)|\\1b", "b", "-"),
        ("(a|ab)\\1c", "ababc", "(0,5)(0,2)"),
        ("((.)\\2)+", "aabbc", "(0,4)(2,4)(2,3)"),
        ("(a*)*\\1", "b", "(0,0)(0,0)"),
    ] {
        assert_eq!(extended(pattern, text), expected, "{pattern} {text}");
    }
    assert_eq!(spans("(a)\\1", "xaA", Flags::EXTENDED | Flags::FOLD_CASE), "(1,3)(1,2)");
}

#[test]
fn gives_up_rather_than_hang() {
    let regex = Regex::new(b"(a*)*(a*)*(a*)*\\1b", Flags::EXTENDED).unwrap();
    assert!(!regex.is_match(format!("{}cb", "a".repeat(60)).as_bytes()));
    assert!(regex.gave_up());
    assert!(!regex.gave_up());
}

#[test]
fn stays_linear_without_back_references() {
    let text = "a".repeat(2000);
    let regex = Regex::new(b"(a*)*(a|aa)*(a*a*)*b", Flags::EXTENDED).unwrap();
    assert!(!regex.is_match(text.as_bytes()));
    let mut spans = [None; 4];
    let text = text + "b";
    assert!(regex.captures_at(text.as_bytes(), 0, Exec::default(), &mut spans));
    assert_eq!(spans[0], Some((0, 2001)));
}

#[test]
fn a_set_of_two_is_no_literal() {
    let fold = Flags::EXTENDED | Flags::FOLD_CASE;
    for (pattern, text, flags, expected) in [
        ("[=,]", "1,2=3", Flags::EXTENDED, "(1,2)"),
        ("[=,]", "1,2=3", fold, "(1,2)"),
        ("[][]", "x[0]", Flags::EXTENDED, "(1,2)"),
        ("[aA]x", "Ax ax", Flags::EXTENDED, "(0,2)"),
        ("[aA]", "xAa", fold, "(1,2)"),
    ] {
        assert_eq!(spans(pattern, text, flags), expected, "{pattern} {text}");
    }
}

#[test]
fn folds_case() {
    let fold = Flags::EXTENDED | Flags::FOLD_CASE | Flags::UTF8;
    for (pattern, text, expected) in [
        ("hello", "say HeLLo", "(4,9)"),
        ("[a-c]+", "xABC", "(1,4)"),
        ("[^a]", "Ab", "(1,2)"),
        ("é+", "ÉéÉ", "(0,6)"),
        ("[à-ï]", "É", "(0,2)"),
        ("[[:upper:]]", "a", "(0,1)"),
        ("a1-b", "xA1-B", "(1,5)"),
    ] {
        assert_eq!(spans(pattern, text, fold), expected, "{pattern} {text}");
    }
}

#[test]
fn reads_utf8_and_bytes() {
    let utf8 = Flags::EXTENDED | Flags::UTF8;
    for (pattern, text, expected) in [
        ("^.$", "é", "(0,2)"),
        ("a.c", "xa€c", "(1,6)"),
        ("[é]", "aé", "(1,3)"),
        ("[^a]", "aé", "(1,3)"),
        ("[à-ü]+", "xéàa", "(1,5)"),
        ("[[:alpha:]]+", "1éa€", "(1,4)"),
        ("\\w+", "-éa-", "(1,4)"),
        ("\\bé\\b", "aé é", "(4,6)"),
        ("é*", "ééa", "(0,4)"),
        ("(.)(.)", "é€", "(0,5)(0,2)(2,5)"),
        (".{3}", "a𝄞é", "(0,7)"),
        ("é.{1,2}$", "éa€", "(0,6)"),
    ] {
        assert_eq!(spans(pattern, text, utf8), expected, "{pattern} {text}");
    }
    assert_eq!(extended("^..$", "é"), "(0,2)");
    // A byte that is no part of a character is one of its own.
    for (pattern, text, expected) in [
        (&b"^a.b$"[..], &b"a\xE9b"[..], Some((0, 3))),
        (b".*", b"\xE2\x82x\xE2\x82", Some((0, 5))),
        (b"^....$", b"\xE2\x82\xE2\x82", Some((0, 4))),
        (b"[[:alpha:]]", b"\xE9", None),
        (b"^.{3}$", b"\xC3\x82\xAC\xFF", Some((0, 4))),
        (b".$", b"\xC3\x82\xAC", Some((2, 3))),
    ] {
        let regex = Regex::new(pattern, utf8).unwrap();
        assert_eq!(regex.find_at(text, 0, Exec::default()), expected, "{pattern:?} {text:?}");
    }
}

#[test]
fn names_what_is_wrong() {
    for (pattern, expected) in [
        ("(a", "Unmatched ( or \\("),
        ("[a", "Unmatched [, [^, [:, [., or [="),
        ("[[:alpha:", "Unmatched [, [^, [:, [., or [="),
        ("[", "Unmatched [, [^, [:, [., or [="),
        ("[[:foo:]]", "Invalid character class name"),
        ("[[.ab.]]", "Invalid collation character"),
        ("[b-a]", "Invalid range end"),
        ("a{2,1}", "Invalid content of \\{\\}"),
        ("a{1,2,3}", "Invalid content of \\{\\}"),
        ("a{40000}", "Regular expression too big"),
        ("((a{1000}){1000}){1000}", "Regular expression too big"),
        ("\\1", "Invalid back reference"),
        ("(a\\1)", "Invalid back reference"),
        ("a\\", "Trailing backslash"),
    ] {
        assert_eq!(extended(pattern, "a"), expected, "{pattern}");
    }
    assert_eq!(basic("a\\)", "a"), "Unmatched ) or \\)");
    assert_eq!(basic("a\\{1", "a"), "Unmatched \\{");
    assert_eq!(basic("a\\{x\\}", "a"), "Invalid content of \\{\\}");
    assert_eq!(extended(&"(".repeat(10_000), ""), "Regular expression too big");
}

#[test]
fn finds_lines_without_cutting_the_text() {
    let text = b"one\ntwo three\n\nfour\nfive";
    let lines = |pattern: &str, flags: Flags| {
        let regex = Regex::new(pattern.as_bytes(), flags | Flags::LINES).unwrap();
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(line) = regex.find_line(text, at) {
            at = line.end + 1;
            found.push(String::from_utf8_lossy(&text[line]).into_owned());
        }
        found.join("|")
    };
    assert_eq!(lines("o", Flags::EXTENDED), "one|two three|four");
    assert_eq!(lines("^f", Flags::EXTENDED), "four|five");
    assert_eq!(lines("e$", Flags::EXTENDED), "one|two three|five");
    assert_eq!(lines("^$", Flags::EXTENDED), "");
    assert_eq!(lines("e\\s", Flags::EXTENDED), "");
    assert_eq!(lines("[^x]{8,}", Flags::EXTENDED), "two three");
    assert_eq!(lines("(.)\\1", Flags::EXTENDED), "two three");
    assert_eq!(lines("", Flags::NONE), "one|two three||four|five");
    assert_eq!(lines("o", Flags::WHOLE_WORD), "");
    assert_eq!(lines("two", Flags::WHOLE_WORD), "two three");
    assert_eq!(lines("four", Flags::WHOLE_LINE | Flags::FIXED), "four");
    assert_eq!(lines("zzz", Flags::NONE), "");
}

#[test]
fn takes_many_expressions_at_once() {
    let words: Vec<String> = (0..5000).map(|n| format!("w{}", n * 7)).collect();
    let regex = Regex::any_of(&words, Flags::FIXED).unwrap();
    assert_eq!(regex.find_at(b"xx w34993 y", 0, Exec::default()), Some((3, 9)));
    assert_eq!(regex.find_at(b"xx w358 y", 0, Exec::default()), Some((3, 6)));
    assert_eq!(regex.find_at(b"w8", 0, Exec::default()), None);
    let mixed = Regex::any_of(&["(a)\\1", "(b)\\1"], Flags::EXTENDED).unwrap();
    assert_eq!(mixed.find_at(b"abb", 0, Exec::default()), Some((1, 3)));
    let none: [&[u8]; 0] = [];
    assert!(!Regex::any_of(&none, Flags::NONE).unwrap().is_match(b"a"));
}

#[test]
fn survives_random_bytes() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n) as usize
    };
    const PIECES: &[&[u8]] = &[
        b"a",
        b"b",
        b"\xC3",
        b"\xA9",
        b"\xE2\x82\xAC",
        b"(",
        b")",
        b"*",
        b"+",
        b"?",
        b"|",
        b"[",
        b"]",
        b"^",
        b"$",
        b"{",
        b"}",
        b"1",
        b",",
        b"2",
        b"\\",
        b"-",
        b".",
        b"[:alpha:]",
        b"[.a.]",
        b"\\(",
        b"\\)",
        b"\\1",
        b"\\{",
        b"\\}",
        b"\\<",
        b"\\b",
        b"\\w",
        b"\\W",
        b"\n",
        b"(a*)",
        b"(a|b)",
        b"\xFF",
        b"x",
    ];
    let all = [Flags::EXTENDED, Flags::UTF8, Flags::FOLD_CASE, Flags::NEWLINE, Flags::LINES, Flags::WHOLE_WORD];
    for _ in 0..3000 {
        let pattern: Vec<u8> = (0..below(9)).flat_map(|_| PIECES[below(PIECES.len() as u64)]).copied().collect();
        let text: Vec<u8> = (0..below(12)).flat_map(|_| PIECES[below(PIECES.len() as u64)]).copied().collect();
        let flags = all.iter().fold(Flags::NONE, |flags, &flag| if below(2) == 0 { flags | flag } else { flags });
        let Ok(regex) = Regex::new(&pattern, flags) else { continue };
        let exec = Exec { not_bol: below(4) == 0, not_eol: below(4) == 0 };
        let mut spans = vec![None; regex.groups() + 1];
        for start in 0..=text.len() {
            let found = regex.find_at(&text, start, exec);
            let matched = regex.captures_at(&text, start, exec, &mut spans);
            assert_eq!(found.is_some(), matched, "{pattern:?} {text:?} {flags:?} {start}");
            assert_eq!(found, spans[0], "{pattern:?} {text:?} {flags:?} {start}");
            assert!(!regex.gave_up(), "{pattern:?} {text:?} {flags:?} {start}");
            for &(from, to) in spans.iter().flatten() {
                assert!(start <= from && from <= to && to <= text.len(), "{pattern:?} {text:?} {flags:?} {start}");
            }
            if start == 0 && exec == Exec::default() {
                assert_eq!(found.is_some(), regex.is_match(&text), "{pattern:?} {text:?} {flags:?}");
            }
        }
        let mut at = 0;
        while let Some(line) = regex.find_line(&text, at) {
            at = line.end + 1;
        }
    }
}
