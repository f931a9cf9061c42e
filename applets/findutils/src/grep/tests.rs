//! What `grep` promises, by calling it.

//! Tests of `grep` as a whole.

use rbox_core::testing::{Ran, try_call};

use super::APPLET;

fn grep(words: &[&str], stdin: &str) -> String {
    let words: Vec<&str> = std::iter::once("grep").chain(words.iter().copied()).collect();
    try_call(APPLET, &words, stdin.as_bytes()).stdout
}

fn status(words: &[&str], stdin: &str) -> u8 {
    let words: Vec<&str> = std::iter::once("grep").chain(words.iter().copied()).collect();
    try_call(APPLET, &words, stdin.as_bytes()).status
}

#[test]
fn prints_the_lines_that_match() {
    assert_eq!(grep(&["b"], "abc\nx\nb"), "abc\nb\n");
    assert_eq!(grep(&["-v", "b"], "abc\nx\nb"), "x\n");
    assert_eq!(grep(&["-v", "b"], "abc\nx\nb\ny"), "x\ny\n");
    assert_eq!(grep(&["-c", "b"], "abc\nx\nb"), "2\n");
    assert_eq!(grep(&["-cv", "b"], "abc\nx\nb\ny"), "2\n");
    assert_eq!(grep(&["", "-n"], "a\n\n"), "1:a\n2:\n");
    assert_eq!(grep(&["-e", "a", "-e", "c"], "a\nb\nc\n"), "a\nc\n");
    assert_eq!(grep(&["a\nc"], "a\nb\nc\n"), "a\nc\n");
    assert_eq!(grep(&["-F", "a.c"], "abc\na.c\n"), "a.c\n");
    assert_eq!(grep(&["-iw", "AB"], "ab\nabc\nx ab\n"), "ab\nx ab\n");
    assert_eq!(grep(&["-x", "a\\|ab"], "ab\nabc\n"), "ab\n");
}

#[test]
fn answers_by_its_status() {
    assert_eq!(status(&["-q", "b"], "abc\n"), 0);
    assert_eq!(status(&["-q", "z"], "abc\n"), 1);
    assert_eq!(status(&["z", "/proc/nonexistent"], ""), 2);
    assert_eq!(status(&["-q", "b", "/proc/nonexistent", "-"], "abc\n"), 0);
    assert_eq!(status(&["-L", "z"], "abc\n"), 0);
    assert_eq!(status(&["-P", "(z"], "abc\n"), 2);
}

#[test]
fn prints_only_the_matches() {
    assert_eq!(grep(&["-on", "b*"], "abb\nb\nx\n"), "1:bb\n2:b\n");
    assert_eq!(grep(&["-ob", "[bc]"], "abc\nxc\n"), "1:b\n2:c\n5:c\n");
    assert_eq!(grep(&["-ov", "x"], "a\n"), "");
    assert_eq!(
        grep(&["--color=always", "b"], "abb\n"),
        "a\x1b[01;31m\x1b[Kb\x1b[m\x1b[K\x1b[01;31m\x1b[Kb\x1b[m\x1b[K\n"
    );
}

#[test]
fn prints_context() {
    let text = "1\n2\na\n3\n4\n5\na\n6";
    assert_eq!(grep(&["-n", "-C1", "a"], text), "2-2\n3:a\n4-3\n--\n6-5\n7:a\n8-6\n");
    assert_eq!(grep(&["-A1", "a"], text), "a\n3\n--\na\n6\n");
    assert_eq!(grep(&["-B9", "a"], text), "1\n2\na\n3\n4\n5\na\n");
    assert_eq!(grep(&["-2", "a"], text), "1\n2\na\n3\n4\n5\na\n6\n");
    assert_eq!(grep(&["-nvA1", "[0-9]"], text), "3:a\n4-3\n--\n7:a\n8-6\n");
    assert_eq!(grep(&["-m1", "-A2", "a"], text), "a\n3\n4\n");
    assert_eq!(grep(&["-m1", "a"], text), "a\n");
    assert_eq!(grep(&["-m2", "-vn", "a"], text), "1:1\n2:2\n");
    assert_eq!(grep(&["-m0", "a"], text), "");
}

#[test]
fn names_files_and_the_standard_input() {
    assert_eq!(grep(&["-H", "a"], "a\n"), "(standard input):a\n");
    assert_eq!(grep(&["-l", "a"], "a\n"), "(standard input)\n");
    assert_eq!(grep(&["-Hc", "--label=x", "a"], "a\n"), "x:1\n");
    assert_eq!(grep(&["-HZ", "--label=x", "a"], "a\n"), "x\0a\n");
}

#[test]
fn reads_lines_that_end_with_nul() {
    assert_eq!(grep(&["-z", "^c"], "a\nb\0c\nd\0"), "c\nd\0");
}

#[test]
fn treats_binary_files_as_asked() {
    assert_eq!(grep(&["b"], "a\0b\n"), "a\0b\n");
    assert_eq!(grep(&["-I", "b"], "a\0b\n"), "");
    assert_eq!(grep(&["--binary-files=binary", "b"], "a\0b\n"), "Binary file (standard input) matches\n");
}

#[test]
fn says_what_is_wrong_with_a_pattern() {
    let ran = try_call(APPLET, &["grep", "[a"], b"");
    let stderr = "grep: bad regex '[a': Unmatched [, [^, [:, [., or [=\n".to_string();
    assert_eq!(ran, Ran { status: 2, stdout: String::new(), stderr });
}

#[test]
fn is_called_by_its_other_names() {
    assert_eq!(try_call(APPLET, &["egrep", "a|c"], b"a\nb\nc\n").stdout, "a\nc\n");
    assert_eq!(try_call(APPLET, &["fgrep", "a|c"], b"a\nb\na|c\n").stdout, "a|c\n");
}
