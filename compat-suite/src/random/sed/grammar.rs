//! The grammar of the random sed scripts. It has no single quote, because the shell quotes the scripts.
//!
//! It leaves out what rbox does otherwise on purpose (docs/compatibility.md): `q` after a last line without its newline; a
//! label that is there twice; `l 1`; `F` before the last line of a file that `$` has looked beyond; groups whose parts glibc
//! matches in another way.
//!
//! And what has no one meaning: `r` of a missing or empty file after such a last line, which makes GNU sed add the newline;
//! `s//x/I` and `s//x/M`, which GNU sed refuses; `q` and `Q` with two addresses, whose error comes before or after the files of
//! `w` are created; `M`, `R`, `r`, `q` and texts with `-z`; `-E` after `-f`, which GNU sed obeys only in the scripts that
//! follow; matches of nothing in UTF-8, where GNU sed splits characters; `D` where other commands add lines, because it may
//! never end.

/// The tables for basic regular expressions, by the names of the rules.
pub fn basic(rule: char) -> &'static [&'static str] {
    match rule {
        'r' => BASIC,
        'e' => BASIC_ATOMS,
        'q' => &["", "", "", "", "*", "\\{2\\}", "\\{1,2\\}", "\\{2,\\}", "\\+", "\\?"],
        's' => BASIC_SUBSTITUTIONS,
        other => common(other),
    }
}

/// The tables for extended regular expressions.
pub fn extended(rule: char) -> &'static [&'static str] {
    match rule {
        'r' => EXTENDED,
        'e' => EXTENDED_ATOMS,
        'q' => &["", "", "", "", "*", "{2}", "{1,2}", "{2,}", "+", "?"],
        's' => EXTENDED_SUBSTITUTIONS,
        other => common(other),
    }
}

fn common(rule: char) -> &'static [&'static str] {
    match rule {
        'O' => &["", "", "", "-n ", "-n ", "-s ", "-n -s ", "-u "],
        'F' => &["a", "a", "b", "a b", "b a", "n", "n", "u", "l", "c", "w", "a z n", "z", "b b", "w u", "z b", "- <a"],
        'z' => &["a", "b", "u", "z"],
        'C' => COMMANDS,
        'D' => DELETING,
        'S' => SIMPLE,
        'A' => ADDRESSES,
        'R' => &["/%r/", "/%r/", "/%r/", "/%r/I", "\\,%r,", "\\|%r|I"],
        'd' => &["1", "2", "3", "4", "7"],
        'f' => FLAGS,
        'g' => &["", "g", "2", "p"],
        'p' => REPLACEMENTS,
        't' => &["new", "  led", "two words", "a\\tb", "x\\\\y", "&", "1"],
        'T' => &["new", "two words", "one\\\ntwo", "one\\\n\\\nthree", "\\  led", "a&b"],
        'b' => &[
            "[abc]",
            "[^a]",
            "[a-f]",
            "[[:digit:]]",
            "[[:alpha:]]",
            "[[:space:]]",
            "[^ ]",
            "[]x]",
            "[^[:alnum:]]",
            "[.*]",
            "[a-]",
        ],
        'c' => &["a", "o", "e", "f", "t", "n", "1", " ", "d", "b", "l"],
        'B' => BLOCKS,
        'w' => &["w1", "w2"],
        other => unreachable!("no rule %{other}"),
    }
}

const BASIC: &[&str] = &[
    "%e",
    "%e%q",
    "%e%e",
    "%e%q%e",
    "^%e",
    "%e$",
    "^%e%q%e",
    "%e%q%e%q%e",
    "^$",
    "$",
    "^",
    "\\(%e%q\\)%e",
    "\\(%e\\)%q",
    "\\(%e\\)\\1",
    "foo",
    "\\(foo \\)*",
    ".*",
    "^.",
    ".$",
    "%e\\|%e",
    "\\<%e",
    "%e\\>",
    "\\b%e",
    "\\w\\+",
    "\\W",
    "\\s%e",
];
const BASIC_ATOMS: &[&str] = &["%c", "%c", "%c", ".", "%b", "%b", "\\.", "o"];
const BASIC_SUBSTITUTIONS: &[&str] = &[
    "s/%r/%p/%f",
    "s/%r/%p/%f",
    "s/%r/%p/%f",
    "s,%r,%p,%f",
    "s|%r|%p|%f",
    "s/\\(%e%q\\)\\(%e\\)/\\2\\1/%f",
    "s/\\(%e\\).*\\(%e\\)/[\\2%p\\1]/%f",
    "s/\\(%r\\)/<\\1>/%f",
    "s/\\(%e\\)*%e/(\\1)/%f",
    "s/\\(.\\)\\(.\\)/\\u\\2\\U%p\\1\\E-%p/%f",
    "s/[^ ]\\+/%p/%f",
    "s/%r//%f",
];
const EXTENDED: &[&str] = &[
    "%e",
    "%e%q",
    "%e%e",
    "%e%q%e",
    "^%e",
    "%e$",
    "^%e%q%e",
    "%e%q%e%q%e",
    "^$",
    "$",
    "^",
    "(%e%q)%e",
    "(%e)%q",
    "(%e)\\1",
    "foo",
    "(foo )*",
    ".*",
    "^.",
    ".$",
    "%e|%e",
    "(%e|%e)%q",
    "^(%e|%e%e)",
    "\\<%e",
    "%e\\>",
    "\\b%e",
    "\\w+",
    "\\W",
    "\\s%e",
];
const EXTENDED_ATOMS: &[&str] = &["%c", "%c", "%c", ".", "%b", "%b", "\\.", "o", "(%e)", "\\[", "\\+"];
const EXTENDED_SUBSTITUTIONS: &[&str] = &[
    "s/%r/%p/%f",
    "s/%r/%p/%f",
    "s/%r/%p/%f",
    "s,%r,%p,%f",
    "s#%r#%p#%f",
    "s/(%e%q)(%e)/\\2\\1/%f",
    "s/(%e).*(%e)/[\\2%p\\1]/%f",
    "s/(%r)/<\\1>/%f",
    "s/(.)(.)/\\u\\2\\U%p\\1\\E-%p/%f",
    "s/[^ ]+/%p/%f",
    "s/%r//%f",
    "s/(%e|%e%q)/<\\1>/%f",
];
const REPLACEMENTS: &[&str] = &[
    "", "X", "&", "&&", "[&]", "\\&", "x\\ny", "a\\\nb", "\\\\", "\\t", "\\U&", "\\u&", "\\L&\\E.", "\\l&", "\\/",
    "-&-", "\\x41",
];
const FLAGS: &[&str] = &["", "", "", "g", "g", "2", "3", "2g", "p", "gp", "I", "gI", "M", "gM", "2p"];

/// What selects lines; `0,` only before an expression.
const ADDRESSES: &[&str] = &[
    "", "", "", "%d", "$", "%R", "%R", "%d,%d", "%d,$", "%d,%R", "%R,%R", "%R,%d", "%R,$", "0,%R", "0~%d", "%d~%d",
    "%d,+%d", "%R,+%d", "%d,~%d", "%R,~%d", "$!", "%d!", "%R!", "%d,%d!", "%R,%R!", "%d,%R!", "2q;%d",
];

const COMMANDS: &[&str] = &[
    "%A%S",
    "%A%S",
    "%A%S",
    "%A%s",
    "%A%s",
    "%A%s",
    "%A%s;%A%S",
    "%A{%S;%S}",
    "%A{%s;%S;}",
    "%A{\n%C\n%S\n}",
    "%A{%s\n%C\n}",
    "%Aa\\\n%T",
    "%Ai\\\n%T",
    "%Ac\\\n%T",
    "%Aa %t",
    "%Ai %t",
    "%Ac %t",
    "%A{c\\\n%T\n}",
    "%Ar n",
    "%Rs//%p/%g",
    "%dr nosuch",
    "%dq",
    "%d!q3",
    "%RQ",
    "$Q4",
    "%AR n",
    "%Aw %w",
    "%AW %w",
    "%As/%r/%p/w %w",
    "%As/%r/%p/gpw %w",
    "%B",
    "%d{r z\n%S\n}",
];

const SIMPLE: &[&str] = &[
    "p",
    "p",
    "d",
    "g",
    "G",
    "h",
    "H",
    "n",
    "N",
    "P",
    "x",
    "x",
    "=",
    "l",
    "l 20",
    "l 5",
    "z",
    "y/abc/xyz/",
    "y/o \\//0_|/",
    "y/ef/\\n\\\\/",
    "n;d",
    "$!N",
    "G;h",
    "x;p;x",
    "y,é,e,",
];

/// Loops and jumps that end.
const BLOCKS: &[&str] = &[
    ":K;N;$!bK;%s",
    "%A{:K\ns/foo/f/;tK\n}",
    "%AbK\n%S\n:K",
    "%Ab\n%S",
    "%s;tK;%S;:K",
    "%s;TK;%S\n:K",
    "%s\nt\n%S",
    "$!{h;d};x;G",
    "%A{x;s/^/x/;/x\\{3\\}/b;x}",
    "1!G;h;$!d",
    "%A{s/\\n/,/;tK};%S;:K",
    ":K;s/^\\([^x]\\{1,5\\}\\)$/x\\1/;tK",
    "%s;t K1;b K2;:K1\n%S;:K2\n%S",
    "%Ab K2\n%S\n:K2",
];

/// Commands beside `D`.
const DELETING: &[&str] = &[
    "$!N;P;D",
    "$!N;D",
    "%A{N;D}",
    "$!N;/%r/P;D",
    "%AN",
    "%AP",
    "%Ap",
    "%AD",
    "/%r/!D",
    "%A=",
    "%An",
    "%Al",
    "$!N;s/\\n/ /;P;D",
    "%Ad",
    "$!N;/^\\(.*\\)\\n\\1$/!P;D",
    "%Aa\\\n%T",
    "%Ai %t",
    "%Aw %w",
    "%A{$!N;l;D}",
    "N;N;P;D",
    "%dq",
    "%Ac\\\n%T",
];
