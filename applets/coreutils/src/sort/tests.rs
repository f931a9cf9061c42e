//! What `sort` promises, by calling it.

use rbox_core::testing::try_call;

use super::APPLET;

fn sort(words: &[&str], stdin: &str) -> String {
    let words: Vec<&str> = std::iter::once("sort").chain(words.iter().copied()).collect();
    try_call(APPLET, &words, stdin.replace('|', "\n").as_bytes()).stdout.replace('\n', "|")
}

#[test]
fn sorts_text() {
    assert_eq!(sort(&[], "b|a|c"), "a|b|c|");
    assert_eq!(sort(&["-r"], "b|a|c"), "c|b|a|");
    assert_eq!(sort(&["-u"], "b|a|b|a"), "a|b|");
    assert_eq!(sort(&[], "abcdefghi|abcdefgh|abcdefgha"), "abcdefgh|abcdefgha|abcdefghi|");
    assert_eq!(sort(&["-f"], "b|A|a|B"), "A|a|B|b|");
    assert_eq!(sort(&["-fu"], "b|A|a|B"), "A|b|");
    assert_eq!(sort(&["-fs"], "b|a|A|B"), "a|A|b|B|");
    assert_eq!(sort(&["-d"], "-b|a|.c"), "a|-b|.c|");
    assert_eq!(sort(&["-b"], "  b|a"), "a|  b|");
    assert_eq!(sort(&[""], ""), "");
}

#[test]
fn sorts_numbers() {
    assert_eq!(sort(&["-n"], "10|9|-1|0.5|x|-2.5|0.25"), "-2.5|-1|x|0.25|0.5|9|10|");
    assert_eq!(sort(&["-nr"], "1|3|2"), "3|2|1|");
    assert_eq!(sort(&["-nu"], "1|01|1.0|2"), "1|2|");
    assert_eq!(
        sort(&["-n"], "123456789012345678901|123456789012345678900"),
        "123456789012345678900|123456789012345678901|"
    );
    assert_eq!(sort(&["-g"], "1e3|2|-1e-2|x"), "x|-1e-2|2|1e3|");
    assert_eq!(sort(&["-h"], "1G|2K|3M|5|-1K"), "-1K|5|2K|3M|1G|");
    assert_eq!(sort(&["-M"], "MAR|jan|x|Dec"), "x|jan|MAR|Dec|");
    assert_eq!(sort(&["-V"], "a1.10|a1.9|a1.9~rc|b"), "a1.9~rc|a1.9|a1.10|b|");
}

#[test]
fn sorts_by_keys() {
    assert_eq!(sort(&["-k2"], "a 2|b 1"), "b 1|a 2|");
    assert_eq!(sort(&["-k2n"], "a 10|b 9"), "b 9|a 10|");
    assert_eq!(sort(&["-t:", "-k2,2", "-k1,1r"], "a:x|b:x|c:w"), "c:w|b:x|a:x|");
    assert_eq!(sort(&["-k1.2,1.2"], "ab|ba|cc"), "ba|ab|cc|");
    assert_eq!(sort(&["-t,", "-k3"], "a,b,2|c|d,e,1"), "c|d,e,1|a,b,2|");
    assert_eq!(sort(&["-s", "-k1,1"], "b 2|a 2|b 1|a 1"), "a 2|a 1|b 2|b 1|");
    assert_eq!(sort(&["-k1,1", "-u"], "b 2|a 2|b 1|a 1"), "a 2|b 2|");
    assert_eq!(sort(&["-k2b,2"], "x   a|y b|z  0"), "z  0|x   a|y b|");
    assert_eq!(sort(&["-r", "-k1,1n"], "1 a|2 b|1 b"), "1 b|1 a|2 b|");
}

#[test]
fn checks_the_order() {
    let ran = try_call(APPLET, &["sort", "-c"], b"b\na\n");
    assert_eq!((ran.status, ran.stderr.as_str()), (1, "sort: -:2: disorder: a\n"));
    assert_eq!(try_call(APPLET, &["sort", "-C"], b"b\na\n").stderr, "");
    assert_eq!(try_call(APPLET, &["sort", "-c"], b"a\na\n").status, 0);
    assert_eq!(try_call(APPLET, &["sort", "-cu"], b"a\na\n").status, 1);
}

#[test]
fn names_a_bad_key() {
    let ran = try_call(APPLET, &["sort", "-k0"], b"");
    assert_eq!((ran.status, ran.stderr.as_str()), (2, "sort: bad field specification '0'\n"));
    assert_eq!(try_call(APPLET, &["sort", "/proc/nonexistent"], b"").status, 2);
}
