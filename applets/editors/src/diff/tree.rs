//! Two operands of any type: files, directories, links; the trees below directories.

use rbox_core::bytes::{base_name, common_prefix, join_path};
use rbox_core::files::{FileId, id, kind, list_at};
use rbox_core::io::Input;
use rbox_core::pattern::glob;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{self, FileType, Stat};
use rbox_core::time::Moment;

use super::style::{Format, Style};
use super::{Contents, differences};

/// What options say about directories.
pub struct Trees<'a> {
    pub style: Style<'a>,
    pub recursive: bool,
    /// Absent files are empty ones: all, or only those of the first operand.
    pub absent: [bool; 2],
    pub follow: bool,
    pub exclude: Vec<Vec<u8>>,
    /// The first name that is compared in the directories that are operands.
    pub start: Option<&'a [u8]>,
    /// The command line without operands, which is printed before each pair of files in directories.
    pub command: Vec<u8>,
    pub status: ExitStatus,
    /// The directories above, in both trees.
    pub above: Vec<[FileId; 2]>,
}

/// A file to compare.
struct File<'a> {
    path: &'a [u8],
    /// `None` where there is none.
    stat: Option<Stat>,
}

impl Trees<'_> {
    /// Compares two operands. A directory among them and a file are compared in the directory.
    pub fn operands(&mut self, env: &mut Env, names: [&[u8]; 2]) -> Result<()> {
        let is_directory =
            names.map(|name| name != b"-" && fs::stat(name).is_ok_and(|stat| kind(&stat) == FileType::Directory));
        let within = |directory: usize| {
            if names[1 - directory] == b"-" {
                return Err(Error::new("can't compare stdin to a directory"));
            }
            Ok(join_path(names[directory], base_name(names[1 - directory])))
        };
        match is_directory {
            [true, false] => self.pair(env, [&within(0)?, names[1]]),
            [false, true] => self.pair(env, [names[0], &within(1)?]),
            _ => self.pair(env, names),
        }
    }

    fn pair(&mut self, env: &mut Env, paths: [&[u8]; 2]) -> Result<()> {
        let mut files = [File { path: paths[0], stat: None }, File { path: paths[1], stat: None }];
        let mut missing = 0;
        for (file, absent) in files.iter_mut().zip(self.absent) {
            match self.stat(file.path) {
                _ if file.path == b"-" => {}
                Ok(stat) => file.stat = Some(stat),
                Err(Errno::NOENT) if absent && missing == 0 => missing += 1,
                Err(errno) => {
                    self.fail(env, Error::cannot("stat", file.path, errno));
                    missing += 2;
                }
            }
        }
        if missing > 1 { Ok(()) } else { self.files(env, files) }
    }

    fn stat(&self, path: &[u8]) -> core::result::Result<Stat, Errno> {
        if self.follow { fs::stat(path) } else { fs::lstat(path) }
    }

    fn fail(&mut self, env: &mut Env, error: Error) {
        env.report(&error);
        self.status.worsen(ExitStatus(2));
    }

    fn differ(&mut self, env: &mut Env, parts: &[&[u8]]) -> Result<()> {
        self.status.worsen(ExitStatus::FAILURE);
        env.stdout.write(&parts.concat())
    }

    /// Compares two files, of which at least one exists.
    fn files(&mut self, env: &mut Env, files: [File<'_>; 2]) -> Result<()> {
        let kinds = [0, 1].map(|at| files[at].stat.as_ref().map(kind));
        let [one, two] = [files[0].path, files[1].path];
        match kinds {
            [Some(FileType::Directory), Some(FileType::Directory) | None] | [None, Some(FileType::Directory)]
                if one != b"-" && two != b"-" =>
            {
                self.directories(env, files)
            }
            [Some(FileType::Symlink), Some(FileType::Symlink)] => {
                if fs::readlink(one).ok() == fs::readlink(two).ok() {
                    return self.report_same(env, files);
                }
                self.differ(env, &[b"Symbolic links ", one, b" and ", two, b" differ\n"])
            }
            [Some(a), Some(b)] if a != b || !self.above.is_empty() && a != FileType::RegularFile => {
                let name = |at: usize| files[at].stat.as_ref().map_or("", kind_name).as_bytes();
                self.differ(env, &[b"File ", one, b" is a ", name(0), b" while file ", two, b" is a ", name(1), b"\n"])
            }
            _ => self.contents(env, files),
        }
    }

    fn report_same(&self, env: &mut Env, files: [File<'_>; 2]) -> Result<()> {
        if !self.style.report_same {
            return Ok(());
        }
        env.stdout.write(&[b"Files ", files[0].path, b" and ", files[1].path, b" are identical\n"].concat())
    }

    fn contents(&mut self, env: &mut Env, files: [File<'_>; 2]) -> Result<()> {
        let is_same = match (&files[0].stat, &files[1].stat) {
            (Some(a), Some(b)) => id(a) == id(b),
            _ => files[0].path == files[1].path,
        };
        if is_same {
            return self.report_same(env, files);
        }
        let in_directory = !self.above.is_empty();
        let mut read = [Contents::default(), Contents::default()];
        for (file, contents) in files.iter().zip(&mut read) {
            // BusyBox names an absent file in a directory so, and patch(1) knows it, too.
            let absent = file.stat.is_none() && in_directory && self.style.format == Format::Unified;
            contents.name = if absent { b"/dev/null".to_vec() } else { file.path.to_vec() };
            match load(env, file) {
                Ok((bytes, modified)) => (contents.bytes, contents.modified) = (bytes, modified),
                Err(error) => {
                    self.fail(env, error);
                    return Ok(());
                }
            }
        }
        let [one, two] = &read;
        let prefix = common_prefix(&one.bytes, &two.bytes);
        let is_equal = prefix == one.bytes.len() && prefix == two.bytes.len();
        if is_equal && self.style.format != Format::SideBySide {
            return self.report_same(env, files);
        }
        let command = match in_directory && self.style.format != Format::Unified {
            true => [&self.command, &b" "[..], files[0].path, b" ", files[1].path, b"\n"].concat(),
            false => Vec::new(),
        };
        match differences(env, &self.style, read, &command) {
            Ok(false) => return self.report_same(env, files),
            Ok(true) => self.status.worsen(ExitStatus::FAILURE),
            Err(error) if error.is_output() => return Err(error),
            Err(error) => self.fail(env, error),
        }
        Ok(())
    }

    fn directories(&mut self, env: &mut Env, files: [File<'_>; 2]) -> Result<()> {
        let [one, two] = [files[0].path, files[1].path];
        if !self.above.is_empty() && !self.recursive {
            return env.stdout.write(&[b"Common subdirectories: ", one, b" and ", two, b"\n"].concat());
        }
        let ids = [0, 1].map(|at| files[at].stat.as_ref().map_or((0, 0), id));
        // What is compared with itself has no differences; a loop of links would have no end.
        if ids[0] == ids[1] {
            return Ok(());
        }
        if let Some(at) =
            [0, 1].into_iter().find(|&at| ids[at] != (0, 0) && self.above.iter().any(|above| above[at] == ids[at]))
        {
            self.fail(env, Error::on(files[at].path, Errno::LOOP));
            return Ok(());
        }
        let mut names = [Vec::new(), Vec::new()];
        for (file, names) in files.iter().zip(&mut names).filter(|(file, _)| file.stat.is_some()) {
            match self.names(file.path) {
                Ok(found) => *names = found,
                Err(errno) => {
                    self.fail(env, Error::on(file.path, errno));
                    return Ok(());
                }
            }
        }
        self.above.push(ids);
        let result = self.merge(env, [one, two], &names);
        self.above.pop();
        result
    }

    /// The names in a directory that are compared, sorted.
    fn names(&self, path: &[u8]) -> core::result::Result<Vec<Vec<u8>>, Errno> {
        let mut names: Vec<Vec<u8>> = list_at(path)?.into_iter().map(|entry| entry.name).collect();
        let is_excluded =
            |name: &Vec<u8>| self.exclude.iter().any(|pattern| glob::matches(pattern, name, glob::Flags::NONE));
        let start = self.start.filter(|_| self.above.is_empty()).unwrap_or_default();
        names.retain(|name| name.as_slice() >= start && !is_excluded(name));
        names.sort_unstable();
        Ok(names)
    }

    fn merge(&mut self, env: &mut Env, directories: [&[u8]; 2], names: &[Vec<Vec<u8>>; 2]) -> Result<()> {
        let mut names = [names[0].iter().peekable(), names[1].iter().peekable()];
        loop {
            let (one, two) = (names[0].peek().copied(), names[1].peek().copied());
            let Some(name) = one.into_iter().chain(two).min() else { return Ok(()) };
            let present = [one == Some(name), two == Some(name)];
            for (names, _) in names.iter_mut().zip(present).filter(|(_, is_present)| *is_present) {
                names.next();
            }
            let paths = directories.map(|directory| join_path(directory, name));
            let side = usize::from(!present[0]);
            if present == [true, true] {
                self.pair(env, [&paths[0], &paths[1]])?;
            } else if self.absent[1 - side] {
                self.lone(env, [&paths[0], &paths[1]], side)?;
            } else {
                self.differ(env, &[b"Only in ", directories[side], b": ", name, b"\n"])?;
            }
        }
    }

    /// Compares a file of one tree with an empty one, and a directory with an empty one if directories are compared.
    fn lone(&mut self, env: &mut Env, paths: [&[u8]; 2], side: usize) -> Result<()> {
        let stat = match self.stat(paths[side]) {
            Ok(stat) => stat,
            Err(errno) => {
                self.fail(env, Error::cannot("stat", paths[side], errno));
                return Ok(());
            }
        };
        let is_compared = match kind(&stat) {
            FileType::RegularFile => true,
            FileType::Directory => self.recursive,
            _ => false,
        };
        if !is_compared {
            let directory = &paths[side][..paths[side].len() - base_name(paths[side]).len()];
            let directory = directory.strip_suffix(b"/").unwrap_or(directory);
            return self.differ(env, &[b"Only in ", directory, b": ", base_name(paths[side]), b"\n"]);
        }
        let mut files = paths.map(|path| File { path, stat: None });
        files[side].stat = Some(stat);
        self.files(env, files)
    }
}

/// Contents and time of a file. What is absent is empty and from 1970.
fn load(env: &mut Env, file: &File<'_>) -> Result<(Vec<u8>, Moment)> {
    if file.path == b"-" {
        let mut input = env.take_stdin();
        let bytes = input.read_to_end()?;
        env.stdin = input;
        return Ok((bytes, Moment::now()));
    }
    let Some(stat) = &file.stat else { return Ok((Vec::new(), Moment::default())) };
    let modified = Moment { seconds: stat.st_mtime, nanos: stat.st_mtime_nsec as u32 };
    Ok((Input::open(file.path)?.read_to_end()?, modified))
}

fn kind_name(stat: &Stat) -> &'static str {
    match kind(stat) {
        FileType::RegularFile if stat.st_size == 0 => "regular empty file",
        FileType::RegularFile => "regular file",
        FileType::Directory => "directory",
        FileType::Symlink => "symbolic link",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "character special file",
        FileType::BlockDevice => "block special file",
        FileType::Unknown => "file of unknown type",
    }
}
