//! `cpio`: archives of files whose names are read from standard input (POSIX.1-1997 cpio), as GNU's and BusyBox's.

mod copy_in;
mod copy_out;

use rbox_core::archive::cpio::Format;
use rbox_core::archive::guard::{Existing, Extractor, Guard, Manner};
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::text;
use rbox_core::users::parse_owner;

options! {
    "-i|-o|-t|-p DIRECTORY [OPTIONS] [PATTERN]...

Extract from an archive (-i), create one of the files whose names are read (-o), list one (-t), or copy the files
whose names are read into DIRECTORY (-p).

  -i, --extract                  Extract files, or those that match a PATTERN
  -o, --create                   Create an archive
  -t, --list                     List an archive
  -p, --pass-through             Copy files into DIRECTORY
  -F, --file=FILE                Archive (default: standard input or output)
  -I FILE                        Archive to read
  -O FILE                        Archive to write
  -A, --append                   Append to the archive of -F or -O
  -H, --format=FORMAT            Format to create: newc (default), crc, odc, bin
  -c                             Same as -H odc
  -0, --null                     Names end with NUL
  -d, --make-directories         Create missing parent directories
  -m, --preserve-modification-time  Restore times
  -u, --unconditional            Replace newer files
  -L, --dereference              Archive the files that links lead to
  -R, --owner=USER[:GROUP]       Owner of all files
      --no-preserve-owner        Extract as yourself
  -f, --nonmatching              Take files that match no PATTERN
  -E, --pattern-file=FILE        Read PATTERNs from FILE
  -D, --directory=DIRECTORY      Change to DIRECTORY
      --to-stdout                Extract to standard output
      --only-verify-crc          Check the sums of an archive
      --absolute-filenames       Keep leading / and .., and follow links
      --no-absolute-filenames    Extract below the current directory (default)
  -l, --link                     With -p: link files instead of copying them where that is possible
  -n, --numeric-uid-gid          Ignored: owners are listed by their numbers
  -r, --rename                   Ask for each name on the terminal; an empty one skips the file
      --ignore-devno             Archive no device numbers
      --renumber-inodes          Archive inode numbers from 0 on
      --reproducible, --device-independent  Both
  -v, --verbose                  Print names; with -t all about the files
  -V, --dot                      Print a dot for each file
      --quiet                    Do not print the number of blocks";
    EXTRACT = "-i",
    CREATE = "-o",
    LIST = "-t",
    PASS = "-p",
    FILE = "-F",
    IN_FILE = "-I",
    OUT_FILE = "-O",
    APPEND = "-A",
    FORMAT = "-H",
    OLD = "-c",
    NULL = "-0",
    DIRECTORIES = "-d",
    TIMES = "-m",
    UNCONDITIONAL = "-u",
    DEREFERENCE = "-L",
    OWNER = "-R",
    NO_OWNER = "--no-preserve-owner",
    NONMATCHING = "-f",
    PATTERN_FILE = "-E",
    CHANGE = "-D",
    TO_STDOUT = "--to-stdout",
    VERIFY = "--only-verify-crc",
    ABSOLUTE = "--absolute-filenames",
    NOT_ABSOLUTE = "--no-absolute-filenames",
    LINK = "-l",
    RENAME = "-r",
    IGNORE_DEVICE = "--ignore-devno",
    RENUMBER = "--renumber-inodes",
    REPRODUCIBLE = "--reproducible",
    VERBOSE = "-v",
    DOT = "-V",
    QUIET = "--quiet",
    "-n" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let modes = [EXTRACT, CREATE, LIST, PASS].map(|option| args.has(option));
    match modes {
        [_, false, _, false] if modes[0] || modes[2] => copy_in::run(env, args),
        [false, true, false, false] => copy_out::create(env, args),
        [false, false, false, true] => copy_out::pass(env, args),
        _ => Err(Error::misused("one of -i, -o, -t and -p is needed")),
    }
}

/// The owner of `-R`.
fn owner(args: &Args<'_>) -> Result<(Option<u32>, Option<u32>)> {
    args.value(OWNER).map_or(Ok((None, None)), parse_owner)
}

/// Makes files in `directory` as the command line says.
fn extractor(args: &Args<'_>, directory: &[u8]) -> Result<Extractor> {
    let is_trusting = args.last_of(&[ABSOLUTE, NOT_ABSOLUTE]) == Some(ABSOLUTE);
    let manner = Manner {
        existing: if args.has(UNCONDITIONAL) { Existing::Replace } else { Existing::KeepNewer },
        owner: (process::geteuid().is_root() || args.has(OWNER)) && !args.has(NO_OWNER),
        permissions: true,
        times: args.has(TIMES),
        keep_directories: false,
        keep_directory_links: false,
        makes_parents: args.has(DIRECTORIES),
        umask: process::current_umask(),
    };
    Ok(Extractor::new(Guard::new(directory, is_trusting)?, manner))
}

/// The format of `-H`.
fn format(args: &Args<'_>) -> Result<Format> {
    match (args.last_of(&[FORMAT, OLD]), args.value(FORMAT)) {
        (Some(OLD), _) => Ok(Format::Odc),
        (_, None | Some(b"newc")) => Ok(Format::Newc),
        (_, Some(b"crc")) => Ok(Format::Crc),
        (_, Some(b"odc")) => Ok(Format::Odc),
        (_, Some(b"bin")) => Ok(Format::Bin),
        (_, Some(word)) => Err(Error::parts(&[b"invalid archive format '", word, b"'"])),
    }
}

/// Changes to the directory of `-D`.
fn change_directory(args: &Args<'_>) -> Result<()> {
    match args.value(CHANGE) {
        Some(path) => process::chdir(path).map_err(|errno| Error::cannot("change directory to", path, errno)),
        None => Ok(()),
    }
}

/// Prints how much has been read or written, after the dots.
fn report_blocks(env: &mut Env, args: &Args<'_>, bytes: u64) -> Result<()> {
    env.stdout.flush()?;
    if args.has(DOT) {
        env.stderr.write(b"\n")?;
    }
    if args.has(QUIET) {
        return Ok(());
    }
    env.stderr.write(&text!(bytes.div_ceil(512), " blocks\n"))
}

/// Prints a file's name or a dot, where that is asked for.
fn report_file(env: &mut Env, args: &Args<'_>, name: &[u8], to_stdout: bool) -> Result<()> {
    if args.has(DOT) {
        env.stderr.write(b".")?;
        return env.stderr.flush();
    }
    if !args.has(VERBOSE) {
        return Ok(());
    }
    let line = [name, b"\n"].concat();
    if to_stdout { env.stdout.write(&line) } else { env.stderr.write(&line) }
}
