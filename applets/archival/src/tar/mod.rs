//! `tar`: archives of files, as GNU tar and BusyBox have it.
//!
//! Statuses are GNU's: 1 when files changed while they were read or differ, 2 when something failed.

mod append;
mod compare;
mod create;
mod extract;
mod list;
mod names;
mod progress;
mod stream;
mod transform;

use rbox_core::bytes;
use rbox_core::prelude::*;

options! {
    "c|x|t|r|u|A|d [OPTIONS] [-f ARCHIVE] [FILE]...

Create, extract, list or change an archive of files.
The options may come first as one word without a dash: tar xzf ARCHIVE.

  -c, --create                       Create an archive of the FILEs
  -x, --extract, --get               Extract all, or the FILEs, from the archive
  -t, --list                         List the archive
  -r, --append                       Append FILEs to the archive
  -u, --update                       Append FILEs that are newer than in the archive
  -A, --catenate, --concatenate      Append the archives FILE to the archive
  -d, --diff, --compare              Compare the archive with files
      --delete                       Delete the members FILE from the archive
  -f, --file=ARCHIVE                 Archive (default and -: standard input or output)
  -C, --directory=DIRECTORY          Change to DIRECTORY for the FILEs that follow
  -v, --verbose                      Print names; twice: all about the files
  -z, --gzip, --gunzip, --ungzip     Compress with gzip
  -j, --bzip2                        Compress with bzip2
  -J, --xz                           Compress with xz
  -Z, --compress, --uncompress       Compress with compress
      --lzma                         Compress with lzma
      --lzop                         Compress with lzop
      --zstd                         Compress with zstd
  -a, --auto-compress                Compress as the ending of ARCHIVE says
      --no-auto-compress             Do not (default)
  -I, --use-compress-program=COMMAND  Compress with COMMAND, which takes -d
  -T, --files-from=FILE              Read names from FILE, one a line
      --add-file=FILE                Archive FILE, which may begin with a dash
  -X, --exclude-from=FILE            Exclude the patterns in FILE, one a line
      --exclude=PATTERN              Exclude files that match PATTERN
      --exclude-vcs                  Exclude what version control systems keep
      --exclude-backups              Exclude .#*, *~ and #*#
      --exclude-caches               Exclude what is in directories with a CACHEDIR.TAG, but not that
      --exclude-caches-under         Exclude what is in such directories
      --exclude-caches-all           Exclude such directories
      --exclude-tag=NAME             As --exclude-caches, for directories with a file NAME
      --exclude-tag-under=NAME       As --exclude-caches-under
      --exclude-tag-all=NAME         As --exclude-caches-all
      --verbatim-files-from          Lines of the -T that follow are names, even -C
      --no-verbatim-files-from       They may be -C DIRECTORY (default)
      --null                         Names of the -T that follow end with NUL
      --no-null                      Names of the -T that follow end with newline
      --wildcards                    FILEs are patterns when reading an archive
      --no-wildcards                 Patterns are literal
      --wildcards-match-slash        Wildcards match / (default for --exclude)
      --no-wildcards-match-slash     Wildcards do not match /
      --anchored                     Patterns match from the start of a name
      --no-anchored                  Patterns match after any / (default for --exclude)
      --ignore-case                  Patterns match in any case
      --no-ignore-case               Patterns match in their case
      --occurrence[=N]               Take only the Nth member of each name FILE (default 1)
  -K, --starting-file=MEMBER         Begin at MEMBER
  -O, --to-stdout                    Extract to standard output
      --to-command=COMMAND           Pipe each extracted file to COMMAND
      --ignore-command-error         Ignore its status
      --no-ignore-command-error      Report it (default)
      --one-top-level[=DIRECTORY]    Extract below DIRECTORY (default: ARCHIVE without its ending)
  -k, --keep-old-files               Do not replace files; report them
      --skip-old-files               Do not replace files
      --keep-newer-files             Do not replace files that are newer
      --overwrite                    Write into files that are there
  -U, --unlink-first                 Remove files before extracting
      --overwrite-dir                Set the attributes of directories that are there (default)
      --no-overwrite-dir             Keep the attributes of directories that are there
      --keep-directory-symlink       Keep links to directories
  -m, --touch                        Do not restore the times of files
  -p, --preserve-permissions, --same-permissions  Restore all permissions (default for root)
      --no-same-permissions          Apply the umask
  -o                                 Extracting: same as --no-same-owner; creating: as --format=v7
      --same-owner                   Restore owners (default for root)
      --no-same-owner                Extract as yourself
      --numeric-owner                Use UIDs and GIDs, not names
  -P, --absolute-names               Keep leading / and .., and follow links
  -h, --dereference                  Archive the files that links lead to
      --hard-dereference             Archive hard links as files of their own
  -S, --sparse                       Archive holes as such
  -H, --format=FORMAT                Format: gnu (default), oldgnu, pax, posix, ustar, v7
      --posix                        Same as --format=pax
      --old-archive, --portability   Same as --format=v7
      --pax-option=LIST              For pax: delete=PATTERN, exthdr.name=NAME
      --xattrs                       Archive or restore extended attributes
      --xattrs-include=PATTERN       Those that match PATTERN
      --xattrs-exclude=PATTERN       Not those that match PATTERN
      --no-xattrs                    No extended attributes
      --selinux                      Archive or restore SELinux contexts
      --no-selinux                   No SELinux contexts
      --owner=NAME[:UID]             Owner of archived files
      --group=NAME[:GID]             Group of archived files
      --mode=CHANGES                 Change the mode of archived files
      --mtime=DATE                   Time of archived files: a date, or /FILE or ./FILE to take it from
      --clamp-mtime                  Only for files that are newer than --mtime
  -N, --newer=DATE, --after-date=DATE  Archive only files that changed after DATE
      --newer-mtime=DATE             Archive only files whose data changed after DATE
      --sort=ORDER                   Order in a directory: none (default), name, inode
      --recursion                    Archive what is in directories (default)
      --no-recursion                 Archive directories without what is in them
      --one-file-system              Stay on the file system of each FILE
      --remove-files                 Remove files that have been archived
      --ignore-failed-read           Do not fail for files that cannot be read
      --strip-components=N           Extract without the first N components of names
      --transform=EXPRESSION, --xform=EXPRESSION  Change names by sed's s/REGEX/TEXT/
      --show-transformed-names, --show-stored-names  List names as they are changed
  -i, --ignore-zeros                 Read on after blocks of zeros
  -b, --blocking-factor=N            N blocks of 512 bytes a record (default 20)
      --record-size=N                N bytes a record, a multiple of 512
      --checkpoint[=N]               Report each N records (default 10)
      --checkpoint-action=ACTION     What to do instead: dot, echo, echo=TEXT, exec=COMMAND, sleep=N
      --totals                       Report the bytes at the end
      --warning=KEYWORD              Print, or with no- do not print, warnings of a kind: all, none, cachedir,
                                     existing-file, failed-read, file-changed, file-ignored, ignore-archive
  -R, --block-number                 Print the block of each member
      --quoting-style=STYLE          Style of names: escape (default), literal
      --full-time                    List times in full
      --utc                          List times in UTC
  -g, --listed-incremental=FILE, --incremental  Refused: incremental archives
  -M, --multi-volume                 Refused: archives of several volumes
      --acls                         Refused: access control lists";
    CREATE = "-c",
    EXTRACT = "-x",
    LIST = "-t",
    APPEND = "-r",
    UPDATE = "-u",
    CATENATE = "-A",
    COMPARE = "-d",
    DELETE = "--delete",
    FILE = "-f",
    DIRECTORY = "-C",
    VERBOSE = "-v",
    GZIP = "-z",
    BZIP2 = "-j",
    XZ = "-J",
    COMPRESS = "-Z",
    LZMA = "--lzma",
    LZOP = "--lzop",
    ZSTD = "--zstd",
    AUTO = "-a",
    NO_AUTO = "--no-auto-compress",
    PROGRAM = "-I",
    ADD_FILE = "--add-file",
    FILES_FROM = "-T",
    EXCLUDE_FROM = "-X",
    EXCLUDE = "--exclude",
    EXCLUDE_VCS = "--exclude-vcs",
    EXCLUDE_BACKUPS = "--exclude-backups",
    EXCLUDE_CACHES = "--exclude-caches",
    EXCLUDE_CACHES_UNDER = "--exclude-caches-under",
    EXCLUDE_CACHES_ALL = "--exclude-caches-all",
    EXCLUDE_TAG = "--exclude-tag",
    EXCLUDE_TAG_UNDER = "--exclude-tag-under",
    EXCLUDE_TAG_ALL = "--exclude-tag-all",
    VERBATIM = "--verbatim-files-from",
    NOT_VERBATIM = "--no-verbatim-files-from",
    NULL = "--null",
    NO_NULL = "--no-null",
    WILDCARDS = "--wildcards",
    NO_WILDCARDS = "--no-wildcards",
    MATCH_SLASH = "--wildcards-match-slash",
    NO_MATCH_SLASH = "--no-wildcards-match-slash",
    ANCHORED = "--anchored",
    NO_ANCHORED = "--no-anchored",
    IGNORE_CASE = "--ignore-case",
    NO_IGNORE_CASE = "--no-ignore-case",
    OCCURRENCE = "--occurrence",
    STARTING = "-K",
    TO_STDOUT = "-O",
    TO_COMMAND = "--to-command",
    IGNORE_COMMAND = "--ignore-command-error",
    HEED_COMMAND = "--no-ignore-command-error",
    TOP_LEVEL = "--one-top-level",
    KEEP_OLD = "-k",
    SKIP_OLD = "--skip-old-files",
    KEEP_NEWER = "--keep-newer-files",
    OVERWRITE = "--overwrite",
    UNLINK_FIRST = "-U",
    OVERWRITE_DIR = "--overwrite-dir",
    NO_OVERWRITE_DIR = "--no-overwrite-dir",
    KEEP_LINKS = "--keep-directory-symlink",
    TOUCH = "-m",
    SAME_PERMISSIONS = "-p",
    NO_PERMISSIONS = "--no-same-permissions",
    OLD = "-o",
    SAME_OWNER = "--same-owner",
    NO_SAME_OWNER = "--no-same-owner",
    NUMERIC = "--numeric-owner",
    ABSOLUTE = "-P",
    DEREFERENCE = "-h",
    HARD_DEREFERENCE = "--hard-dereference",
    SPARSE = "-S",
    FORMAT = "-H",
    POSIX = "--posix",
    PORTABLE = "--old-archive",
    PAX_OPTION = "--pax-option",
    XATTRS = "--xattrs",
    XATTRS_INCLUDE = "--xattrs-include",
    XATTRS_EXCLUDE = "--xattrs-exclude",
    NO_XATTRS = "--no-xattrs",
    SELINUX = "--selinux",
    NO_SELINUX = "--no-selinux",
    OWNER = "--owner",
    GROUP = "--group",
    MODE = "--mode",
    MTIME = "--mtime",
    CLAMP = "--clamp-mtime",
    NEWER = "-N",
    NEWER_MTIME = "--newer-mtime",
    SORT = "--sort",
    RECURSION = "--recursion",
    NO_RECURSION = "--no-recursion",
    ONE_SYSTEM = "--one-file-system",
    REMOVE_FILES = "--remove-files",
    IGNORE_READ = "--ignore-failed-read",
    STRIP = "--strip-components",
    TRANSFORM = "--transform",
    SHOW_TRANSFORMED = "--show-transformed-names",
    IGNORE_ZEROS = "-i",
    BLOCKING = "-b",
    RECORD_SIZE = "--record-size",
    CHECKPOINT = "--checkpoint",
    ACTION = "--checkpoint-action",
    TOTALS = "--totals",
    WARNING = "--warning",
    BLOCK_NUMBER = "-R",
    QUOTING = "--quoting-style",
    FULL_TIME = "--full-time",
    UTC = "--utc",
    INCREMENTAL = "-g",
    MULTI_VOLUME = "-M",
    ACLS = "--acls",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().failure(2);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = options::with_dashes(USAGE, args.words())?;
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let args = Args::parse(USAGE, options::Grammar::Permuted, &words)?;
    for (option, what) in
        [(INCREMENTAL, "incremental archives"), (MULTI_VOLUME, "multi-volume archives"), (ACLS, "ACLs")]
    {
        if args.has(option) {
            return Err(Error::parts(&[what.as_bytes(), b" are not supported"]));
        }
    }
    for word in args.values(WARNING) {
        let word = word.strip_prefix(b"no-").unwrap_or(word);
        if !WARNINGS.split_ascii_whitespace().any(|known| known.as_bytes() == word) {
            return Err(Error::parts(&[b"invalid argument '", word, b"' for --warning"]));
        }
    }
    let operations = [CREATE, EXTRACT, LIST, APPEND, UPDATE, CATENATE, COMPARE, DELETE];
    let mut given = operations.iter().filter(|option| args.has(**option));
    let needed = "one of -c -x -t -r -u -A -d --delete is needed";
    let operation = given.next().copied().ok_or_else(|| Error::misused(needed))?;
    if given.next().is_some() {
        return Err(Error::misused("only one of -c -x -t -r -u -A -d --delete may be given"));
    }
    match operation {
        CREATE => create::run(env, &args),
        EXTRACT => extract::run(env, &args),
        LIST => list::run(env, &args),
        COMPARE => compare::run(env, &args),
        DELETE => append::delete(env, &args),
        _ => append::run(env, &args, operation),
    }
}

/// The kinds of warnings of GNU tar. Those that this one never prints may be turned on and off as well.
const WARNINGS: &str = "all none alone-zero-block bad-dumpdir cachedir contiguous-cast decompress-program existing-file \
    failed-read file-changed file-ignored file-removed file-shrank file-unchanged filename-with-nuls ignore-archive \
    ignore-newer new-directory record-size rename-directory symlink-cast timestamp unknown-cast unknown-keyword \
    xattr-write xdev";

/// Whether warnings of that kind are printed; `usual` without an option.
fn warns(args: &Args<'_>, kind: &str, usual: bool) -> bool {
    args.values(WARNING).fold(usual, |prints, word| match word {
        b"all" | b"no-none" => true,
        b"none" | b"no-all" => false,
        _ if word == kind.as_bytes() => true,
        _ if word.strip_prefix(b"no-") == Some(kind.as_bytes()) => false,
        _ => prints,
    })
}

/// Reports a failure, which makes the status 2.
fn fail(env: &mut Env, status: &mut ExitStatus, error: Error) {
    env.report(&error);
    status.worsen(ExitStatus(2));
}

/// The number of an option.
fn number(args: &Args<'_>, option: Opt) -> Result<Option<u64>> {
    let parse = |word| rbox_core::number::parse_count(word, rbox_core::number::PLAIN);
    args.value(option).map(parse).transpose()
}

/// Directories that names hold for: each `-C` is relative to the one before.
fn joined(directory: &[u8], next: &[u8]) -> Vec<u8> {
    if next.starts_with(b"/") { next.to_vec() } else { bytes::join_path(directory, next) }
}
