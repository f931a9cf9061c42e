//! The grammar of the random scripts: tables of templates, of which one is chosen. A template that is listed twice is chosen twice as
//! often.
//!
//! No generated word may become the name of a command, because the scripts run where they could do harm.
//!
//! The grammar leaves out what BusyBox 1.35 is known to do otherwise than POSIX, and what POSIX leaves open: assignments and divisions in a
//! branch of an arithmetic expression that is not taken, `?:` in `?:` without parentheses, `"${@-word}"`, `${#@}`, `$?` in an
//! arm of `case`, `set -e` within `$(...)` and where a file that is read returns, `set -u` in arithmetic, a backslash before a
//! blank in the input of `read`, text after the tilde of an unknown user, `$@` where it is not split, a pattern that
//! ends in a backslash, quotes in a pattern in a here-document (BusyBox and dash there take the value of `"$y"` for a
//! pattern), `$((` that begins a command, `! !`, `[[ ]]` whose operands are patterns in quotes, `${x//pattern}` that fits
//! nothing at all (BusyBox runs for ever), a here-document that begins before the words of `for` end, `[.` in brackets without
//! `.]`, `"$@$@"` (without parameters one field in BusyBox, none by POSIX 2.5.2), `\}` in double quotes in the braces of an
//! expansion (BusyBox and dash remove the backslash, 2.2.3 keeps it), `cat` of a file that is overwritten afterwards (BusyBox
//! moves the file's pages into the pipe, so that a reader may see later contents). It also leaves out the contents of `/`, which
//! change, and commands that cannot be read in backquotes.

/// The table of a rule, which is named by one character.
pub fn table(rule: char) -> &'static [&'static str] {
    match rule {
        'V' => VALUES,
        'v' => &["x", "y", "z"],
        'k' => &["x", "y", "z", "x", "y", "z", "u", "n", "1", "2"],
        'd' => &["0", "1", "2", "3", "4", "5"],
        's' => &["0", "1", "2", "3", "7", "127", "255"],
        'f' => REPLACED,
        'z' => &["a.c", "lib", "'b c'", ".h", "d/*", "nope", "*.c", "-", "./a*"],
        'Z' => FILES,
        'B' => BODIES,
        'T' => TESTS,
        'e' => FAILING,
        'O' => &["-eq", "-ne", "-lt", "-le", "-gt", "-ge"],
        'M' => &["$n", "$m", "3", "0", "-1", "12"],
        _ => unreachable!("no rule %{rule}"),
    }
}

const VALUES: &[&str] = &[
    "''", "'a b'", "' x  y '", "a:b", ":a::b:", "'*'", "'a*'", "'?b'", "'[ab]*'", "'\\b'", "'a\\b'", "'\\*'",
    "\"it's\"", "'\"q\"'", "'$a'", "abcabc", "/x/y.z", "'a\tb'", "'a\nb'", "-n", "'!x'", "b", "' '", "':'", "a.c",
    "'a b  c'", "'d/*'", "'[a'", "'a]'", "'#a'", "'~'", "'a=b'", "'-'", "aAbB", "'(a)'", "'a;b'", "'`a`'",
];

/// Values of IFS. Where a value has a blank and another separator, no expanded value begins with that separator: after an
/// expansion that ends in a blank both are one delimiter by POSIX 2.6.5, but not in BusyBox.
pub const SEPARATORS: &[&str] =
    &["' '", "':'", "' c'", "''", "':b'", "'a'", "' \t\n'", "'.'", "'\\'", "'*'", "'y '", "'\t'", "'/'", "'-'"];

pub const BEGINNINGS: &[&str] = &[
    "n=%d m=%d\n",
    "n=-%d m=1%d\n",
    "n=%d m=%d; set --\n",
    "n=%d m=2; set -- %V\n",
    "n=%d m=3; set -- %V %V\n",
    "n=%d m=4; set -- %V %V %V\n",
    "n=%d m=%d; set -- %V %V; IFS=%I\n",
    "n=%d m=%d; IFS=%I\n",
    "n=7 m=%d; set -f\n",
    "n=7 m=%d; set -C\n",
    "n=7 m=%d; unset IFS; set -- %V\n",
];

/// Statements that hold others, or several words of their own.
pub const STATEMENTS: &[&str] = &[
    "if %S; then %L; fi",
    "if %S; then %L; else %L; fi",
    "if %S%Nthen %L%Nelif %S%Nthen %L%Nelse %L%Nfi",
    "if ! %C; then %S; fi",
    "for i in %W; do printf '[%%s]' \"$i\"; %S; done; echo",
    "for i in %W; do%N%S%Ndone",
    "for i do echo \"<$i>\"; %S; done",
    "for i in; do echo no; done; echo $?",
    "k%n=0; while [ $k%n -lt 3 ]; do k%n=$((k%n+1)); %S; done",
    "k%n=0; until [ $k%n -ge 2 ]; do k%n=$((k%n+1)); %L; done",
    "k%n=0; while :; do k%n=$((k%n+1)); %S; [ $k%n -lt 3 ] || break; done; echo $k%n",
    "for i in 1 2 3; do for j in a b; do %S; case $i$j in 1a|2b) break;; esac; echo $i$j; done; done",
    "for i in 1 2 3; do for j in a b; do %C; case $i$j in *b) continue 2;; 3*) break 2;; esac; echo $i$j; done; done",
    "for i in 1 2 3; do case $i in 2) continue;; esac; %S; eval break; done; echo $i",
    "for i in 1 2; do { %C; continue; } ; echo no; done",
    "case %w in %P) echo one;; *) %S;; esac",
    "case %w in %P|%P) echo one;; %P) echo two;; (*) %S;; esac",
    "case %w in (%P) echo one;; (%P|%P) echo two ;; esac; echo $?",
    "case %w in%N%P) %C%N;;%N%P)%N;;%N*) echo other; esac",
    "( %L )",
    "( %S; exit %s ); echo $?",
    "{ %L; }",
    "{ %L%N} 2>&1",
    "! { %S; }; echo $?",
    "! %C; echo $?",
    "%S | cat",
    "%S | { read -r q; echo \"[$q]\"; cat; }",
    "%S | while read -r q w; do echo \"$q-$w\"; done",
    "%S | while IFS= read -r q; do printf '<%%s>' \"$q\"; done; echo",
    "%S | (cat; echo end)",
    "! %C | cat; echo $?",
    "echo \"$x\" | cat",
    "%C | %C | cat; echo $?",
    "%S | tr a b | sed 's/b/<&>/'",
    "%S && %C",
    "%S || %C",
    "%C && %C || %C",
    "%C || %C && %S",
    "f%n() { %L; }; f%n %W; echo $? $#",
    "f%n() { local x=%V; %L; return; }; f%n %W; echo $? \"$x\"",
    "f%n() { local x y=%w; %S; echo \"$x/$y\"; return %s; }; f%n; echo $? \"$x/$y\"",
    "f%n() { %S; return $?; echo no; }; f%n \"$@\" || echo $?",
    "f%n() ( x=in; %S; exit %s); f%n %W; echo $? \"$x\"",
    "f%n() { for i; do [ \"$i\" = b ] && return 4; echo \"$i\"; done; }; f%n %W b c; echo $?",
    "f%n() { %S; } >o%n 2>&1; f%n %W; cat o%n",
    "f%n() { [ $# -gt 0 ] || return 0; printf '(%%s' \"$1\"; shift; f%n \"$@\"; printf ')'; }; f%n %W; echo",
    "f%n() { if %C; then return 1; fi; %S; }; f%n; echo $?",
    "cat <<E%H",
    "cat <<'E'%H",
    "cat <<-E%H",
    "cat <<\\E%H | tr a b",
    "{ cat; echo end; } <<E%H",
    "cat <<E%H; cat <<F%G",
    "while read -r q; do echo \"($q)\"; done <<E%H",
    "q=$(cat <<E%H%F); echo \"$q\"",
    "f%n() { cat <<E%H%F}; f%n %W",
    "IFS=%I read -r p q <<'E'%R; echo \"$?[$p][$q]\"",
    "read -r p q r <<'E'%R; echo \"$?[$p][$q][$r]\"",
    "read p q <<'E'%R; echo \"$?[$p][$q]\"",
    "IFS= read -r p <<'E'%R; echo \"$?[$p]\"",
    "read -r -n %d p <<'E'%R; echo \"$?[$p]\"",
    "printf '%%s' \"%q\" | { read -r p; echo \"$?[$p]\"; }",
    "{ %L; } >o%n; cat o%n",
    "{ %L; } >>o%n; cat <o%n",
    "{ %S; } >o%n 2>&1; cat o%n",
    "{ %S; } 3>o%n >&3; cat o%n",
    "{ %S; } 2>/dev/null >|o%n; cat <o%n",
    "{ %S; } 1<>o%n; tr a a <o%n",
    "( exec >o%n; %S ); cat o%n",
    "exec 4>o%n; %S >&4; echo more >&4; exec 4>&-; cat o%n",
    "{ echo a >&3; %S; } 3>&1 >/dev/null",
    "echo %W >o%n; echo %W >>o%n; cat o%n",
    "cat <o%n; echo $?",
    "%S <a.c",
    "eval \"%B; %B\"; echo $?",
    "eval \"%B\"; echo $?",
    "eval \"%B\" %B",
    "OPTIND=1; while getopts ab:c o %o; do echo \"$o [$OPTARG]\"; done; echo $OPTIND $o",
    "OPTIND=1; while getopts :ab:c o %o; do echo \"$o [$OPTARG]\"; done; echo $OPTIND $o",
    "f%n() { local o OPTIND=1; while getopts b: o; do echo \"$o $OPTARG\"; done; shift $((OPTIND-1)); echo \"$#:$1\"; }; f%n %o",
    "if [ %T ]; then %S; else %C; fi",
    "while [ %T ]; do %S; break; done",
    "[ %T ] && %S",
    "test %T || %C",
    "(set -u; echo \"$u\"; echo no); echo $?",
    "(set -u; echo \"${u-unset}${x-y}\" $#; echo $1; echo \"$*\"); echo $?",
    "(set -f; echo * %W; set +f; echo *)",
    "(readonly r=%V; r=b; echo no); echo $?",
    "(readonly x; %C; echo \"$x\"); echo $?",
    "(shift 9; echo no); echo $?",
    "(: ${u?gone}; echo no); echo $?",
    "(: ${u:=%i}; echo \"$u\")",
    "(unset x y; echo \"${x-a}${y+b}\"; %C)",
    "alias a%n='echo al '%Na%n %W%Nunalias a%n",
    "alias a%n='if false || '%Na%n %C; then %C; fi",
    "%S & wait $!; echo $?",
    "{ %S; } & wait; echo $?",
    "x=1 y=$x eval 'echo $x $y'; echo \"$x|$y\"",
    "x=%w true; echo \"$x\"",
    "x=%w :; echo \"$x\"",
    "x=%w f9; echo \"$x\"",
    "f%n() { echo \"$x\"; x=new; }; x=%w f%n; echo \"$x\"",
    "x=%w sh -c 'echo \"$x\"'",
    "export x; x=%w; sh -c 'echo \"<$x>\"'",
    "(cd d && pwd | sed 's|.*/||'; echo * %W)",
    "command echo %W; command -v echo; command -v nosuch; echo $?",
    "nosuch%n %W; echo $?",
    "set -- %W; echo \"$#[$*]\"",
    "set -- \"$@\" %W; shift; echo \"$#[$1]\"",
    "set -- %W; for i in \"$@\"; do echo \"$i\"; done",
    "IFS=%I; echo $x; echo \"$*\"; set -- $y; echo $#",
    "unset IFS; echo \"$*\" $x; IFS=' \t\n'",
    "[[ \"$x\" = a ]]; echo $?",
    "[[ -n \"$x\" ]] || [[ -z \"$y\" ]]; echo $?",
    ". ./lib; echo $?",
    "echo \"%B\" >l%n; . ./l%n; echo $?",
    "q=%Y; echo \"$? $q\"",
    "echo \"%c\" $( %C)",
    "x=%c y=`%Q`; echo \"$x|$y\"",
    "w%n=%d; while [ $((w%n-=1)) -gt 0 ]; do %C; done",
];

/// Statements that are in nothing else. BusyBox takes the redirections of the commands around back before it runs an EXIT
/// trap or prints a trace, and `set -e` does not count in its substitutions.
pub const OUTERMOST: &[&str] = &[
    "(set -x; %K)",
    "(set -x; %K%N%K)",
    "(set -e; %e; echo on; %e; echo end); echo $?",
    "(set -e; if %e; then echo y; fi; %e || echo n; ! %e; %e; echo end); echo $?",
    "(set -e; f%n() { %e; echo in; }; f%n || echo or; f%n; echo end); echo $?",
    "(set -e; while %e; do echo once; break; done; %e && echo y; { %e; }; ( %e ); echo end); echo $?",
    "(trap 'echo trap $?' EXIT; %S; exit %s)",
    "(trap 'echo trap $?' EXIT; %S; %C)",
    "(trap 'echo one' EXIT; trap 'echo two; exit 5' EXIT; %C); echo $?",
    "(trap - EXIT; trap 'echo t' EXIT; ( %C ); %C)",
];

/// Commands whose failure is looked at, and how.
const FAILING: &[&str] = &[
    "false",
    "false",
    "true",
    "(exit %s)",
    "x=%V",
    "[ -n \"$x\" ]",
    "test $n -gt 3",
    ":",
    "{ false; }",
    "false || true",
    "true && false",
    "(cd nope)",
    "f9",
    "x=1 false",
    "eval false",
    "command false",
    "for i in a; do false; done",
    "case a in a) false; esac",
    "cat nope",
    "true | false",
    "false | true",
    "echo $?",
];

/// Statements that end within their line and hold no other.
pub const SIMPLE: &[&str] = &[
    "%v=%w",
    "%v=%w",
    "%v=%w %v=%w",
    "%v=%V",
    "%v=$%v%v",
    "echo $?",
    "true",
    "false",
    "(exit %s)",
    ":",
    "echo $#",
    "echo %W",
    "echo %W",
    "echo \"%q\"",
    "printf '<%%s>' %W; echo",
    "printf '<%%s>' %W; echo",
    "printf '<%%s>' %W; echo",
    "printf '<%%s>' \"%q\" %W; echo",
    "printf '[%%s]' \"$@\"; echo",
    "printf '%%s,%%s;' %W; echo",
    "printf '%%d %%x %%o/%%5s/%%-5s/%%c\\n' %d 1%d %d %d ab %V",
    "printf '%%b' %V; echo",
    "echo $((%A))",
    "echo $((%A)) $((%A))",
    ": $((n=%A)); echo $n",
    ": $((m+=%a)); echo $m",
    "echo $((n++)) $((--m)) $n $m",
    "let 'n=%a'; echo $? $n",
    "echo %W >/dev/null; echo $?",
    "echo %W >&2",
    "shift",
    "unset %v",
    "test %T; echo $?",
    "[ ! %T ]; echo $?",
    "cat %z",
    "echo %Z",
    "case %w in %P) echo y;; *) echo n;; esac",
    "x=%w; echo \"$x\"",
];

/// Texts for `eval` within double quotes.
const BODIES: &[&str] = &[
    "echo $x",
    "echo \\$x",
    "x=\\$y; echo \\\"\\$x\\\"",
    "set -- \\\"\\$@\\\" e; echo \\$#",
    "false",
    "",
    "echo \\$?",
    "for i in \\$x; do echo \\\"\\$i\\\"; done",
    "echo '\\$y'",
    "f9() { echo f9 \\$1; }",
    "echo \\`echo \\$y\\`",
];

const TESTS: &[&str] = &[
    "-n \"%q\"",
    "-z \"%q\"",
    "\"%q\"",
    "-f a.c",
    "-d d",
    "-e nope",
    "-s a.c",
    "-r ab -a -d .",
    "-x ab -o -f ab",
    "%M %O %M",
    "%M %O %M",
    "\"%q\" = \"%q\"",
    "\"$x\" = \"$y\"",
    "\"$x\" != %p%p",
    "%v = %v",
    "! -n \"$x\"",
    "$#",
];

/// Names of files, some of them there.
const FILES: &[&str] = &["a.c", "ab", "'b c'", ".h", "d/e", "d", "nope", "*", "*.c", "d/*", "*/", "[!a]*", "./*"];

pub const TILDES: &[&str] = &["~", "~/x", "~/a.c", "x:~", "a:~/b", "\\~", "a~", "\"~\"", "~\"/a\""];

pub const LITERALS: &[&str] =
    &["a", "b", ".", "x", "ab", "1", ":/", "-", ":", "=", ",", "a.c", "a#", "{a,b}", "%%", "@", "!", "^", "+", "]"];

pub const VARIABLES: &[&str] = &["$x", "$y", "$z", "${x}", "${y}", "$n", "${m}", "$u"];

pub const PARAMETERS: &[&str] = &["$1", "$2", "$#", "${3}", "$@", "$*", "$@", "$*", "$?"];
/// Where IFS has contained a separator that is no blank.
pub const ONE_PARAMETER: &[&str] = &["$1", "$2", "$#", "${3}"];
/// Where nothing is split.
pub const UNSPLIT_PARAMETERS: &[&str] = &["$1", "$2", "$#", "${3}", "$*"];

pub const ESCAPES: &[&str] = &["\\$", "\\\\", "\\\"", "\\`", "\\a", "\\ ", "\\*", "\\'", "\\\n", "\\~", "\\#", "\\;"];
pub const QUOTED_ESCAPES: &[&str] =
    &["\\$", "\\\\", "\\\"", "\\`", "\\a", " ", "  ", "\\*", "'", "\\\n", "#", ";", "\n"];

pub const QUOTES: &[&str] = &[
    "\"%q\"",
    "\"%q\"",
    "\"%q\"",
    "''",
    "'a b'",
    "'$x'",
    "'\\'",
    "'*'",
    "'\"'",
    "' '",
    "'`'",
    "'a\nb'",
    "\"\"",
    "$'a\\tb'",
    "$'\\x41'",
    "$'it\\'s'",
    "$'\\101\\n'",
    "$'\\\\'",
    "\"'\"",
];

pub const GLOBS: &[&str] = &[
    "*",
    "?",
    "[ab]*",
    "a*",
    ".*",
    "*.c",
    "[!a]*",
    "b?c",
    "[b]\\ c",
    "d/*",
    "*/",
    "*/*",
    "[",
    "[a",
    "[[:alpha:]]*",
    "a[]b]*",
    "./*",
    "[^a]*",
    "\"a\"*",
    "'*'*",
    "[a-c]?",
    "d/.*",
    "?[x.]c",
    "[\"a\"]*",
    "[\\a]*",
];

pub const EXPANSIONS: &[&str] = &[
    "${%k-%i}",
    "${%k-~}",
    "${%k:-%i}",
    "${%k+%i}",
    "${%k:+%i}",
    "${%k:-%i}",
    "${%k#%P}",
    "${%k##%P}",
    "${%k%%%P}",
    "${%k%%%%%P}",
    "${%k#%P}",
    "${%k%%%P}",
    "${#%k}",
    "${%v:%d}",
    "${%v:%d:%d}",
    "${%v:$n:1}",
    "${%v/%f/%r}",
    "${%v//%f/%r}",
    "${%k}",
    "$((%a))",
    "$((%A))",
];

pub const EXPANSIONS_IN_DOCUMENTS: &[&str] = &[
    "${%k-%i}",
    "${%k:-%i}",
    "${%k+%i}",
    "${%k:+%i}",
    "${%k#%P}",
    "${%k##%P}",
    "${%k%%%P}",
    "${%k%%%%%P}",
    "${#%k}",
    "${%v:%d:%d}",
    "${%k}",
    "$((%a))",
];

pub const INNER: &[&str] =
    &["a", "b c", " ", "$y", "${z}", ":", "*", "1", "  d", "e ", "$1", "$2", "\\}", "\\\"", "\\$", "%x", "%c", "/y"];
pub const INNER_SINGLE: &[&str] = &["'a b'", "' '", "'*'", "''", "'}'", "'$x'"];
pub const INNER_DOUBLE: &[&str] = &["\"a b\"", "\" \"", "\"$y\"", "\"\"", "\"}\"", "\"%X\"", "\"*\""];

pub const PATTERNS: &[&str] = &[
    "*",
    "?",
    "a",
    "b",
    "[ab]",
    "[!a]",
    "[a-c]",
    ".",
    "\\*",
    "$y",
    "${z}",
    "[[:alpha:]]",
    "[]a]",
    "\\\\",
    "\\ ",
    "x",
    "c",
    ":",
    "[x.]",
    "\\a",
    "[^b]",
    "[[:space:]]",
    "[a",
    "]",
    "\\[",
    "[!]]",
    "-",
    "[a-]",
    "[[:upper:][:digit:]]",
    "*",
    "=",
];
pub const QUOTED_PATTERNS: &[&str] = &[
    "\"*\"", "'a'", "\"$y\"", "\"$x\"", "\" \"", "'*'", "a", "*", "?", "[\"a\"b]", "['a-c']", "\"[a]\"", "'?'",
    "\"a\"", "\"\"",
];

/// What `${x/pattern/word}` may look for: BusyBox runs for ever where a pattern fits nothing at all.
const REPLACED: &[&str] =
    &["a", "b", "[ab]", "?", "\\*", "' '", "\" \"", ":", ".", "[!a]", "?b", "a*", "\\\\", "\"?\"", "[[:space:]]"];

/// The word of `${x/pattern/word}` where it is split: BusyBox's pathname expansion takes a backslash in it for itself, one
/// of any other expansion, as all shells, for a quote.
pub const REPLACEMENTS: &[&str] = &["", "a", "b c", ":", "*", "1", "'a b'", "\"*\"", "  d", "?"];

/// Numbers and what has a number. A variable that is unset counts as 0.
pub const NUMBERS: &[&str] = &[
    "1", "2", "0", "7", "n", "m", "$n", "$m", "010", "0x1f", "(n)", "-1", "${n}", "u", "$#", "n ", " m", "100", "${#x}",
];

/// Expressions, `_` stands for one within. Divisors are numbers that are not 0.
pub const ARITHMETIC: &[&str] = &[
    "-(_)",
    "+(_)",
    "!(_)",
    "~(_)",
    "- (_)",
    "! (_)",
    "((_)?(_):(_))",
    "((_) ? (_) : (_))",
    "(_)/3",
    "_ / 2",
    "_%%5",
    "_ %% 2",
    "_+ _",
    "_- _",
    "_* _",
    "_<< 2",
    "_>> 1",
    "_< _",
    "_> _",
    "_<= _",
    "_>= _",
    "_== _",
    "_!= _",
    "_& _",
    "_| _",
    "_^ _",
    "_&& _",
    "_|| _",
    "(_)*(_)",
    "(_)-(_)",
    "(_)**2",
    "(_, _)",
];

pub const SUBSTITUTIONS: &[&str] =
    &["$( %S%F)", "$( %S%F)", "$( %C)", "$( %C; %C)", "$(%N%S%N)", "$( %C # a%N)", "$( ( %C ) )"];

pub const SMALL_SUBSTITUTIONS: &[&str] = &[
    "$(echo a b)",
    "`echo $x`",
    "$(printf %%s \"$y\")",
    "$(false)",
    "`echo \\`echo b\\``",
    "`echo \\$y`",
    "$(echo \"$(echo \"$x\")\")",
    "$(cat a.c)",
    "$(echo \")\")",
    "`echo \"$y\"`",
];

pub const DOCUMENT_LINES: &[&str] = &[
    "%x\n",
    "a %x\n",
    "b c\n",
    "\n",
    "\"\n",
    "it's\n",
    "\\$x $x\n",
    "\\\\ \\a\n",
    "$2 $*\n",
    "* ~\n",
    "`echo \\$x`\n",
    "%c\n",
    "  $y\n",
    "\\\n",
    "$((%a))%x\n",
    "$(echo \"$x\")\n",
    "E \n",
    "$\n",
    "\t a\n",
];

pub const INPUT: &[&str] =
    &["a", " ", "b", ":", "::", "  ", "c d", "\t", ".", "a.b", "-", "/", "$x", "\"", "'", "*", "=", "#", "\n"];

pub const OPTIONS: &[&str] =
    &["-a ", "-b ", "-bx ", "-ab y ", "-ca ", "-d ", "-- ", "- ", "w ", "'' ", "-b '' ", "-acb ", "+a "];
