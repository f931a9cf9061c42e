//! `cp`: copy files and trees (POSIX XCU cp), with GNU's `-a`, `-l`, `-s`, `-u`, `-n`, `-x`, `-t`, `-T`.

use rbox_core::bytes::{base_name, join_path};
use rbox_core::copying::{Copier, Destination, Manner, Reflink, Sparse};
use rbox_core::prelude::*;

options! {
    "[-arPLHpfinlsTuvdx] SOURCE DEST | SOURCE... DIRECTORY | -t DIRECTORY SOURCE...

Copy SOURCE to DEST, or each SOURCE into DIRECTORY.

  -a, --archive                     Same as -dpR, and preserve extended attributes
  -R, -r, --recursive               Copy directories and their contents
  -d, -P, --no-dereference          Copy symbolic links as links (default with -R)
  -L, --dereference                 Follow all symbolic links
  -H                                Follow symbolic links among the operands
  -p                                Preserve mode, owner and times
      --preserve[=LIST]             Preserve mode, ownership, timestamps, links, xattr, all
  -f, --force                       Remove DEST if it cannot be written
  -i, --interactive                 Ask before overwriting
  -n, --no-clobber                  Do not overwrite
  -l, --link                        Create hard links
  -s, --symbolic-link               Create symbolic links
  -T, --no-target-directory         Treat DEST as a file
  -t, --target-directory=DIRECTORY  Copy into DIRECTORY
  -u, --update                      Overwrite only older files
  -x, --one-file-system             Do not cross file systems
      --remove-destination          Remove each DEST first
      --reflink[=WHEN]              Share blocks: always (default of WHEN), auto (default), never
      --sparse=WHEN                 Create holes: auto (as in SOURCE, default), always (for blocks of zeros), never
      --parents                     Append the full path of SOURCE to DIRECTORY
  -v, --verbose                     Print each copied file";
    ARCHIVE = "-a",
    RECURSE = "-R",
    LINKS = "-P",
    FOLLOW = "-L",
    FOLLOW_OPERANDS = "-H",
    KEEP = "-p",
    KEEP_LIST = "--preserve",
    FORCE = "-f",
    ASK = "-i",
    NO_CLOBBER = "-n",
    LINK = "-l",
    SYMBOLIC = "-s",
    PLAIN = "-T",
    DIRECTORY = "-t",
    UPDATE = "-u",
    ONE_SYSTEM = "-x",
    REMOVE = "--remove-destination",
    REFLINK = "--reflink",
    SPARSE = "--sparse",
    PARENTS = "--parents",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let Destination { sources, dest, into } =
        Destination::of(args.value(DIRECTORY), args.operands(), args.has(PLAIN), args.has(PARENTS))?;
    let mut copier = Copier::new(Manner { several: sources.len() > 1, ..manner(args)? });
    let mut status = ExitStatus::SUCCESS;
    status.worsen(env.for_each_operand(sources, &mut |env, source| {
        let target = match (into, args.has(PARENTS)) {
            (false, _) => dest.to_vec(),
            (true, false) => join_path(dest, base_name(source)),
            (true, true) => {
                make_parents(dest, source)?;
                join_path(dest, source)
            }
        };
        let inner = copier.copy(env, source, &target)?;
        if inner == ExitStatus::SUCCESS { Ok(()) } else { Err(Error::silent(inner)) }
    })?);
    Ok(status)
}

fn manner(args: &Args<'_>) -> Result<Manner> {
    let archive = args.has(ARCHIVE);
    let recursive = archive || args.has(RECURSE);
    let follow = args.last_of(&[ARCHIVE, LINKS, FOLLOW, FOLLOW_OPERANDS]);
    let (mut preserve, mut keep_links, mut xattrs) = (archive || args.has(KEEP), archive || args.has(LINKS), archive);
    if args.has(KEEP_LIST) {
        let list = args.value(KEEP_LIST).unwrap_or(b"mode,ownership,timestamps");
        for word in list.split(|&byte| byte == b',') {
            match word {
                b"mode" | b"ownership" | b"timestamps" => preserve = true,
                b"links" => keep_links = true,
                b"xattr" => xattrs = true,
                b"all" => (preserve, keep_links, xattrs) = (true, true, true),
                _ => return Err(Error::parts(&[b"invalid argument '", word, b"' for --preserve"])),
            }
        }
    }
    // -f removes what cannot be written and has no say in whether it is replaced.
    let overwrite = args.last_of(&[ASK, NO_CLOBBER]);
    let invalid = |option: &[u8], word: &[u8]| Error::parts(&[b"invalid argument '", word, b"' for ", option]);
    let sparse = match args.value(SPARSE) {
        None | Some(b"auto") => Sparse::Auto,
        Some(b"always") => Sparse::Always,
        Some(b"never") => Sparse::Never,
        Some(word) => return Err(invalid(b"--sparse", word)),
    };
    let reflink = match (args.has(REFLINK), args.value(REFLINK)) {
        (false, _) | (true, Some(b"auto")) => Reflink::Auto,
        (true, None | Some(b"always")) => Reflink::Always,
        (true, Some(b"never")) => Reflink::Never,
        (true, Some(word)) => return Err(invalid(b"--reflink", word)),
    };
    if reflink == Reflink::Always && sparse != Sparse::Auto {
        return Err(Error::new("--reflink can be used only with --sparse=auto"));
    }
    Ok(Manner {
        recursive,
        follow_operands: follow == Some(FOLLOW_OPERANDS) || follow.is_none() && !recursive && !args.has(LINK),
        follow_all: follow == Some(FOLLOW),
        preserve,
        xattrs,
        keep_links,
        force: args.has(FORCE),
        remove_first: args.has(REMOVE),
        no_clobber: overwrite == Some(NO_CLOBBER),
        ask: overwrite == Some(ASK),
        update: args.has(UPDATE),
        hard_links: args.has(LINK),
        symbolic_links: args.has(SYMBOLIC),
        one_system: args.has(ONE_SYSTEM),
        sparse,
        reflink,
        several: false,
        verbose: args.has(VERBOSE),
    })
}

/// Creates the directories of `source` below `dest`.
fn make_parents(dest: &[u8], source: &[u8]) -> Result<()> {
    use rbox_core::sys::Errno;
    use rbox_core::sys::fs::{Mode, mkdir};
    for at in (1..source.len()).filter(|&at| source[at] == b'/') {
        let parent = join_path(dest, &source[..at]);
        match mkdir(parent.as_slice(), Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Error::cannot("create directory", &parent, errno)),
        }
    }
    Ok(())
}
