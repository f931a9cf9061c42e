//! `tsort`: put words in an order that keeps all given pairs in theirs (POSIX XCU tsort).

use std::collections::VecDeque;

use rbox_core::prelude::*;

options! {
    "[FILE]

Sort topologically: read pairs of words, each pair ordered, and print all words in order."
}

/// The applet. It keeps all that it reads, so it runs in a child.
pub const APPLET: Applet = Applet::new(USAGE, run);

#[derive(Default)]
struct Node {
    /// The words that come after it, as often as they were given.
    after: Vec<usize>,
    /// How many words must still be printed before it.
    before: usize,
    printed: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let name = args.operands_between(0, 1)?.first().copied().unwrap_or(b"-");
    let content = env.open(name)?.read_to_end()?;
    let words: Vec<&[u8]> = rbox_core::bytes::words(&content).collect();
    let (pairs, rest) = words.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Error::parts(&[name, b": input contains an odd number of tokens"]));
    }
    let mut names = words.clone();
    names.sort_unstable();
    names.dedup();
    let number = |word: &[u8]| names.binary_search(&word).unwrap_or(0);
    let mut nodes: Vec<Node> = names.iter().map(|_| Node::default()).collect();
    for [first, second] in pairs {
        // A word beside itself only says that it is there.
        if first != second {
            nodes[number(first)].after.push(number(second));
            nodes[number(second)].before += 1;
        }
    }
    let mut status = ExitStatus::SUCCESS;
    let mut ready: VecDeque<usize> = (0..nodes.len()).filter(|&at| nodes[at].before == 0).collect();
    loop {
        while let Some(at) = ready.pop_front() {
            nodes[at].printed = true;
            env.stdout.write(names[at])?;
            env.stdout.push(b'\n')?;
            for next in core::mem::take(&mut nodes[at].after).into_iter().rev() {
                nodes[next].before -= 1;
                if nodes[next].before == 0 {
                    ready.push_back(next);
                }
            }
        }
        let Some(cycle) = find_cycle(&nodes) else { return Ok(status) };
        status = env.warn(Error::parts(&[name, b": input contains a loop:"]));
        cycle.iter().for_each(|&at| env.report(&Error::new(names[at])));
        // What leads from the last word of the loop to the first is forgotten.
        let (first, last) = (cycle[0], cycle[cycle.len() - 1]);
        let given = nodes[last].after.len();
        nodes[last].after.retain(|&next| next != first);
        nodes[first].before -= given - nodes[last].after.len();
        if nodes[first].before == 0 {
            ready.push_back(first);
        }
    }
}

/// A loop among the words that are not printed, the first of them by name at its beginning. Each of them has one before it.
fn find_cycle(nodes: &[Node]) -> Option<Vec<usize>> {
    let mut before = vec![None; nodes.len()];
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| !node.printed) {
        for &next in &node.after {
            before[next].get_or_insert(at);
        }
    }
    let mut at = nodes.iter().position(|node| !node.printed)?;
    // So many steps back end in a loop.
    for _ in 0..nodes.len() {
        at = before[at]?;
    }
    let mut cycle = vec![at];
    let mut step = before[at]?;
    while step != at {
        cycle.push(step);
        step = before[step]?;
    }
    cycle.reverse();
    let first = (0..cycle.len()).min_by_key(|&place| cycle[place])?;
    cycle.rotate_left(first);
    Some(cycle)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn pairs_keep_their_order() {
        let tsort = |stdin: &str| try_call(APPLET, &["tsort"], stdin.as_bytes()).stdout;
        assert_eq!(tsort("a b b c\nd e\tc f\n"), "a\nd\nb\ne\nc\nf\n");
        assert_eq!(tsort("a a b b"), "a\nb\n");
        assert_eq!(tsort(""), "");
    }

    #[test]
    fn loops_are_told_and_broken() {
        let ran = try_call(APPLET, &["tsort"], b"a b b a c d");
        assert_eq!((ran.status, ran.stdout.as_str()), (1, "c\nd\na\nb\n"));
        assert_eq!(ran.stderr, "tsort: -: input contains a loop:\ntsort: a\ntsort: b\n");
        let ran = try_call(APPLET, &["tsort"], b"a");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "tsort: -: input contains an odd number of tokens\n"));
    }
}
