//! `ls`: list files and directories (POSIX XCU ls), with BusyBox's options and GNU's `--time-style`, `-Q`, `-b`.

mod layout;
mod order;

use rbox_core::bytes::join_path;
use rbox_core::files::{FileId, MOST_OPEN, identity, kind, list, open_directory, open_parent};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, CWD, FileType, Stat, readlinkat, statat};
use rbox_core::sys::{AsFd, OwnedFd};
use rbox_core::term;

options! {
    "[-1AaCxdLHRFplinshrSXvctukgobQfUm] [-w N] [-T N] [--color[=WHEN]] [FILE]...

List each FILE and the contents of directories (.).

  -1                             List one name per line
  -a, --all                      Include names that start with .
  -A, --almost-all               Same as -a, without . and ..
  -C                             List in columns
  -x                             List in columns, sorted across
  -m                             Separate names by commas
  -d, --directory                List directories themselves, not contents
  -L, --dereference              Follow symbolic links
  -H                             Follow symbolic links among the operands
  -R, --recursive                List subdirectories recursively
  -F, --classify                 Append a type indicator (*/=@|) to names
  -p                             Append / to directories
  -l                             Long format: mode, links, owner, size and time
  -i, --inode                    Print inode numbers
  -n, --numeric-uid-gid          Same as -l, with UID and GID
  -g                             Same as -l, without the user
  -o                             Same as -l, without the group
  -s, --size                     Print allocated blocks of 1024 bytes
  -h, --human-readable           Print sizes as 1.5K, 20.0M
  -k                             Use blocks of 1024 bytes (default)
  -r, --reverse                  Reverse the order
  -S                             Sort by size
  -X                             Sort by extension
  -v                             Sort by version
  -t                             Sort by time
  -c                             Use the change time, with -l and -t
  -u                             Use the access time, with -l and -t
  -f                             Same as -aU
  -U                             Do not sort
  -q                             Print ? for nonprintable characters
  -N, --literal                  Print names unchanged
  -b, --escape                   Escape nonprintable characters as in C
  -Q, --quote-name               Quote names as in C
  -w, --width=N                  Assume N columns
  -T N                           Tab stops every N columns; only spaces are printed
  -Z                             Print security contexts
      --full-time                Print full times
      --time-style=STYLE         Time format: full-iso, long-iso, iso, locale, +FORMAT
      --group-directories-first  List directories first
      --color[=WHEN]             Color names: always, never, auto";
    ONE = "-1",
    ALL = "-a",
    ALMOST_ALL = "-A",
    COLUMNS = "-C",
    ACROSS = "-x",
    COMMAS = "-m",
    ITSELF = "-d",
    FOLLOW = "-L",
    FOLLOW_OPERANDS = "-H",
    RECURSE = "-R",
    CLASSIFY = "-F",
    SLASH = "-p",
    LONG = "-l",
    INODE = "-i",
    NUMERIC = "-n",
    NO_USER = "-g",
    NO_GROUP = "-o",
    BLOCKS = "-s",
    HUMAN = "-h",
    KILO = "-k",
    REVERSE = "-r",
    BY_SIZE = "-S",
    BY_EXTENSION = "-X",
    BY_VERSION = "-v",
    BY_TIME = "-t",
    CHANGE_TIME = "-c",
    ACCESS_TIME = "-u",
    AS_FOUND = "-f",
    UNSORTED = "-U",
    QUESTION = "-q",
    LITERAL = "-N",
    ESCAPE = "-b",
    QUOTE = "-Q",
    WIDTH = "-w",
    TABS = "-T",
    CONTEXT = "-Z",
    FULL_TIME = "--full-time",
    TIME_STYLE = "--time-style",
    DIRECTORIES_FIRST = "--group-directories-first",
    COLOR = "--color",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// How the listing looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Single,
    Columns,
    Across,
    Commas,
    Long,
}

/// How bytes that cannot be printed are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Literal,
    Question,
    Escape,
    Quote,
}

/// One file of the listing. `stat` is empty where nothing but the name is asked for.
struct File {
    name: Vec<u8>,
    kind: FileType,
    /// Boxed: sorting moves files, and most listings need no attributes.
    stat: Option<Box<Stat>>,
    /// Where a symbolic link leads, and the attributes found there.
    target: Option<(Vec<u8>, Option<Box<Stat>>)>,
}

struct Lister<'a> {
    args: &'a Args<'a>,
    form: Form,
    quoting: Quoting,
    color: bool,
    width: usize,
    layout: layout::Layout,
    needs_stat: bool,
    status: ExitStatus,
    /// Something was listed, so that the next directory is set apart by an empty line.
    started: bool,
}

/// A directory whose directories are being listed.
struct Level {
    /// It, open; those far above are closed, so that no depth takes all descriptors.
    directory: Option<OwnedFd>,
    id: FileId,
    /// The directories in it that are still to be listed.
    below: std::vec::IntoIter<Vec<u8>>,
    path_length: usize,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut lister = Lister::new(env, args)?;
    let operands = args.operands_or(b".");
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for operand in &operands {
        match lister.look(CWD, operand, true) {
            Ok(file) if file.kind == FileType::Directory && !args.has(ITSELF) => directories.push(file),
            Ok(file) => files.push(file),
            Err(error) => lister.status.worsen(env.warn(error)),
        }
    }
    let headers = args.has(RECURSE) || operands.len() > 1;
    order::sort(args, &mut files);
    order::sort(args, &mut directories);
    if !files.is_empty() {
        lister.print(env, &files, false)?;
        lister.started = true;
    }
    for directory in directories {
        lister.list_tree(env, &directory.name, headers)?;
    }
    Ok(lister.status)
}

impl<'a> Lister<'a> {
    fn new(env: &Env, args: &'a Args<'a>) -> Result<Self> {
        let terminal = env.stdout.is_terminal();
        let long = args.last_of(&[NUMERIC, NO_USER, NO_GROUP, FULL_TIME]).is_some();
        let form = match args.last_of(&[ONE, COLUMNS, ACROSS, COMMAS, LONG, NUMERIC, NO_USER, NO_GROUP]) {
            // One name a line is what a long listing does anyway.
            Some(ONE) if long || args.has(LONG) => Form::Long,
            Some(ONE) => Form::Single,
            Some(COLUMNS) => Form::Columns,
            Some(ACROSS) => Form::Across,
            Some(COMMAS) => Form::Commas,
            Some(_) => Form::Long,
            None if long => Form::Long,
            None if terminal => Form::Columns,
            None => Form::Single,
        };
        let quoting = match args.last_of(&[QUESTION, LITERAL, ESCAPE, QUOTE]) {
            Some(QUESTION) => Quoting::Question,
            Some(ESCAPE) => Quoting::Escape,
            Some(QUOTE) => Quoting::Quote,
            Some(_) => Quoting::Literal,
            None if terminal => Quoting::Question,
            None => Quoting::Literal,
        };
        let color = match args.value(COLOR) {
            Some(b"always" | b"yes" | b"force") => true,
            Some(b"never" | b"no" | b"none") => false,
            Some(b"auto" | b"tty" | b"if-tty") => terminal,
            Some(word) => return Err(Error::parts(&[b"invalid argument '", word, b"' for --color"])),
            None => args.has(COLOR),
        };
        let width = match args.value(WIDTH) {
            Some(word) => rbox_core::number::parse_in_range(word, 0, 1 << 20)? as usize,
            None => term::columns(env),
        };
        if let Some(word) = args.value(TABS) {
            rbox_core::number::parse_in_range(word, 0, 1 << 20)?;
        }
        let sorted = [BY_SIZE, BY_TIME, CHANGE_TIME, ACCESS_TIME];
        let needs_stat = form == Form::Long
            || color
            || [CLASSIFY, INODE, BLOCKS, FOLLOW].iter().chain(&sorted).any(|option| args.has(*option));
        let layout = layout::Layout::new(env, args)?;
        let status = ExitStatus::SUCCESS;
        Ok(Self { args, form, quoting, color, width, layout, needs_stat, status, started: false })
    }

    /// Looks at `name` in the open directory `at`. An operand's link is followed where POSIX says so.
    fn look(&self, at: rbox_core::sys::BorrowedFd<'_>, name: &[u8], operand: bool) -> Result<File> {
        let follow = self.args.has(FOLLOW)
            || operand
                && (self.args.has(FOLLOW_OPERANDS)
                    || !(self.form == Form::Long || self.args.has(ITSELF) || self.args.has(CLASSIFY)));
        let stat = |follow| statat(at, name, if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW });
        // A link that leads nowhere is shown itself, unless -L asks for what it leads to.
        let found = match follow {
            true if self.args.has(FOLLOW) => stat(true),
            true => stat(true).or_else(|_| stat(false)),
            false => stat(false),
        };
        let stat = found.map_err(|errno| Error::on(name, errno))?;
        let mut file = File { name: name.to_vec(), kind: kind(&stat), stat: Some(Box::new(stat)), target: None };
        if file.kind == FileType::Symlink && (self.form == Form::Long || self.color || self.args.has(CLASSIFY)) {
            let target = readlinkat(at, name, Vec::new()).map(|target| target.into_bytes()).unwrap_or_default();
            file.target = Some((target, statat(at, name, AtFlags::empty()).ok().map(Box::new)));
        }
        Ok(file)
    }

    /// Lists the directory `operand`, and with -R all below it, by open directories: no path is too long.
    fn list_tree(&mut self, env: &mut Env, operand: &[u8], header: bool) -> Result<()> {
        let (mut path, mut levels) = (operand.to_vec(), Vec::<Level>::new());
        let first = self.list_directory(env, &levels, operand, &path, header)?;
        levels.extend(first);
        while let Some(level) = levels.last_mut() {
            path.truncate(level.path_length);
            if let Some(name) = level.below.next() {
                path = join_path(&path, &name);
                let next = self.list_directory(env, &levels, &name, &path, true)?;
                levels.extend(next);
                // A link may have led down, and `..` does not lead back.
                if let Some(far) = levels.len().checked_sub(MOST_OPEN + 1).filter(|_| !self.args.has(FOLLOW)) {
                    levels[far].directory = None;
                }
            } else if let Some(below) = levels.pop().and_then(|level| level.directory)
                && let Some(level) = levels.last_mut().filter(|level| level.directory.is_none())
            {
                match open_parent(&below, level.id) {
                    Ok(directory) => level.directory = Some(directory),
                    Err(errno) => {
                        level.below = Vec::new().into_iter();
                        self.status.worsen(env.warn(Error::cannot("open", &path, errno)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Lists one directory, `name` in the innermost of `levels`. The answer is the level of what is below it, with -R.
    fn list_directory(
        &mut self,
        env: &mut Env,
        levels: &[Level],
        name: &[u8],
        path: &[u8],
        header: bool,
    ) -> Result<Option<Level>> {
        let at = levels.last().and_then(|level| level.directory.as_ref()).map_or(CWD, |directory| directory.as_fd());
        let opened = open_directory(at, name, levels.is_empty() || self.args.has(FOLLOW))
            .and_then(|directory| Ok((list(directory.as_fd())?, identity(&directory)?, directory)));
        let (entries, id, directory) = match opened {
            Ok(opened) => opened,
            Err(errno) => {
                self.status.worsen(env.warn(Error::cannot("open", path, errno)));
                return Ok(None);
            }
        };
        if levels.iter().any(|level| level.id == id) {
            self.status.worsen(env.warn(Error::parts(&[path, b": not listing already-listed directory"])));
            return Ok(None);
        }
        let files = self.look_at_all(env, &directory, path, entries);
        if header {
            let mut line = if self.started { b"\n".to_vec() } else { Vec::new() };
            layout::push_name(&mut line, path, self.quoting);
            line.extend_from_slice(b":\n");
            env.stdout.write(&line)?;
        }
        self.started = true;
        self.print(env, &files, true)?;
        if !self.args.has(RECURSE) {
            return Ok(None);
        }
        let is_below = |file: &File| file.kind == FileType::Directory && file.name != b"." && file.name != b"..";
        let below: Vec<Vec<u8>> = files.into_iter().filter(is_below).map(|file| file.name).collect();
        Ok(Some(Level { directory: Some(directory), id, below: below.into_iter(), path_length: path.len() }))
    }

    fn look_at_all(
        &mut self,
        env: &mut Env,
        directory: &rbox_core::sys::OwnedFd,
        path: &[u8],
        entries: Vec<rbox_core::files::Entry>,
    ) -> Vec<File> {
        let all = self.args.last_of(&[ALL, ALMOST_ALL, AS_FOUND]);
        let mut files = Vec::with_capacity(entries.len() + 2);
        let mut names = Vec::with_capacity(entries.len() + 2);
        if matches!(all, Some(ALL | AS_FOUND)) {
            names.push((b".".to_vec(), FileType::Directory));
            names.push((b"..".to_vec(), FileType::Directory));
        }
        names.extend(entries.into_iter().map(|entry| (entry.name, entry.kind)));
        for (name, kind) in names {
            if all.is_none() && name.starts_with(b".") {
                continue;
            }
            if !self.needs_stat && kind != FileType::Unknown {
                files.push(File { name, kind, stat: None, target: None });
                continue;
            }
            match self.look(directory.as_fd(), &name, false) {
                Ok(file) => files.push(file),
                Err(error) => self.status.worsen(env.warn(error.context(path))),
            }
        }
        order::sort(self.args, &mut files);
        files
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn names_what_is_not_there_and_goes_on() {
        let ran = try_call(APPLET, &["ls", "/no/such", "/proc/self/exe", "-L"], b"");
        assert_eq!((ran.status, ran.stdout.as_str()), (1, "/proc/self/exe\n"));
        assert_eq!(ran.stderr, "ls: /no/such: No such file or directory\n");
    }

    #[test]
    fn lists_one_name_a_line_where_there_is_no_terminal() {
        let ran = try_call(APPLET, &["ls", "-d", "/proc", "/dev"], b"");
        assert_eq!(ran.stdout, "/dev\n/proc\n");
    }
}
