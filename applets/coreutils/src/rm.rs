//! `rm`: remove files and trees (POSIX XCU rm).
//!
//! Trees are removed by open directories and single names: a directory swapped for a link meanwhile is not gone into.

use rbox_core::bytes::base_name;
use rbox_core::files::{self, Follow, Phase, Step, Visit, walk_gathering};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Access, AtFlags, FileType, accessat, lstat, unlinkat};
use rbox_core::sys::{Errno, fd, termios};

options! {
    "[-fiIrRdvx] FILE...

Remove each FILE.

  -f, --force             Do not ask; ignore missing FILEs
  -i                      Ask before each removal
  -I                      Ask once for more than 3 FILEs or with -r
  -r, -R, --recursive     Remove directories and their contents
  -d, --dir               Remove empty directories
  -v, --verbose           Print each removed file
  -x, --one-file-system   Skip directories on other file systems
      --preserve-root     Refuse to remove / (always)
      --no-preserve-root  Treat / like any other directory";
    FORCE = "-f",
    ASK = "-i",
    ASK_ONCE = "-I",
    RECURSE = "-r",
    DIRECTORIES = "-d",
    VERBOSE = "-v",
    ONE_SYSTEM = "-x",
    KEEP_ROOT = "--preserve-root",
    ANY_ROOT = "--no-preserve-root",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let manner = args.last_of(&[FORCE, ASK, ASK_ONCE]);
    if args.operands().is_empty() {
        return if manner == Some(FORCE) { Ok(ExitStatus::SUCCESS) } else { Err(Error::usage()) };
    }
    if manner == Some(ASK_ONCE) && (args.operands().len() > 3 || args.has(RECURSE)) && !env.ask(b"remove files?")? {
        return Ok(ExitStatus::SUCCESS);
    }
    let keep_root = args.last_of(&[KEEP_ROOT, ANY_ROOT]) != Some(ANY_ROOT);
    let terminal = termios::isatty(fd::borrow(0));
    let mut status = ExitStatus::SUCCESS;
    for operand in args.operands() {
        // As BusyBox: a slash at the end would lead through a link, and what the link leads to would be emptied.
        let trimmed = operand.iter().rposition(|&byte| byte != b'/').map_or(0, |at| at + 1);
        let operand = if trimmed == 0 { *operand } else { &operand[..trimmed] };
        let name = base_name(operand);
        let mut remover = Remover { env, args, manner, terminal, device: None };
        if name == b"." || name == b".." || name == b"/" && keep_root {
            status.worsen(remover.env.warn(Error::parts(&[
                b"can't remove '",
                operand,
                b"': refused for '/', '.' and '..'",
            ])));
            continue;
        }
        for error in remover.remove(operand)? {
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

struct Remover<'a, 'e> {
    env: &'e mut Env,
    args: &'a Args<'a>,
    manner: Option<Opt>,
    terminal: bool,
    /// The file system that -x stays on.
    device: Option<u64>,
}

impl Remover<'_, '_> {
    /// Removes one operand; returns what failed.
    fn remove(&mut self, operand: &[u8]) -> Result<Vec<Error>> {
        let force = self.manner == Some(FORCE);
        let is_excused = |errno| force && matches!(errno, Some(Errno::NOENT | Errno::NOTDIR));
        if let Err(errno) = lstat(operand) {
            let failed = (!is_excused(Some(errno))).then(|| Error::cannot("remove", operand, errno));
            return Ok(failed.into_iter().collect());
        }
        let mut failed = walk_gathering(operand, Follow::Never, &mut |visit| self.visit(visit))?;
        failed.retain(|error| !is_excused(error.errno()));
        Ok(failed)
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<Step> {
        let cannot = |errno| Error::cannot("remove", visit.path, errno);
        match visit.phase {
            Phase::Before => {
                if self.args.has(ONE_SYSTEM) && *self.device.get_or_insert(visit.stat.st_dev) != visit.stat.st_dev {
                    return Ok(Step::Skip);
                }
                if self.args.has(RECURSE) {
                    let enter = self.manner != Some(ASK) || self.confirm(visit, b"descend into directory")?;
                    return Ok(if enter { Step::On } else { Step::Skip });
                }
                if !self.args.has(DIRECTORIES) {
                    return Err(Error::parts(&[b"'", visit.path, b"' is a directory"]));
                }
                self.unlink(visit, AtFlags::REMOVEDIR).map_err(cannot)?;
                Ok(Step::Skip)
            }
            Phase::After => {
                if self.manner == Some(ASK) && !self.confirm(visit, b"remove directory")? {
                    return Ok(Step::On);
                }
                self.unlink(visit, AtFlags::REMOVEDIR).map_err(cannot).map(|()| Step::On)
            }
            Phase::File => {
                if self.must_ask(visit) && !self.confirm(visit, b"remove")? {
                    return Ok(Step::On);
                }
                self.unlink(visit, AtFlags::empty()).map_err(cannot).map(|()| Step::On)
            }
        }
    }

    /// POSIX XCU rm: with -i always; without -f for a file that cannot be written, when someone is there to answer.
    fn must_ask(&self, visit: &Visit<'_>) -> bool {
        let link = files::kind(visit.stat) == FileType::Symlink;
        let writable = || accessat(visit.at, visit.name, Access::WRITE_OK, AtFlags::empty()).is_ok();
        self.manner == Some(ASK) || self.manner != Some(FORCE) && self.terminal && !link && !writable()
    }

    fn confirm(&mut self, visit: &Visit<'_>, question: &[u8]) -> Result<bool> {
        self.env.ask(&[question, b" '", visit.path, b"'?"].concat())
    }

    fn unlink(&mut self, visit: &Visit<'_>, flags: AtFlags) -> core::result::Result<(), Errno> {
        unlinkat(visit.at, visit.name, flags)?;
        if self.args.has(VERBOSE) {
            // A dead standard output is met at the end; the file is gone either way.
            let _ = self.env.stdout.write(&[b"removed '", visit.path, b"'\n"].concat());
        }
        Ok(())
    }
}
