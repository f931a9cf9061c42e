//! `test`, `[` and `[[`: evaluate files, words and numbers (POSIX XCU test).

use rbox_core::condition::{self, IsSet};
use rbox_core::prelude::*;

options! {
    "EXPRESSION | [ EXPRESSION ]

Return 0 if EXPRESSION is true, 1 if false, 2 if invalid. Files: -e -f -d -L
-b -c -p -S -s -r -w -x -u -g -k -O -G -t, -nt -ot -ef; strings: -n -z = != < >; integers: -eq -ne
-lt -le -gt -ge; and ! -a -o ( )."
}

/// The applet. Its words are operators and data, also `--help` (XCU test).
pub const APPLET: Applet = Applet::new(USAGE, run).data().failure(2).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut is_set = |name: &[u8]| str::from_utf8(name).is_ok_and(|name| env.vars.get(name).is_some());
    let is_set = &mut IsSet::new(&mut is_set);
    let judged = match (&env.name[..], args.operands()) {
        (b"test", words) | (b"[[", [words @ .., b"]]"]) => condition::test(words, is_set),
        (_, words) => condition::bracket(words, is_set),
    };
    Ok(ExitStatus::from_ok(judged.map_err(Error::new)?))
}

#[cfg(test)]
mod tests {
    use super::APPLET;
    use rbox_core::testing::try_call;

    #[test]
    fn brackets_must_be_closed() {
        assert_eq!(try_call(APPLET, &["[", "x", "]"], b"").status, 0);
        assert_eq!(try_call(APPLET, &["[[", "", "]]"], b"").status, 1);
        let ran = try_call(APPLET, &["[", "x"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (2, "[: missing ]\n"));
    }
}
