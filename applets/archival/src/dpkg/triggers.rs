//! Triggers: packages whose postinst runs once others have changed files or ask for it (deb-triggers(5)).

use rbox_core::bytes;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::unlink;
use rbox_core::text;

use crate::control::Paragraph;

use super::database::{Database, info_lines, lines, read_if_any, state};
use super::script;

/// What scripts have asked for by dpkg-trigger(1): the name of a trigger is the first word of each line.
const ASKED: &[u8] = b"/var/lib/dpkg/triggers/Unincorp";

/// How often triggers may be activated by those that run.
const MOST_ROUNDS: usize = 10;

/// The names that the lines of a file `triggers` have after one of two kinds of words: `interest` or `activate`.
pub fn names(lines: &[Vec<u8>], kind: &[u8]) -> Vec<Vec<u8>> {
    let name = |line: &Vec<u8>| {
        let mut words = bytes::words(line);
        let rest = words.next()?.strip_prefix(kind)?;
        let is_it = matches!(rest, b"" | b"-await" | b"-noawait");
        words.next().filter(|_| is_it).map(<[u8]>::to_vec)
    };
    lines.iter().filter_map(name).collect()
}

/// Runs what is interested in the paths and names that are in `database.touched`, and in what scripts have asked for.
pub fn run(env: &mut Env, database: &mut Database) -> Result<()> {
    for _ in 0..MOST_ROUNDS {
        let mut touched = core::mem::take(&mut database.touched);
        let configured = core::mem::take(&mut database.configured);
        touched.extend(asked()?);
        let packages: Vec<Paragraph> = database
            .packages
            .iter()
            .filter(|package| matches!(state(package), b"installed" | b"triggers-pending" | b"triggers-awaited"))
            .cloned()
            .collect();
        let mut is_done = true;
        for package in packages {
            let mut pending: Vec<Vec<u8>> = bytes::words(package.get("Triggers-Pending")).map(<[u8]>::to_vec).collect();
            let own = configured.iter().rev().find(|(name, _)| name == package.get("Package"));
            let since = &touched[own.map_or(0, |(_, start)| *start)..];
            for name in names(&info_lines(&package, b"triggers")?, b"interest") {
                if is_touched(since, &name) && !pending.contains(&name) {
                    pending.push(name);
                }
            }
            if !pending.is_empty() {
                is_done = false;
                process(env, database, package, &pending.join(&b' '))?;
            }
        }
        if is_done {
            return Ok(());
        }
    }
    Err(Error::new("triggers activate each other without end"))
}

/// Whether a trigger is among the names, or a path is or is below it.
fn is_touched(touched: &[Vec<u8>], name: &[u8]) -> bool {
    touched.iter().any(|word| {
        let rest = word.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || name.starts_with(b"/") && rest.starts_with(b"/"))
    })
}

fn process(env: &mut Env, database: &mut Database, mut package: Paragraph, names: &[u8]) -> Result<()> {
    env.stdout.write(&text!(
        "Processing triggers for ",
        package.get("Package"),
        " (",
        package.get("Version"),
        ") ...\n"
    ))?;
    package.set("Triggers-Pending", None);
    package.set("Status", Some(b"install ok half-configured"));
    database.put(package.clone())?;
    script::run(env, &package, "postinst", &text!("triggered ", names))?;
    package.set("Status", Some(b"install ok installed"));
    database.put(package)
}

/// What scripts have asked for since the last time.
fn asked() -> Result<Vec<Vec<u8>>> {
    let text = read_if_any(ASKED)?;
    match unlink(ASKED) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(Error::cannot("remove", ASKED, errno)),
    }
    Ok(lines(&text).iter().filter_map(|line| bytes::words(line).next().map(<[u8]>::to_vec)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_names_or_directories() {
        let touched = [&b"/usr/share/man"[..], b"/usr/share/man/man1/x", b"/usr/share/mane", b"named", b"a/b"]
            .map(<[u8]>::to_vec);
        assert!(
            is_touched(&touched, b"/usr/share/man") && is_touched(&touched, b"/usr") && is_touched(&touched, b"named")
        );
        assert!(
            !is_touched(&touched, b"/usr/share/ma") && !is_touched(&touched, b"name") && !is_touched(&touched, b"/b")
        );
        let lines = [&b"interest-noawait /usr"[..], b"interest a", b"activate b", b"interested c"].map(<[u8]>::to_vec);
        assert_eq!(names(&lines, b"interest"), [b"/usr".to_vec(), b"a".to_vec()]);
    }
}
