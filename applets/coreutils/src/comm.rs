//! `comm`: compare two sorted files line by line (POSIX XCU comm), with GNU's `--output-delimiter`, `--total` and `-z`.

use rbox_core::prelude::*;
use rbox_core::text;

options! {
    "[-123z] FILE1 FILE2

Compare two sorted files line by line in three columns: only in FILE1, only in FILE2, in both.

  -1                             Omit column 1
  -2                             Omit column 2
  -3                             Omit column 3
      --check-order              Fail if an input is not sorted
      --nocheck-order            Do not check the order (default)
      --output-delimiter=STRING  Separate columns by STRING (tab)
      --total                    Print the number of lines in each column
  -z, --zero-terminated          Lines end with NUL, not newline";
    NO_FIRST = "-1",
    NO_SECOND = "-2",
    NO_BOTH = "-3",
    CHECK = "--check-order",
    NO_CHECK = "--nocheck-order",
    DELIMITER = "--output-delimiter",
    TOTAL = "--total",
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let &[first_name, second_name] = args.operands_between(2, 2)? else { return Err(Error::usage()) };
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    let is_checked = args.last_of(&[CHECK, NO_CHECK]) == Some(CHECK);
    let delimiter = args.value(DELIMITER).unwrap_or(b"\t");
    let shown = [NO_FIRST, NO_SECOND, NO_BOTH].map(|option| !args.has(option));
    let lead = |column: usize| delimiter.repeat(shown[..column].iter().filter(|&&is_shown| is_shown).count());
    let leads = [lead(0), lead(1), lead(2)];
    let mut inputs = [env.open(first_name)?, env.open(second_name)?];
    let mut before = [Vec::new(), Vec::new()];
    let mut totals = [0u64; 3];
    let [first, second] = &mut inputs;
    let (mut one, mut two) = (first.record_for(end, &mut env.stdout)?, second.record_for(end, &mut env.stdout)?);
    loop {
        let bare = |line: &'_ [u8]| line.len() - usize::from(line.ends_with(&[end]));
        let (column, line) = match (one, two) {
            (None, None) => break,
            (Some(line), None) => (0, line),
            (None, Some(line)) => (1, line),
            (Some(a), Some(b)) => match a[..bare(a)].cmp(&b[..bare(b)]) {
                core::cmp::Ordering::Less => (0, a),
                core::cmp::Ordering::Greater => (1, b),
                core::cmp::Ordering::Equal => (2, a),
            },
        };
        totals[column] += 1;
        let line = &line[..bare(line)];
        if is_checked {
            for file in [0, 1].into_iter().filter(|file| column == 2 || column == *file) {
                if before[file].as_slice() > line {
                    return Err(Error::new(text!("file ", file + 1, " is not in sorted order")));
                }
                before[file] = line.to_vec();
            }
        }
        if shown[column] {
            env.stdout.write(&leads[column])?;
            env.stdout.write(line)?;
            env.stdout.push(end)?;
        }
        if column != 1 {
            one = first.record_for(end, &mut env.stdout)?;
        }
        if column != 0 {
            two = second.record_for(end, &mut env.stdout)?;
        }
    }
    if args.has(TOTAL) {
        let [one, two, both] = totals;
        env.stdout.write(&text!(one, delimiter, two, delimiter, both, delimiter, "total", &[end]))?;
    }
    Ok(ExitStatus::SUCCESS)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn one_side_may_be_empty() {
        let ran = try_call(APPLET, &["comm", "-", "/dev/null"], b"a\nb");
        assert_eq!((ran.status, ran.stdout.as_str()), (0, "a\nb\n"));
        assert_eq!(try_call(APPLET, &["comm", "-13", "/dev/null", "-"], b"a\n").stdout, "a\n");
        assert_eq!(try_call(APPLET, &["comm", "--total", "/dev/null", "-"], b"a\n").stdout, "\ta\n0\t1\t0\ttotal\n");
    }

    #[test]
    fn the_order_may_be_checked() {
        let ran = try_call(APPLET, &["comm", "--check-order", "-", "/dev/null"], b"b\na\n");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "comm: file 1 is not in sorted order\n"));
        assert_eq!(try_call(APPLET, &["comm", "-"], b"").status, 1);
    }
}
