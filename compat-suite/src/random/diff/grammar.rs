//! The lines of the random files, and what is done with them.
//!
//! Left out: the sizes of context output, whose `!` lines depend on the neighbours, and of output with `-b`, `-w`, `-i` and `-B`, where the
//! programs may take other lines as equal;
//! `-C0`, whose deletions GNU patch refuses.

/// The tables by the names of the rules.
pub fn table(rule: char) -> &'static [&'static str] {
    match rule {
        // Which lines there are: the fewer, the more ways to align them.
        't' => &["%2", "%4", "%4", "%w", "%w"],
        '2' => &["a", "b"],
        '4' => &["a", "b", "c", ""],
        'w' => &[
            "a",
            "b",
            "c",
            "d",
            "e",
            "f",
            "",
            "",
            "}",
            "{",
            "\tx = 1;",
            "\tx = 2;",
            "foo bar",
            "foo  bar",
            "Foo bar",
            ".",
            "..",
            "--- a",
            "+++ b",
            "-x",
            "+ y",
            "*** 1,2 ****",
            "1,2c3",
            "< q",
            "\\",
            "@@ -1 +1 @@",
            "é",
            "line %n",
        ],
        'n' => &["1", "2", "3", "4", "5", "6", "7", "8", "9"],
        'E' => &["printf z >>f", "printf z >>g", "printf a >>g"],
        'C' => COMMANDS,
        'u' => &["-u", "-u", "-U0", "-U1", "-U2", "-U7", "-u -p"],
        'c' => &["-c", "-C1", "-C2", "-C5"],
        'p' => {
            &["cp f h; patch -s h <p; echo $?; cmp h g && echo same; patch -s -R h <p; echo $?; cmp h f && echo back"]
        }
        'i' => &["-b", "-w", "-i", "-B", "-bB", "-iw"],
        other => unreachable!("no rule %{other}"),
    }
}

const COMMANDS: &[&str] = &[
    "diff %u f g >p; echo $?; grep -c '^[-+]' p; %p",
    "diff %u f g >p; echo $?; grep -c '^[-+]' p; %p",
    "diff f g >p; echo $?; grep -c '^[<>]' p; %p",
    "diff %c f g >p; echo $?; %p",
    "diff -e f g >p; echo $?; cp f h; { cat p; echo w; } | ed -s h; echo $?; cmp h g && echo same",
    "diff -u f g >p; { echo q; cat f; } >h; patch -s h <p; echo $?; { echo q; cat g; } | cmp - h && echo same",
    "diff -q f g; echo $?",
    "diff %i f g >p; echo $?",
    "diff %u f g >p; echo $?; patch -s -o h f p; echo $?; cat h",
    "diff -u f g >p; patch -s --dry-run f <p; echo $?; wc -l <f",
];
