//! One case in both systems, and what differs.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use crate::case::{Case, Expected};
use crate::{limit, terminal};

/// The two programs, each with a directory of links under its applets' names.
pub struct Systems {
    scratch: PathBuf,
    /// Held by the case that uses loop devices.
    loop_devices: Mutex<()>,
}

/// The script that makes a small system inside new namespaces and runs `/bin/sh` in it with the remaining operands.
const NAMESPACE: &str = include_str!("namespace.sh");

/// A command for cases: `await COMMAND` repeats it until it succeeds; as one word it is a script. So a case need not guess how long a daemon takes on a slow
/// machine; the time limit ends a wait for what never happens.
const AWAIT: &str = r#"#!/bin/sh
holds() {
    case $#:$1 in
        1:*) eval "$1" ;;
        *:!) shift; ! "$@" ;;
        *) "$@" ;;
    esac
}
until holds "$@" >/dev/null 2>&1; do /bin/sleep 0.02; done
"#;

/// A command for cases: `alone COMMAND` runs it in a session of its own, and returns its status once only zombies are left of
/// that session, which the machine's init reaps.
const ALONE: &str = r#"#!/bin/sh
exec 3>&1
session=$(/bin/sh -c 'echo $$; exec /usr/bin/setsid "$@" >&3 3>&-' alone "$@")
status=$?
while /bin/cat /proc/[0-9]*/stat 2>/dev/null | /bin/sed 's/.*) //' | /bin/grep -q "^[^Z] [0-9]* [0-9]* $session "; do
    /bin/sleep 0.02
done
exit $status
"#;

/// The status of a case that reached its time limit.
const LATE: &str = "took too long\n";

/// The result of one run, in a form that can be compared.
pub struct Outcome {
    pub status: String,
    pub stdout: String,
    stderr: String,
    tree: String,
}

impl Systems {
    /// A scratch directory without a system.
    fn empty() -> Result<Self, String> {
        let temporary =
            fs::canonicalize(std::env::temp_dir()).map_err(|error| format!("temporary directory: {error}"))?;
        let scratch = temporary.join(format!("compat-suite.{}", std::process::id()));
        let failed = |error: std::io::Error| format!("{}: {error}", scratch.display());
        fs::create_dir_all(&scratch).map_err(failed)?;
        fs::write(scratch.join("namespace.sh"), NAMESPACE).map_err(failed)?;
        Ok(Self { scratch, loop_devices: Mutex::default() })
    }

    /// rbox alone, for cases that state what must be printed.
    pub fn of_rbox(rbox: &Path) -> Result<Self, String> {
        Self::with_names(rbox, &names(rbox)?)
    }

    /// Both programs. The names are rbox's; where BusyBox lacks one, the machine's own program (runit's) is in.
    pub fn new(rbox: &Path, busybox: &Path) -> Result<Self, String> {
        let (ours, theirs) = (names(rbox)?, names(busybox)?);
        let systems = Self::with_names(rbox, &ours)?;
        let (both, missing): (Vec<_>, Vec<_>) = ours.into_iter().partition(|name| theirs.contains(name));
        systems.add("busybox", busybox, &both, &missing)?;
        Ok(systems)
    }

    fn with_names(rbox: &Path, ours: &[String]) -> Result<Self, String> {
        let systems = Self::empty()?;
        systems.add("rbox", rbox, ours, &[])?;
        Ok(systems)
    }

    /// Links the names to the program, and `missing` names to the machine's own programs, or else to this one.
    fn add(&self, system: &str, program: &Path, names: &[String], missing: &[String]) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.scratch.display());
        let program = fs::canonicalize(program).map_err(|error| format!("{}: {error}", program.display()))?;
        let links = self.scratch.join(system);
        fs::create_dir(&links).map_err(failed)?;
        for name in names {
            symlink(&program, links.join(name)).map_err(failed)?;
        }
        for name in missing {
            let other = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(|directory| Path::new(directory).join(name));
            let other = other.into_iter().find(|path| path.exists());
            symlink(other.as_ref().unwrap_or(&program), links.join(name)).map_err(failed)?;
        }
        for (name, script) in [("await", AWAIT), ("alone", ALONE)] {
            fs::write(links.join(name), script).map_err(failed)?;
            fs::set_permissions(links.join(name), fs::Permissions::from_mode(0o755)).map_err(failed)?;
        }
        Ok(())
    }

    /// Adds a system in which `sh` is another shell of the machine's and the other names are BusyBox's; false where that
    /// shell is missing. bash called by this name is `bash --posix`.
    pub fn add_shell(&self, shell: &str) -> Result<bool, String> {
        let found = ["/usr/bin", "/bin"].map(|directory| Path::new(directory).join(shell));
        let Some(program) = found.into_iter().find(|path| path.exists()) else { return Ok(false) };
        let links = self.scratch.join(shell);
        let failed = |error: std::io::Error| format!("{}: {error}", links.display());
        fs::create_dir_all(&links).map_err(failed)?;
        for entry in fs::read_dir(self.scratch.join("busybox")).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let target = if entry.file_name() == "sh" { program.clone() } else { entry.path() };
            symlink(target, links.join(entry.file_name())).map_err(failed)?;
        }
        Ok(true)
    }

    /// Why a case cannot have private namespaces on this machine; `None` if it can.
    pub fn why_no_namespaces(&self) -> Option<String> {
        let mut command = self.namespace_command();
        let output = command.args(["-c", "true"]).current_dir(&self.scratch).stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_string()),
            Err(error) => Some(format!("unshare: {error}")),
        }
    }

    /// The start of a command in new namespaces of all kinds but users, with the small system of the script.
    fn namespace_command(&self) -> Command {
        let mut command = clean_command();
        command
            .args(["/usr/bin/unshare", "-m", "-p", "-f", "-n", "-u", "-i", "--kill-child", "--mount-proc", "/bin/sh"])
            .arg(self.scratch.join("namespace.sh"));
        command
    }

    /// Runs the case in both systems. Returns one paragraph for each difference, and the result of rbox. Each worker has its own directory.
    pub fn differences(&self, case: &Case, worker: usize) -> Result<(Vec<String>, Outcome), String> {
        let (ours, theirs) = (self.run(case, "rbox", worker)?, self.run(case, "busybox", worker)?);
        let parts = [
            ("status", &ours.status, &theirs.status),
            ("stdout", &ours.stdout, &theirs.stdout),
            ("stderr", &ours.stderr, &theirs.stderr),
            ("tree", &ours.tree, &theirs.tree),
        ];
        // A case in which both systems hang shows nothing, so it counts as a difference.
        let differing = parts.into_iter().filter(|(_, ours, theirs)| ours != theirs || **ours == LATE);
        let texts =
            differing.map(|(what, ours, theirs)| format!("--- {what}, rbox\n{ours}--- {what}, BusyBox\n{theirs}"));
        Ok((texts.collect(), ours))
    }

    /// Runs the case in the system of that name.
    pub fn run(&self, case: &Case, system: &str, worker: usize) -> Result<Outcome, String> {
        let _alone = case.loop_device.then(|| self.loop_devices.lock().expect("no worker panics with the lock"));
        let directory = &self.scratch.join(format!("{worker}/work"));
        let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
        if directory.exists() {
            fs::remove_dir_all(directory).map_err(failed)?;
        }
        fs::create_dir_all(directory).map_err(failed)?;
        let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", self.scratch.join(system).display());
        let mut command = if case.namespace { self.namespace_command() } else { clean_command() };
        if !case.namespace {
            command.arg("/bin/sh");
        }
        command.args(["-c", &case.script]).current_dir(directory).env_clear().envs([
            ("PATH", path.as_str()),
            ("HOME", "/"),
            ("TZ", "UTC"),
            ("LC_ALL", "C"),
        ]);
        let end = limit::deadline();
        let output = if case.tty {
            terminal::run(command, &case.types, directory, end)
        } else {
            limit::output(command, directory, end)
        };
        let late = Instant::now() >= end;
        let output = output.map_err(failed)?;
        let status = output.status.code().map_or("killed\n".to_string(), |code| format!("{code}\n"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut tree = String::new();
        describe(directory, Path::new("."), &mut tree).map_err(failed)?;
        Ok(Outcome {
            status: if late { LATE.to_string() } else { status },
            stdout: text(&output.stdout),
            stderr: messages(&text(&output.stderr)),
            tree,
        })
    }
}

impl Outcome {
    /// The result beside what the case states; `None` if they agree.
    pub fn contradiction(&self, expected: &Expected) -> Option<String> {
        let is = self.stated();
        let stderr_counts = !expected.stderr.is_empty();
        let same = is.status == expected.status && is.stdout == expected.stdout;
        let same = same && (!stderr_counts || is.stderr == expected.stderr);
        (!same).then(|| format!("--- it prints\n{}--- it must print\n{}", is.text(), expected.text()))
    }

    /// The result in the form in which a case states it.
    pub fn stated(&self) -> Expected {
        let mut stdout = self.stdout.clone();
        if !stdout.is_empty() && !stdout.ends_with('\n') {
            stdout.push('\n');
        }
        Expected { status: self.status.clone(), stdout, stderr: self.stderr.clone() }
    }
}

impl Drop for Systems {
    fn drop(&mut self) {
        // A destructor cannot fail; what cannot be removed stays in the temporary directory, and the next run has a directory of its own.
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// The start of a command whose signals have their default actions: nohup and tmux would hand down ignored ones.
fn clean_command() -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.arg("--default-signal");
    command
}

/// The names of a program's applets.
fn names(program: &Path) -> Result<Vec<String>, String> {
    let output =
        Command::new(program).arg("--list").output().map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_string).collect())
}

/// The messages without the usage texts, whose wording differs by system, with glibc's error strings.
fn messages(text: &str) -> String {
    let mut cleaned = String::new();
    for line in text.lines() {
        if line.starts_with("BusyBox v") || line.starts_with("rbox v") {
            cleaned.push_str("(usage)\n");
            break;
        }
        cleaned.extend([line, "\n"]);
    }
    // rbox has the error strings of musl, BusyBox those of glibc.
    for (ours, theirs) in ERROR_TEXTS {
        cleaned = cleaned.replace(ours, theirs);
    }
    cleaned
}

/// Strings of strerror(3): musl's and glibc's.
const ERROR_TEXTS: &[(&str, &str)] = &[
    (": Symbolic link loop", ": Too many levels of symbolic links"),
    (": Resource busy", ": Device or resource busy"),
    (": Network unreachable", ": Network is unreachable"),
    (": Not a tty", ": Inappropriate ioctl for device"),
    (": Filename too long", ": File name too long"),
    (": Cross-device link", ": Invalid cross-device link"),
    (": Result not representable", ": Numerical result out of range"),
    (": Host is unreachable", ": No route to host"),
    (": Address not available", ": Cannot assign requested address"),
    (": Not supported", ": Operation not supported"),
];

/// Appends type, mode, number of links, device or target, and contents of every file below `path`.
fn describe(root: &Path, path: &Path, tree: &mut String) -> std::io::Result<()> {
    let whole = root.join(path);
    let metadata = fs::symlink_metadata(&whole)?;
    let kind = metadata.file_type();
    let mode = metadata.permissions().mode() & 0o7777;
    let name = path.display();
    if kind.is_symlink() {
        tree.push_str(&format!("{name} -> {}\n", fs::read_link(&whole)?.display()));
    } else if kind.is_dir() {
        tree.push_str(&format!("{name}/ {mode:o}\n"));
        let mut names: Vec<_> = fs::read_dir(&whole)?.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        names.sort();
        for name in names {
            describe(root, &path.join(name), tree)?;
        }
    } else if kind.is_file() {
        let content = fs::read(&whole).map(|content| String::from_utf8_lossy(&content).into_owned());
        let content = content.unwrap_or_else(|error| error.to_string());
        tree.push_str(&format!("{name} {mode:o} {} {content:?}\n", metadata.nlink()));
    } else {
        let what = if kind.is_fifo() { "fifo" } else { "special" };
        tree.push_str(&format!("{name} {what} {mode:o} {}\n", metadata.rdev()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_texts_are_left_out_of_messages() {
        assert_eq!(messages("x: bad\nBusyBox v1.35\n\nUsage: x\n"), "x: bad\n(usage)\n");
        assert_eq!(messages("x: a: Resource busy\n"), "x: a: Device or resource busy\n");
        assert_eq!(messages("x: bad\nrbox v0.1.0\nUsage: x [-a]\n"), "x: bad\n(usage)\n");
    }
}
