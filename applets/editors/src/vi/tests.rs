//! Whole commands, typed at a text in memory.

use rbox_core::term::keys::Key;
use rbox_core::term::screen::Screen;

use super::{Buffer, Document, Editor};

/// The text and the cursor's offset after keys were typed.
fn typed(text: &str, keys: &str) -> (String, usize) {
    typed_on(text, keys, 10, 40)
}

/// The same on a screen of another size.
fn typed_on(text: &str, keys: &str, rows: usize, columns: usize) -> (String, usize) {
    let keys: Vec<Key> = keys.chars().map(Key::Char).collect();
    let mut env = rbox_core::testing::env(b"vi");
    let mut editor = Editor::new(&mut env, Screen::memory(&keys, rows, columns));
    *editor.document = Document::new(Buffer::new(text.as_bytes().to_vec(), text.len()));
    // The hangup after the last key.
    while !matches!(editor.typed.last(), Some(Key::Hangup)) && editor.ended.is_none() {
        editor.document.set_saved();
        editor.command();
    }
    (String::from_utf8(editor.text().copy(0, editor.text().len())).expect("UTF-8"), editor.cursor)
}

#[track_caller]
fn check(text: &str, keys: &str, expected: &str, cursor: usize) {
    assert_eq!(typed(text, keys), (expected.to_string(), cursor), "{keys:?}");
}

#[test]
fn words_are_moved_over_deleted_and_changed() {
    check("one two.three\n\n four\n", "w", "one two.three\n\n four\n", 4);
    check("one two.three\n\n four\n", "4w", "one two.three\n\n four\n", 14);
    check("one two.three\n\n four\n", "W3e", "one two.three\n\n four\n", 12);
    check("one two\nthree\n", "wdw", "one \nthree\n", 3);
    check("one two three\n", "d2w", "three\n", 0);
    check("one two three\n", "cwx\x1b", "x two three\n", 0);
    check("one two three\n", "wcwxy\x1b.", "one xxy three\n", 6);
    check("a b\n", "cwx\x1bw.", "x x\n", 2);
    check("a b\nc\n", "c7wx\x1b", "x\n", 0);
    check("one two three\n", "$bdb", "one three\n", 4);
    check("one two\n", "wde", "one \n", 3);
}

#[test]
fn lines_are_deleted_put_and_joined() {
    check("1\n2\n3\n", "ddp", "2\n1\n3\n", 2);
    check("1\n2\n3\n", "jddP", "1\n2\n3\n", 2);
    check("1\n2\n3\n", "2ddp", "3\n1\n2\n", 2);
    check("1\n2\n3\n", "dG", "\n", 0);
    check("1\n2\n3\n", "jdk", "3\n", 0);
    check("1\n  2\n3\n", "J", "1 2\n3\n", 1);
    check("1\n2\n3\n", "3J", "1 2 3\n", 3);
    check("f(\n)\n", "J", "f()\n", 2);
    check("ab\n", "xp", "ba\n", 1);
    check("1\n2\n", "yyP", "1\n1\n2\n", 0);
}

#[test]
fn typing_with_a_count_is_repeated() {
    check("\n", "3iab\x1b", "ababab\n", 5);
    check("x\n", "A1\x1b2.", "x111\n", 3);
    check("ab\n", "Rxyz\x1b", "xyz\n", 2);
    check("abcd\n", "2Rx\x1b", "xxcd\n", 1);
    check("a\n", "ob\x1bOc\x1b", "a\nc\nb\n", 2);
    check("ab cd\n", "A x\x17y\x1b", "ab cd y\n", 6);
}

#[test]
fn changes_are_undone_and_done_again() {
    check("one\n", "xxxuu\x12", "e\n", 0);
    check("one\n", "xuuu", "one\n", 0);
    check("one two\n", "xxxU", "one two\n", 0);
    check("a\n", "ifoo\x1bu", "a\n", 0);
    check("a b c\n", "dwdwuu", "a b c\n", 0);
}

#[test]
fn text_objects_are_found() {
    check("one two three\n", "wdiw", "one  three\n", 4);
    check("one two three\n", "wdaw", "one three\n", 4);
    check("f(a, g(b), c)\n", "fbci(x\x1b", "f(a, g(x), c)\n", 7);
    check("f(a, g(b), c)\n", "fadi(", "f()\n", 2);
    check("s = \"a b\" ;\n", "ci\"x\x1b", "s = \"x\" ;\n", 5);
    check("s = \"a b\" ;\n", "da\"", "s = ;\n", 4);
    check("{\n a\n b\n}\n", "jdi{", "{\n}\n", 2);
    check("<p>x <b>y</b></p>\n", "fydit", "<p>x <b></b></p>\n", 8);
    check("a f(x)\n", "di(", "a f()\n", 4);
    check("a f(x) b\n", "$di(", "a f(x) b\n", 7);
    check("a\nb\n\nc\n", "dap", "c\n", 0);
    check("a\nb\n\nc\n", "dip", "\nc\n", 0);
}

#[test]
fn parts_are_selected() {
    check("one two\n", "vey", "one two\n", 0);
    check("one two\n", "veld", "two\n", 0);
    check("1\n2\n3\n", "Vjd", "3\n", 0);
    check("1\n2\n3\n", "Vj>", "\t1\n\t2\n3\n", 1);
    check("one two\n", "wviwcx\x1b", "one x\n", 4);
    check("abc\n", "vlU", "ABc\n", 0);
    check("abc\nd\n", "vjrx", "xxx\nx\n", 0);
    check("one two\n", "yiwwviwp", "one one\n", 4);
}

#[test]
fn ex_commands_change_lines() {
    check("a a\na\n", ":%s/a/b/g\r", "b b\nb\n", 4);
    check("a-b\n", ":s/\\(a\\)-\\(b\\)/\\2\\U\\1/\r", "bA\n", 0);
    check("1\n2\n3\n4\n", ":2,3d\r", "1\n4\n", 2);
    check("1\n2\n3\n", ":1m$\r", "2\n3\n1\n", 4);
    check("1\n2\n3\n", ":3m0\r", "3\n1\n2\n", 0);
    check("1\n2\n3\n", ":1,2t$\r", "1\n2\n3\n1\n2\n", 8);
    check("a\nb\na\n", ":g/a/d\r", "b\n", 0);
    check("a\nb\na\n", ":v/a/s/$/x/\r", "a\nbx\na\n", 2);
    check("1\n2\n3\n", ":g/^/m0\r", "3\n2\n1\n", 0);
    check("1\n2\n3\n", ":1,$j\r", "1 2 3\n", 3);
    check("1\n2\n", ":1,2>\r", "\t1\n\t2\n", 4);
    check("a b\n", ":s/ /\\r/\r", "a\nb\n", 2);
    check("a a a\n", ":s/a/b/|s/a/c/\r", "b c a\n", 0);
}

#[test]
fn searches_go_around() {
    check("one\ntwo\none\n", "/one\r", "one\ntwo\none\n", 8);
    check("one\ntwo\none\n", "/one\rn", "one\ntwo\none\n", 0);
    check("one\ntwo\none\n", "?two\r", "one\ntwo\none\n", 4);
    check("one\ntwo\none\n", "d/two\r", "two\none\n", 0);
    check("a b a\n", "*", "a b a\n", 4);
}

#[test]
fn registers_and_macros() {
    check("1\n2\n3\n", "\"addj\"Add\"ap", "2\n1\n3\n", 2);
    check("1\n2\n3\n", "dddd\"2p", "3\n1\n", 2);
    check("a\na\na\n", "qqA!\x1bjq2@q", "a!\na!\na!\n", 7);
    check("ma\n", "\"ayy$", "ma\n", 1);
}

#[test]
fn wide_and_combining_characters_are_one_step() {
    check("é漢e\u{301}x\n", "llx", "é漢x\n", 5);
    check("é漢x\n", "lrö", "éöx\n", 2);
    check("äöü\n", "~~", "ÄÖü\n", 4);
    check("é\n\nx\n", "Jx", "\nx\n", 0);
    check("xé  \n", "g_x", "x  \n", 1);
    check("äöü\n", "gUU", "ÄÖÜ\n", 0);
}

#[test]
fn random_keys_keep_the_text_whole() {
    let mut random = rbox_core::testing::Random::new(77);
    const KEYS: &[u8] =
        b"hjklwbeWBEg0$^fFtT;,%(){}HMLGdcyxXpPrRiIaAoOsSDCYJ~.u\x12U/?nN*\"amq@vV<>\x1b\r1234 \x06\x02\x04\x15\x05\x19zb";
    for _ in 0..if cfg!(debug_assertions) { 2000 } else { 20000 } {
        let keys: String = (0..40).map(|_| KEYS[random.below(KEYS.len())] as char).collect();
        let text: String = (0..random.below(60))
            .map(|_| ["a", "b", " ", "\n", "(", ")", "é", "漢", "\t", "."][random.below(10)])
            .collect();
        let after = typed_on(&text, &keys, 2 + random.below(9), 1 + random.below(40)).0;
        assert!(after.ends_with('\n'), "{keys:?} on {text:?}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    // /dev/full takes nothing; the error is reported and the text stays modified.
    let mut env = rbox_core::testing::env(b"vi");
    let mut editor = Editor::new(&mut env, Screen::memory(&[], 10, 40));
    editor.insert_lines(0, b"text\n".to_vec());
    editor.ex(b"w! /dev/full");
    assert_eq!(editor.message, b"'/dev/full' No space left on device");
    assert!(editor.document.is_modified());
}
