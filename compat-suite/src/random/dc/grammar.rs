//! The grammar of the random dc programs.
//!
//! It has no single quote, because the shell quotes the programs. It leaves out: what docs/compatibility.md lists as different on purpose (`n`
//! where BusyBox prints a newline, `R`, `!`, registers without a value); errors, after which GNU dc goes on: most come from an
//! empty stack, therefore there are values on it, and in the registers, from the beginning; `P`, after which BusyBox keeps the value; digits that are
//! not below the base of input; `|` with a scale; `v` of 1, which has no scale for GNU dc; `q`, after which it has status 1
//! when it reads standard input.

/// The tables by the names of the rules.
pub fn table(rule: char) -> &'static [&'static str] {
    match rule {
        'S' => STATEMENTS,
        'n' => NUMBERS,
        'o' => &["+", "-", "*", " 2/", " 7%%", " 3~+", " 2^", "d*", "r-", "d*2+v", "d+", "_3+", "Z", "X", " .5/"],
        'r' => &["a", "b", "c"],
        'k' => &["0", "1", "2", "5", "10"],
        'b' => &["2", "8", "16", "10", "3", "12"],
        'm' => &["1", "2", "10", "7", "255", "12345678901234567890"],
        'M' => &["%n p", "1+", "d p", "[in]ps.", "%n %o p", "laps.", "d*", "%n %n %o p"],
        'c' => &["<", ">", "=", "!<", "!>", "!="],
        other => unreachable!("no rule %{other}"),
    }
}

const STATEMENTS: &[&str] = &[
    "%n",
    "%n %n",
    "%n p",
    "%n %n %o p",
    "%n %n %op",
    "%n %o p",
    "%n %n %n %o %o p",
    "%k k",
    "%n s%r l%r p",
    "%n s%r",
    "%n Sa %n Sa La p La p",
    "%n Sb %n Sc Lb p Lc p",
    "%bo %n p 10o",
    "8i 17 p Ai",
    "16i FF.8 p Ai",
    "2i 101.1 p Ai",
    "[text]ps.",
    "[%M]x",
    "%n [%M %M]x p",
    "[%M]s%r %n %n %c%r",
    "%n %n [[yes]p]s%r %c%r",
    "0[1+dd p 5>b]sblbx p",
    "0sd[ld1+dsdp 4>e]dsex",
    "z p",
    "d p",
    "c 1 2 3 4",
    "%n r p",
    "z1<d",
    "%n Z p",
    "%n X p",
    "%b v p",
    "%n %m ~ p r p",
    "0k 2 3 %m | p",
    "0k 4 13 497 | p",
    "%n %k :%r %k ;%r p",
    "[abc]Z p",
    "65a p s.",
    "[xyz]a p s.",
    "K p",
    "I p",
    "O p",
    "f",
    "# comment\n",
    "%n %n%o p",
    "[%n p # no\n]x",
    "%n p s.",
    "1 %k ^ p",
    "3 _2 ^ p",
    "[[%n p 2Q] x [no] p] x [on] ps.",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "10",
    "_4",
    "7.25",
    ".5",
    "_.1",
    "100.00",
    "12345678901234567890",
    "3.14159265358979",
    "1.10",
    "A",
    "0.001",
    "99",
    "255",
    "_16",
    "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
];
