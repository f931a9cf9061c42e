//! Tests of the formatter: sources and the lines they become.

use super::*;

fn formatted(source: &str) -> String {
    let page = Roff::new(Page::new(40, false), |_| None).format(source.as_bytes());
    String::from_utf8(page).expect("the source is UTF-8")
}

#[test]
fn words_fill_lines_and_headings_stand_out() {
    let source = ".TH X 1 today \"src\" Manual\n.SH NAME\nx \\- do it\n.SH DESCRIPTION\nOne two three.\nFour five six seven eight.\n.PP\nNew.\n";
    let expected = "X(1)             Manual             X(1)\n\nNAME\n       x - do it\n\nDESCRIPTION\n       One two three.  Four five six\n       seven eight.\n\n       New.\n\nsrc              today              X(1)\n";
    assert_eq!(formatted(source), expected);
}

#[test]
fn tags_stand_beside_or_above_their_text() {
    let source = ".TP\n\\fB\\-a\\fR\nshort tag\n.TP\n.BR \\-\\-long-option =\\fIN\\fR\nlong tag\n.IP \\(bu 2\nmark\n";
    assert_eq!(
        formatted(source),
        "       -a     short tag\n\n       --long-option=N\n              long tag\n\n       • mark\n"
    );
}

#[test]
fn margins_nest_and_lines_may_stay_as_they_are() {
    let source = "a\n.RS 4\nb\n.RS\nc\n.RE\nd\n.RE\ne\n.nf\nf   g\n  h\n.fi\ni\nj\n";
    let expected =
        "a\n           b\n                  c\n           d\n       e\n       f   g\n         h\n       i j\n";
    assert_eq!(formatted(source), expected);
}

#[test]
fn fonts_are_escape_sequences_on_a_terminal() {
    let source = "a \\fBbold word\\fP b \\fIx\\fR\n.B c\n";
    let page = Roff::new(Page::new(40, true), |_| None).format(source.as_bytes());
    let expected = "a \x1b[0;1mbold\x1b[0m \x1b[0;1mword\x1b[0m b \x1b[0;4mx\x1b[0m \x1b[0;1mc\x1b[0m\n";
    assert_eq!(String::from_utf8_lossy(&page), expected);
}

#[test]
fn macros_strings_registers_and_conditions() {
    let source = ".de M\n[\\\\$1:\\\\$2]\n..\n.ds S string \\(em\n.nr N 5\n.M a \"b c\"\n\\*S \\*[S] \\nN\n.if n yes\n.if t no\n.ie \\nN>4 \\{\\\nbig\n.\\}\n.el small\n.if '\\*S'x' never\n.nr N +1\n\\n[N]\n";
    assert_eq!(formatted(source), "[a:b c] string — string — 5 yes big 6\n");
}

#[test]
fn special_characters() {
    assert_eq!(
        formatted("\\(lqa\\(rq \\[u2022] \\e \\(aq \\s-2x\\s0 \\&.y a\\~b \\(nosuch\\-\n"),
        "“a” • \\ ' x .y a b ¬such-\n"
    );
}

#[test]
fn a_macro_that_calls_itself_ends() {
    assert_eq!(formatted(".de M\nx\n.M\n..\n.M\n.ds A \\*A\\*A\n\\*A\n").matches('x').count(), (1 << 16) - 2);
    let deep = format!("{}x\n", ".if n \\{".repeat(5_000));
    assert_eq!(formatted(&deep), "x\n");
}

#[test]
fn tables_have_columns() {
    let source = ".TS\ntab(:);\nlB l\nl l.\nName:What\none:T{\ntwo words\nin a block\nT}\n.TE\n";
    assert_eq!(formatted(source), "Name   What\none    two words in a block\n");
}

#[test]
fn pages_of_mdoc() {
    let source = ".Dd May 1, 2020\n.Dt X 1\n.Os BSD\n.Sh NAME\n.Nm x\n.Nd do it\n.Sh SYNOPSIS\n.Nm\n.Op Fl ab\n.Op Fl f Ar file\n.Sh DESCRIPTION\nThe\n.Nm\nutility, see\n.Xr y 3 .\n.Bl -tag -width Ds\n.It Fl a\nfirst\n.It Fl f Ar file , Fl -file\nsecond\n.El\n";
    let expected = "X(1)                                X(1)\n\nNAME\n     x — do it\n\nSYNOPSIS\n     x [-ab] [-f file]\n\nDESCRIPTION\n     The x utility, see y(3).\n\n     -a      first\n\n     -f file, --file\n             second\n\nBSD           May 1, 2020           X(1)\n";
    assert_eq!(formatted(source), expected);
}
