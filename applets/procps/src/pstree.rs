//! `pstree`: show processes as a tree (as in psmisc).

use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::processes::{self, Process};
use rbox_core::push;
use rbox_core::sys::Errno;
use rbox_core::term::{Shown, clean};
use rbox_core::users;

options! {
    "[-pnT] [PID | USER]

Print processes as a tree: the descendants of PID (1), or the trees of USER. Identical
branches are merged.

  -p, --show-pids     Print PIDs, do not merge
  -n, --numeric-sort  Sort by PID, not by name
  -T, --hide-threads  Hide threads";
    PIDS = "-p",
    NUMERIC = "-n",
    NO_THREADS = "-T",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// A process or a thread.
struct Node {
    pid: i32,
    parent: i32,
    owner: u32,
    label: Vec<u8>,
}

/// The depth of the tree is limited, since each level takes stack.
const MOST_DEEP: usize = 500;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let nodes = nodes(args)?;
    let operands = args.operands_between(0, 1)?;
    let roots: Vec<&Node> = match operands.first() {
        None => nodes.iter().filter(|node| node.pid == 1).collect(),
        Some(word) => match parse_decimal(word) {
            Some(pid) => nodes.iter().filter(|node| u64::try_from(node.pid) == Ok(pid)).collect(),
            None => of_user(&nodes, users::user_id(word)?),
        },
    };
    if roots.is_empty() {
        return Err(Error::on(operands.first().copied().unwrap_or(b"1"), Errno::SRCH));
    }
    for (index, root) in roots.iter().enumerate() {
        if index > 0 {
            env.stdout.push(b'\n')?;
        }
        for line in block(&nodes, root, 0) {
            env.stdout.write(&line)?;
            env.stdout.push(b'\n')?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// All processes and threads, in the order in which branches are shown.
fn nodes(args: &Args<'_>) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    let label = |name: &[u8], pid: i32, is_thread: bool| {
        let mut label = Vec::new();
        if is_thread {
            label.push(b'{');
        }
        push!(label, clean(name, b"", Shown::As(b'?')));
        if is_thread {
            label.push(b'}');
        }
        if args.has(PIDS) {
            push!(label, "(", pid as u32, ")");
        }
        label
    };
    for process in processes::all()?.into_iter().filter_map(Process::read) {
        let owner = process.owner().map_or(0, |(user, _)| user);
        if !args.has(NO_THREADS) && process.threads > 1 {
            for thread in processes::threads_of(process.pid).into_iter().filter(|thread| *thread != process.pid) {
                let label = label(&process.name, thread, true);
                nodes.push(Node { pid: thread, parent: process.pid, owner, label });
            }
        }
        let label = label(&process.name, process.pid, false);
        nodes.push(Node { pid: process.pid, parent: process.parent, owner, label });
    }
    nodes.sort_unstable_by(|a, b| match args.has(NUMERIC) {
        true => a.pid.cmp(&b.pid),
        false => (&a.label, a.pid).cmp(&(&b.label, b.pid)),
    });
    Ok(nodes)
}

/// The processes of a user whose parents are not his.
fn of_user(nodes: &[Node], user: u32) -> Vec<&Node> {
    let is_his = |pid: i32| nodes.iter().any(|node| node.pid == pid && node.owner == user);
    nodes.iter().filter(|node| node.owner == user && !is_his(node.parent)).collect()
}

/// The lines of a process and all below it.
fn block(nodes: &[Node], node: &Node, depth: usize) -> Vec<Vec<u8>> {
    let children = nodes.iter().filter(|child| child.parent == node.pid && child.pid != node.pid);
    // Equal branches become one, at the position of the first.
    let mut branches: Vec<(Vec<Vec<u8>>, usize)> = Vec::new();
    for child in children.take_while(|_| depth < MOST_DEEP) {
        let lines = block(nodes, child, depth + 1);
        match branches.iter_mut().find(|(known, _)| *known == lines) {
            Some((_, count)) => *count += 1,
            None => branches.push((lines, 1)),
        }
    }
    let mut block = vec![node.label.clone()];
    let last = branches.len().saturating_sub(1);
    for (index, (lines, count)) in branches.into_iter().enumerate() {
        let lead: &[u8] = match (index, last) {
            (0, 0) => b"---",
            (0, _) => b"-+-",
            (_, _) if index == last => b" `-",
            _ => b" |-",
        };
        let count = if count > 1 { rbox_core::text!(count, "*[") } else { Vec::new() };
        for (row, line) in lines.into_iter().enumerate() {
            let mut text = Vec::new();
            if row == 0 {
                push!(text, lead, &count);
            } else {
                push!(text, if index == last { "   " } else { " | " });
                text.resize(text.len() + count.len(), b' ');
            }
            push!(text, line, if count.is_empty() { "" } else { "]" });
            if index == 0 && row == 0 {
                block[0].extend_from_slice(&text);
            } else {
                let mut whole = vec![b' '; node.label.len()];
                whole.extend_from_slice(&text);
                block.push(whole);
            }
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(pid: i32, parent: i32, label: &str) -> Node {
        Node { pid, parent, owner: 0, label: label.as_bytes().to_vec() }
    }

    #[test]
    fn equal_branches_are_shown_once() {
        let nodes = [
            node(1, 0, "init"),
            node(5, 1, "cat"),
            node(2, 1, "sh"),
            node(3, 1, "sh"),
            node(6, 2, "a"),
            node(7, 2, "b"),
            node(8, 3, "a"),
            node(9, 3, "b"),
            node(4, 1, "x"),
            node(10, 4, "y"),
        ];
        let text = block(&nodes, &nodes[0], 0).join(&b'\n');
        let expected = "init-+-cat\n     |-2*[sh-+-a]\n     |       `-b]\n     `-x---y";
        assert_eq!(String::from_utf8_lossy(&text), expected);
    }

    #[test]
    fn a_users_trees_start_at_his_own() {
        let mut nodes = [node(1, 0, "init"), node(2, 1, "sh"), node(3, 2, "cat"), node(4, 3, "sh")];
        nodes[1].owner = 7;
        nodes[3].owner = 7;
        nodes[2].owner = 7;
        assert_eq!(of_user(&nodes, 7).iter().map(|node| node.pid).collect::<Vec<_>>(), [2]);
        assert!(of_user(&nodes, 8).is_empty());
    }
}
