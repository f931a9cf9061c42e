//! Random shell scripts: quoting, expansion, patterns, arithmetic, control flow, functions, redirection, `read`, traps.
//!
//! Left out is what BusyBox 1.35 is known to do otherwise than POSIX, or POSIX leaves open: assignments and divisions in a
//! branch of an arithmetic expression that is not taken, `"${@-word}"`, `${#@}`, `$?` in an arm of `case`, `set -e` within
//! `$(...)`, `set -u` in arithmetic, a backslash before a blank in the input of `read`, text behind the tilde of a user that
//! there is not, `$@` where it is not split, an EXIT trap within a redirection, a pattern that ends in a backslash.

use super::Random;

/// The script of a seed.
pub fn script(seed: u64) -> String {
    let mut writer =
        Writer { random: Random::new(seed), out: String::new(), depth: 0, loops: 0, whole: false, signs: false };
    writer.begin();
    for _ in 0..1 + writer.random.below(5) {
        writer.statement();
        writer.out.push('\n');
    }
    writer.out
}

const VALUES: &[&str] = &[
    "''", "'a b'", "' x  y '", "a:b", ":a::b:", "'*'", "'a*'", "'?b'", "'[ab]*'", "'\\b'", "'a\\b'", "'\\*'",
    "\"it's\"", "'\"q\"'", "'$a'", "abcabc", "/x/y.z", "'a\tb'", "'a\nb'", "-n", "'!x'", "b", "' '", "':'", "a.c",
    "'a b  c'",
];

const IFS: &[&str] = &["' '", "':'", "' :'", "''", "':b'", "'a'", "' \t\n'", "'.'", "'\\'", "'*'", "': '"];

/// A text that grows by the rules of the grammar.
struct Writer {
    random: Random,
    out: String,
    depth: usize,
    /// Loops and files so far: each has a name of its own.
    loops: usize,
    /// What is written will not be split into fields: `$@` is unspecified there.
    whole: bool,
    /// IFS has had a character that is no white space: BusyBox then loses an empty field at the start of a parameter.
    signs: bool,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn pick(&mut self, from: &[&str]) {
        let text = self.random.pick(from);
        self.out.push_str(text);
    }

    fn chance(&mut self, of: usize) -> bool {
        self.random.below(of) == 0
    }

    fn separators(&mut self) {
        let ifs = self.random.pick(IFS);
        self.signs |= ifs.chars().any(|sign| !" '\t\n".contains(sign));
        self.put(ifs);
    }

    fn begin(&mut self) {
        for name in ["x", "y", "z"] {
            if !self.chance(4) {
                self.put(name);
                self.put("=");
                self.pick(VALUES);
                self.put("; ");
            }
        }
        let number = self.random.below(20) as i64 - 4;
        let other = self.random.below(9);
        self.put(&format!("n={number} m={other}\n"));
        if self.chance(2) {
            self.put("set --");
            for _ in 0..self.random.below(4) {
                self.put(" ");
                self.pick(VALUES);
            }
            self.put("\n");
        }
        if self.chance(3) {
            self.put("IFS=");
            self.separators();
            self.put("\n");
        }
        if self.chance(12) {
            self.pick(&["set -f\n", "set -C\n", "set -C\n", "unset IFS\n"]);
        }
    }

    fn statement(&mut self) {
        self.depth += 1;
        if self.depth > 4 {
            self.simple();
        } else {
            match self.random.below(32) {
                0..=8 => self.simple(),
                9 => self.if_command(),
                10 => self.for_loop(),
                11 => self.while_loop(),
                12 | 13 => self.case(),
                14 => self.wrapped("( ", " )"),
                15 => self.wrapped("{ ", "; }"),
                16 => self.pipeline(),
                17 | 18 => self.and_or(),
                19 => self.function(),
                20 => self.here_document(),
                21 => self.read(),
                22 => self.redirection(),
                23 => self.eval(),
                24 => self.assignment_before(),
                25 => self.arithmetic_statement(),
                26 if self.depth == 1 => self.trap(),
                27 => self.getopts(),
                28 => self.test(),
                29 => self.set(),
                30 => self.loop_jump(),
                _ => self.wrapped("! { ", "; }"),
            }
        }
        self.depth -= 1;
    }

    fn statements(&mut self) {
        self.statement();
        if self.chance(3) {
            self.put("\n");
            self.statement();
        }
    }

    fn simple(&mut self) {
        match self.random.below(8) {
            0 | 1 => self.assignment(),
            2 => self.pick(&["echo $?", "true", "false", "(exit 3)", ":", "echo \"$-\" >/dev/null", "echo $#"]),
            3 => {
                self.put("echo ");
                self.words();
            }
            _ => {
                self.put("printf '<%s>' ");
                self.words();
                self.put("; echo");
            }
        }
    }

    fn assignment(&mut self) {
        self.pick(&["x", "y", "z"]);
        self.put("=");
        self.whole_word();
    }

    /// A word that is not split.
    fn whole_word(&mut self) {
        let outer = std::mem::replace(&mut self.whole, true);
        self.word();
        self.whole = outer;
    }

    fn positional(&mut self) {
        if self.whole || self.signs {
            return self.pick(if self.whole { &["$1", "$2", "$#", "${3}", "$*"] } else { &["$1", "$2", "$#", "${3}"] });
        }
        self.pick(&["$1", "$2", "$#", "${3}", "$@", "$*", "$@", "$*"]);
    }

    fn words(&mut self) {
        for number in 0..1 + self.random.below(3) {
            if number > 0 {
                self.put(" ");
            }
            self.word();
        }
    }

    fn word(&mut self) {
        if self.chance(20) {
            return self.pick(&["~", "~/x", "~/a.c", "x:~", "a:~/b"]);
        }
        for _ in 0..1 + self.random.below(3) {
            self.piece(false);
        }
    }

    fn piece(&mut self, quoted: bool) {
        match self.random.below(if quoted { 10 } else { 15 }) {
            0..=2 => self.pick(&["a", "b", ".", "x", "ab", "1", "/", "-", ":", "=", ",", "a.c"]),
            3 | 4 => self.variable(),
            5 => self.expansion(quoted),
            6 => self.positional(),
            7 => {
                self.put("$((");
                self.arithmetic(2);
                self.put("))");
            }
            8 => self.substitution(),
            9 => self.pick(&["\\$", "\\\\", "\\\"", "\\`", "\\a", " ", "  ", "\\*", "'"][..if quoted { 9 } else { 5 }]),
            10 => {
                self.put("'");
                self.pick(&["", "a b", "$x", "\\", "*", "\"", " ", "`"]);
                self.put("'");
            }
            11 | 12 => {
                self.put("\"");
                for _ in 0..self.random.below(4) {
                    self.piece(true);
                }
                self.put("\"");
            }
            13 => self.pick(&["*", "?", "[ab]*", "a*", ".*", "*.c", "[!a]*", "b?c", "[b]\\ c"]),
            _ => self.pick(&["\\~", "a~", "./~", "=~"]),
        }
    }

    fn variable(&mut self) {
        self.pick(&["$x", "$y", "$z", "${x}", "${y}", "$n", "${m}", "$u"]);
    }

    fn expansion(&mut self, quoted: bool) {
        self.put("${");
        self.pick(&["x", "y", "z", "u", "n", "1", "2"]);
        match self.random.below(6) {
            0 | 1 => {
                self.pick(&["-", ":-", "+", ":+"]);
                if self.depth < 8 {
                    self.depth += 1;
                    for _ in 0..self.random.below(3) {
                        self.inner_piece(quoted);
                    }
                    self.depth -= 1;
                }
            }
            2..=4 => {
                self.pick(&["#", "##", "%", "%%"]);
                self.pattern();
            }
            _ => {}
        }
        self.put("}");
        if self.chance(6) {
            self.put("${#");
            self.pick(&["x", "y", "z", "1"]);
            self.put("}");
        }
    }

    /// A piece of the word in `${x-word}`.
    fn inner_piece(&mut self, quoted: bool) {
        match self.random.below(8) {
            0 if !quoted => self.pick(&["'a b'", "' '", "'*'", "''"]),
            1 => self.pick(&["\"a b\"", "\" \"", "\"$y\"", "\"\""]),
            2 => self.pick(&["$1", "$2", "\\}", "\\\"", "\\$"]),
            3 => self.expansion(quoted),
            _ => self.pick(&["a", "b c", " ", "$y", "${z}", ":", "*", "1", "  d", "e "]),
        }
    }

    fn pattern(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            self.pick(&[
                "*",
                "?",
                "a",
                "b",
                "[ab]",
                "[!a]",
                "[a-c]",
                ".",
                "/",
                "\\*",
                "\"*\"",
                "'a'",
                "$y",
                "\"$y\"",
                "\"$x\"",
                "${z}",
                "[[:alpha:]]",
                "[]a]",
                "\\\\",
                "\" \"",
                "\\ ",
                "x",
                "c",
                ":",
                "[.]",
                "\\a",
            ]);
        }
    }

    fn substitution(&mut self) {
        if self.depth > 4 {
            return self.pick(&["$(echo a b)", "`echo $x`", "$(printf %s \"$y\")", "`echo '\\\\'`", "$(false)"]);
        }
        self.put("$( ");
        let outer = std::mem::replace(&mut self.whole, false);
        self.statement();
        self.whole = outer;
        self.put(")");
    }

    fn arithmetic(&mut self, depth: usize) {
        if depth == 0 || self.chance(3) {
            return self
                .pick(&["1", "2", "0", "7", "n", "m", "$n", "$m", "010", "0x1f", "(n)", "-1", "${n}", "u", "$#"]);
        }
        match self.random.below(8) {
            0 => {
                self.pick(&["-", "+", "!", "~", "- ", "! "]);
                self.put("(");
                self.arithmetic(depth - 1);
                self.put(")");
            }
            1 => {
                self.put("(");
                self.arithmetic(depth - 1);
                self.put(")?(");
                self.arithmetic(depth - 1);
                self.put("):(");
                self.arithmetic(depth - 1);
                self.put(")");
            }
            _ => {
                self.arithmetic(depth - 1);
                if self.chance(6) {
                    return self.pick(&["/3", " / 2", "%5", " % 2"]);
                }
                self.pick(&["+", "-", "*", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&", "|", "^", "&&", "||"]);
                self.put(" ");
                self.arithmetic(depth - 1);
            }
        }
    }

    fn arithmetic_statement(&mut self) {
        self.put(": $((");
        self.pick(&["n", "m"]);
        self.pick(&["=", "+=", "-=", "*=", "|=", "&=", "^="]);
        self.arithmetic(2);
        self.put(")); echo $n $m");
    }

    fn if_command(&mut self) {
        self.put("if ");
        self.statement();
        self.put("; then ");
        self.statements();
        if self.chance(3) {
            self.put("\nelif ");
            self.statement();
            self.put("; then ");
            self.statements();
        }
        if self.chance(2) {
            self.put("\nelse ");
            self.statements();
        }
        self.put("; fi");
    }

    fn for_loop(&mut self) {
        self.put("for i in ");
        self.words();
        self.put("; do printf '[%s]' \"$i\"; ");
        self.statement();
        self.put("; done; echo");
    }

    fn while_loop(&mut self) {
        self.loops += 1;
        let name = format!("k{}", self.loops);
        self.put(&format!("{name}=0; "));
        if self.chance(4) {
            self.put(&format!("until [ ${name} -ge 3 ]"));
        } else {
            self.put(&format!("while [ ${name} -lt 3 ]"));
        }
        self.put(&format!("; do {name}=$(({name}+1)); "));
        self.statement();
        self.put("; done");
    }

    /// `break` and `continue` with and without a count.
    fn loop_jump(&mut self) {
        self.put("for i in 1 2 3; do for j in a b; do ");
        self.statement();
        self.put("; case $i$j in ");
        self.pick(&["1a", "2b", "*b", "3*"]);
        self.put(") ");
        self.pick(&["break", "continue", "break 2", "continue 2", "break 1", "eval break", "{ continue; }"]);
        self.put(";; esac; echo $i$j; done; done");
    }

    fn case(&mut self) {
        self.put("case ");
        self.whole_word();
        self.put(" in ");
        for _ in 0..1 + self.random.below(3) {
            self.pattern();
            if self.chance(3) {
                self.put("|");
                self.pattern();
            }
            self.put(") echo ");
            self.pick(&["one", "two", "three"]);
            self.put(";; ");
        }
        self.put("*) ");
        self.statement();
        self.put(";; esac");
    }

    fn wrapped(&mut self, before: &str, after: &str) {
        self.put(before);
        self.statements();
        self.put(after);
    }

    fn pipeline(&mut self) {
        self.statement();
        self.put(" | ");
        self.pick(&[
            "cat",
            "{ read -r q; echo \"[$q]\"; cat; }",
            "while read -r q w; do echo \"$q-$w\"; done",
            "(cat; echo end)",
        ]);
    }

    fn and_or(&mut self) {
        self.statement();
        self.pick(&[" && ", " || "]);
        self.simple();
        if self.chance(3) {
            self.pick(&[" && ", " || "]);
            self.simple();
        }
    }

    fn function(&mut self) {
        let name = format!("f{}", self.depth);
        self.put(&format!("{name}() {{ "));
        if self.chance(2) {
            self.put("local x=");
            self.pick(VALUES);
            self.put("; ");
        }
        self.statements();
        if self.chance(3) {
            self.put("; return ");
            self.pick(&["", "0", "3", "$?"]);
        }
        self.put(&format!("; }}; {name} "));
        self.words();
        self.put("; echo $? $# \"$x\"");
    }

    fn here_document(&mut self) {
        let quoted = self.chance(3);
        self.put(if quoted { "cat <<'E'\n" } else { "cat <<E\n" });
        for _ in 0..1 + self.random.below(3) {
            for _ in 0..self.random.below(4) {
                match self.random.below(5) {
                    0 => self.variable(),
                    1 => self.expansion(true),
                    2 => self.pick(&[
                        "\"",
                        "'",
                        "\\$x",
                        "\\\\",
                        "\\a",
                        "$2",
                        "$*",
                        "*",
                        "~",
                        "`echo \\$x`",
                        "$(echo $y)",
                    ]),
                    _ => self.pick(&["a", "b c", " ", "\t"]),
                }
            }
            self.put("\n");
        }
        self.put("E\n");
    }

    fn read(&mut self) {
        if self.chance(3) {
            self.put("IFS=");
            self.separators();
            self.put(" ");
        }
        self.pick(&["read -r p q", "read p q", "read p", "read p q r", "IFS= read -r p"]);
        self.put(" <<'E'\n");
        for _ in 0..self.random.below(6) {
            self.pick(&["a", " ", "b", ":", "::", "  ", "c d", "\t", ".", "a.b"]);
        }
        self.put("\nE\necho \"$?[$p][$q][$r]\"");
    }

    fn redirection(&mut self) {
        // A file of its own: one that is read while it grows never ends.
        self.loops += 1;
        let file = format!("o{}", self.loops);
        self.put("{ ");
        self.statements();
        self.put("; } ");
        let form = self.random.pick(&[">F", ">>F", ">F 2>&1", "3>F >&3", ">|F", ">F <a.c", "2>/dev/null >F", "1<>F"]);
        self.put(&form.replace('F', &file));
        self.put(&format!("; cat {file}"));
    }

    fn eval(&mut self) {
        self.put("eval \"");
        self.pick(&[
            "echo $x",
            "echo \\$x",
            "x=\\$y; echo \\\"\\$x\\\"",
            "set -- \\\"\\$@\\\" e; echo \\$#",
            "false",
            "",
            "echo \\$?",
        ]);
        self.put("\"; echo $?");
    }

    fn assignment_before(&mut self) {
        self.pick(&["x=1 y=$x ", "IFS= ", "x=$y ", "z= ", "x=a "]);
        self.pick(&[
            "eval 'echo $x $y'",
            ": ",
            "true",
            "printf '%s\\n' \"$x\"",
            "set -- $x",
            "export x",
            "unset z",
            "f9",
        ]);
        self.put("; echo \"$x|$y|$#\"");
    }

    fn trap(&mut self) {
        self.put("(trap 'echo trap $?' EXIT; ");
        self.statement();
        self.put("; ");
        self.pick(&["exit 3", "exit", "true", "false", "trap - EXIT", "(exit 4)"]);
        self.put(")");
    }

    fn getopts(&mut self) {
        self.put("OPTIND=1; while getopts ");
        self.pick(&["ab:c", ":ab:c", "b:", ":b:"]);
        self.put(" o ");
        for _ in 0..1 + self.random.below(3) {
            self.pick(&["-a ", "-b ", "-bx ", "-ab y ", "-ca ", "-d ", "-- ", "- ", "w ", "'' ", "-b '' "]);
        }
        self.put("; do echo \"$o [$OPTARG]\"; done 2>/dev/null; echo $OPTIND $o");
    }

    fn test(&mut self) {
        self.put("[ ");
        if self.chance(4) {
            self.put("! ");
        }
        match self.random.below(4) {
            0 => {
                self.pick(&["-n ", "-z ", ""]);
                self.put("\"");
                self.variable();
                self.put("\"");
            }
            1 => {
                self.pick(&["-f a.c", "-d .", "-e nope", "-s a.c", "-f .", "-r ab", "-x ab"]);
            }
            2 => {
                self.pick(&["$n", "$m", "3", "-1"]);
                self.pick(&[" -eq ", " -ne ", " -lt ", " -le ", " -gt ", " -ge "]);
                self.pick(&["$n", "$m", "3", "0"]);
            }
            _ => {
                self.put("\"");
                self.variable();
                self.pick(&["\" = \"", "\" != \""]);
                self.variable();
                self.put("\"");
            }
        }
        self.put(" ]; echo $?");
    }

    fn set(&mut self) {
        match self.random.below(4) {
            0 => self.pick(&["shift", "set --", "set -- \"$@\" new", "set -- $x", "unset x", "unset IFS", "shift 0"]),
            1 => {
                self.put("set -- ");
                self.words();
            }
            2 => {
                self.put("IFS=");
                self.separators();
            }
            _ => self.pick(&[
                "set -f; echo *; set +f",
                "set -u; echo \"${u-unset}\"; set +u",
                "set -C; echo a >n; set +C",
                "set -a; set +a",
            ]),
        }
        self.put("; echo \"$#[$*]\"");
    }
}
