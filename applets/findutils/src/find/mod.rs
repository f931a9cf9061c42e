//! `find`: walk trees of files and evaluate an expression for each file (POSIX XCU find), with the primaries of BusyBox
//! and GNU.
//!
//! A basic regular expression is the default of `-regex`, and `-mmin` counts whole minutes, as in BusyBox; `-size`
//! rounds up, as POSIX says.

mod action;
mod expression;
mod format;
mod parser;
mod test;

use core::cell::RefCell;

use rbox_core::files::{Follow, Phase, Step, Visit, stat, walk_lazily};
use rbox_core::io::Output;
use rbox_core::prelude::*;
use rbox_core::sys::OwnedFd;
use rbox_core::sys::fs::Stat;
use rbox_core::time::Zone;
use rbox_core::users;

use action::Batch;
use expression::Expression;

options! {
    "[-HLP] [PATH]... [EXPRESSION]

Search the tree at each PATH (.) and evaluate EXPRESSION for each file.
N is exact, +N more than N, -N less. The default action is -print.

links:     -P follow none, -H those among PATHs, -L or -follow all
walk:      -maxdepth N, -mindepth N, -depth (contents first), -xdev or -mount
operators: ( E )   ! E   -not E   E E   E -a E   E -o E   E , E
names:     -name -path -wholename -lname GLOB, -regex REGEX; ignoring case:
           iname, ipath, iwholename, ilname, iregex
dialects:  -regextype basic, extended or emacs
times:     -amin -cmin -mmin N (minutes), -atime -ctime -mtime N (days);
           with -daystart, days start at midnight
newer:     -newer -anewer -cnewer FILE, -newerXY FILE: X is a, B, c or m,
           Y is a, c, m, or t (FILE is a date)
contents:  -type TYPE[,TYPE]..., -xtype (follow links), -empty, -size N[bcwkMG]
inodes:    -links N, -inum N, -samefile FILE, -fstype TYPE
modes:     -perm [-/]MODE, -readable, -writable, -executable
owners:    -user NAME, -group NAME, -uid N, -gid N, -nouser, -nogroup
constants: -true, -false
actions:   -print, -print0, -printf FORMAT, -ls, -delete, -prune, -quit
to files:  -fprint FILE, -fprint0 FILE, -fprintf FILE FORMAT, -fls FILE
commands:  -exec COMMAND ;   -exec COMMAND {} +   -ok COMMAND ; (asks first)
in the file's directory: -execdir, -okdir"
}

/// The applet. Its words are an expression, not options.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// What holds for all files.
#[derive(Debug)]
pub struct Settings {
    follow: Follow,
    depth_first: bool,
    one_device: bool,
    least_depth: usize,
    most_depth: usize,
}

/// A call under way: what the expression's primaries use and change.
pub struct Finder {
    settings: Settings,
    status: ExitStatus,
    quit: bool,
    /// The device of the PATH that is walked.
    device: u64,
    batches: Vec<Batch>,
    /// The files of -fprint and the like.
    outputs: Vec<Output>,
    zone: Zone,
    user_names: users::NameCache,
    group_names: users::NameCache,
    /// The last owner that -nouser asked for, and the last group, and whether there is one.
    known_user: Option<(u32, bool)>,
    known_group: Option<(u32, bool)>,
    /// The types of file systems by device.
    file_systems: Vec<(u64, Vec<u8>)>,
    /// The directory that -execdir comes back to.
    home: Option<OwnedFd>,
    now: i64,
}

/// The file that is evaluated.
pub struct File<'a> {
    visit: &'a Visit<'a>,
    /// The PATH that it was found below.
    operand: &'a [u8],
    stat: Option<Stat>,
    prune: bool,
}

impl File<'_> {
    /// All its attributes, asked for when they are first needed.
    pub fn stat(&mut self) -> Result<&Stat> {
        if self.stat.is_none() {
            let visit = self.visit;
            let found = if visit.whole { Ok(*visit.stat) } else { stat(visit.at, visit.name, false) };
            self.stat = Some(found.map_err(|errno| Error::on(visit.path, errno))?);
        }
        // It has just been filled in.
        Ok(self.stat.as_ref().unwrap_or(self.visit.stat))
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands();
    let (paths, expression, mut finder) = parser::parse(env, words)?;
    for path in paths {
        finder.walk(env, path, &expression)?;
        if finder.quit {
            break;
        }
    }
    finder.run_batches(env)?;
    for output in &mut finder.outputs {
        output.flush()?;
    }
    Ok(finder.status)
}

impl Finder {
    fn walk(&mut self, env: &mut Env, operand: &[u8], expression: &Expression) -> Result<()> {
        let follow = self.settings.follow;
        // Both closures need the streams and the state; only one runs at a time.
        let shared = RefCell::new((env, self));
        let done = walk_lazily(
            operand,
            follow,
            &mut |visit| {
                let (env, finder) = &mut *shared.borrow_mut();
                finder.visit(env, expression, operand, visit)
            },
            &mut |error| {
                let (env, finder) = &mut *shared.borrow_mut();
                if finder.quit || error.is_output() {
                    return Err(error);
                }
                finder.status.worsen(env.warn(error));
                Ok(())
            },
        );
        let (_, finder) = shared.into_inner();
        if finder.quit { Ok(()) } else { done }
    }

    fn visit(&mut self, env: &mut Env, expression: &Expression, operand: &[u8], visit: &Visit<'_>) -> Result<Step> {
        let mut file = File { visit, operand, stat: None, prune: false };
        if visit.depth == 0 {
            self.device = file.stat()?.st_dev;
        }
        let enters = visit.phase == Phase::Before
            && visit.depth < self.settings.most_depth
            && (!self.settings.one_device || file.stat()?.st_dev == self.device);
        // With -depth a directory that is gone into is evaluated when the walk comes back to it.
        let is_turn = match visit.phase {
            Phase::File => true,
            Phase::Before => !self.settings.depth_first || !enters,
            Phase::After => self.settings.depth_first,
        };
        if is_turn && visit.depth >= self.settings.least_depth {
            self.holds(env, expression, &mut file)?;
        }
        if self.quit {
            return Err(Error::silent(ExitStatus::SUCCESS));
        }
        Ok(if enters && !file.prune { Step::On } else { Step::Skip })
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn fails(words: &[&str]) -> String {
        let ran = try_call(APPLET, words, b"");
        assert_eq!(ran.status, 1);
        ran.stderr.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn wrong_words_are_named() {
        for (words, message) in [
            (&["find", "/", "-nosuch"][..], "find: unrecognized: -nosuch"),
            (&["find", "/", "-name"], "find: -name requires an argument"),
            (&["find", "/", "-type", "q"], "find: invalid argument 'q' to '-type'"),
            (&["find", "/", "-maxdepth", "x"], "find: invalid number 'x'"),
            (&["find", "/", "-size", "1q"], "find: invalid number '1q'"),
            (&["find", "/", "-perm", "9"], "find: invalid mode '9'"),
            (&["find", "/", "(", "-true"], "find: unpaired '('"),
            (&["find", "/", "-true", ")"], "find: unpaired ')'"),
            (&["find", "/", "(", ")"], "find: nothing before ')'"),
            (&["find", "/", "-true", "-o"], "find: nothing after '-o'"),
            (&["find", "/", "-o", "-true"], "find: nothing before '-o'"),
            (&["find", "/", "!"], "find: nothing after '!'"),
            (&["find", "/", "-exec", "echo"], "find: -exec requires an argument"),
            (&["find", "/", "-newermx", "/"], "find: unrecognized: -newermx"),
            (&["find", "/", "-newermt", "nonsense"], "find: invalid date 'nonsense'"),
        ] {
            assert_eq!(fails(words), message);
        }
    }

    #[test]
    fn groups_do_not_nest_without_end() {
        let words: Vec<&str> = ["find", "/"].into_iter().chain(core::iter::repeat_n("(", 5000)).collect();
        assert_eq!(fails(&words), "find: too many '('");
    }

    #[test]
    fn operators_have_their_precedence() {
        let printed = |words: &[&str]| {
            let words = [&["find", "/", "-maxdepth", "0"], words].concat();
            try_call(APPLET, &words, b"").stdout
        };
        assert_eq!(printed(&[]), "/\n");
        assert_eq!(printed(&["-true", "-o", "-false", "-print"]), "");
        assert_eq!(printed(&["(", "-true", "-o", "-false", ")", "-print"]), "/\n");
        assert_eq!(printed(&["-false", "-a", "-true", "-o", "!", "-false"]), "/\n");
        assert_eq!(printed(&["!", "!", "-false"]), "");
        assert_eq!(printed(&["-print", ",", "-false"]), "/\n");
        assert_eq!(printed(&["-printf", "%p,%f,%d\\n"]), "/,/,0\n");
    }
}
