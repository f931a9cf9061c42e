//! `dpkg-deb`: build, list and unpack packages of Debian (deb(5)).
//!
//! Archives in a package are read and written by `tar`, within this process.

use rbox_core::archive::{Entry, ar};
use rbox_core::bytes::{base_name, join_path};
use rbox_core::codec::{Encoder, Format};
use rbox_core::files::stat;
use rbox_core::io::{self, Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{CWD, Mode, OFlags, SeekFrom, mkdir, open, seek};
use rbox_core::sys::{Errno, OwnedFd};
use rbox_core::text::{Left, Right};
use rbox_core::time::Moment;
use rbox_core::{call, push, text};

use crate::control::{self, Paragraph};
use crate::deb::{self, Part};

options! {
    "-b DIR [DEB] | -c DEB | -e DEB [DIR] | -f DEB [FIELD]... | -I DEB [FILE]... | -W DEB | -x DEB DIR

Build, list or unpack a package.

  -b, --build          Build DEB (DIR.deb) of DIR, whose control files are in DIR/DEBIAN
  -c, --contents       List the files
  -e, --control        Extract the control files to DIR (DEBIAN)
  -f, --field          Print the control file, or the FIELDs of it
  -I, --info           Print sizes and the control file, or control FILEs
  -W, --show           Print name and version
  -x, --extract        Extract the files
  -X, --vextract       Extract and list the files
  -R, --raw-extract    Extract the files, and the control files to DIR/DEBIAN
      --ctrl-tarfile   Write the archive of control files
      --fsys-tarfile   Write the archive of files
      --showformat=F   With -W, print F, with ${FIELD} or ${FIELD;WIDTH} for fields
  -Z TYPE              Compress with xz (default), gzip or none
  -z LEVEL             Compress with this level, 0-9
      --root-owner-group  Files belong to root
      --nocheck        Build without checks of the control file";
    BUILD = "-b",
    CONTENTS = "-c",
    CONTROL = "-e",
    FIELDS = "-f",
    INFO = "-I",
    SHOW = "-W",
    EXTRACT = "-x",
    VERBOSE_EXTRACT = "-X",
    RAW = "-R",
    CONTROL_TAR = "--ctrl-tarfile",
    DATA_TAR = "--fsys-tarfile",
    SHOW_FORMAT = "--showformat",
    TYPE = "-Z",
    LEVEL = "-z",
    ROOT_OWNER = "--root-owner-group",
    NO_CHECK = "--nocheck",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let actions = [BUILD, CONTENTS, CONTROL, FIELDS, INFO, SHOW, EXTRACT, VERBOSE_EXTRACT, RAW, CONTROL_TAR, DATA_TAR];
    let mut given = actions.iter().filter(|&&action| args.has(action));
    let (Some(&action), None) = (given.next(), given.next()) else {
        return Err(Error::misused("one action is needed"));
    };
    let (&deb, rest) = args.operands().split_first().ok_or_else(Error::usage)?;
    let most = match action {
        FIELDS | INFO => usize::MAX,
        BUILD | CONTROL | EXTRACT | VERBOSE_EXTRACT | RAW => 1,
        _ => 0,
    };
    let least = usize::from(matches!(action, EXTRACT | VERBOSE_EXTRACT | RAW));
    if rest.len() > most || rest.len() < least {
        return Err(Error::usage());
    }
    match action {
        BUILD => return build(env, args, deb, rest.first().copied()),
        CONTENTS => return tar(env, deb, Part::Data, "-tv", None),
        CONTROL => return extract(env, deb, Part::Control, rest.first().unwrap_or(&&b"DEBIAN"[..]), false),
        EXTRACT | VERBOSE_EXTRACT => return extract(env, deb, Part::Data, rest[0], action == VERBOSE_EXTRACT),
        RAW => {
            let status = extract(env, deb, Part::Data, rest[0], false)?;
            let mut all = extract(env, deb, Part::Control, &join_path(rest[0], b"DEBIAN"), false)?;
            all.worsen(status);
            return Ok(all);
        }
        CONTROL_TAR | DATA_TAR => {
            let part = if action == DATA_TAR { Part::Data } else { Part::Control };
            io::copy(&mut deb::open(env, deb, part)?.0, &mut env.stdout)?;
        }
        INFO => return info(env, deb, rest),
        FIELDS => {
            let paragraph = deb::control(&deb::control_files(env, deb)?, deb)?;
            print_fields(env, &paragraph, rest)?;
        }
        _ => {
            let paragraph = deb::control(&deb::control_files(env, deb)?, deb)?;
            let format = args.value(SHOW_FORMAT).unwrap_or(b"${Package}\\t${Version}\\n");
            env.stdout.write(&formatted(format, &paragraph))?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// Runs tar on an archive of the package.
fn tar(env: &mut Env, deb: &[u8], part: Part, options: &str, directory: Option<&[u8]>) -> Outcome {
    let (input, _) = deb::open(env, deb, part)?;
    let stdout = core::mem::replace(&mut env.stdout, Output::memory());
    let mut words: Vec<&[u8]> = "tar -f -".split(' ').map(str::as_bytes).collect();
    words.extend(options.split(' ').map(str::as_bytes));
    if let Some(directory) = directory {
        words.push(b"-C");
        words.push(directory);
    }
    let (status, stdout) = call::here(env, input, stdout, &words).ok_or_else(|| Error::new("tar: applet not found"))?;
    env.stdout = stdout;
    Ok(status)
}

fn extract(env: &mut Env, deb: &[u8], part: Part, directory: &[u8], is_verbose: bool) -> Outcome {
    match mkdir(directory, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(Error::cannot("create directory", directory, errno)),
    }
    let how = if is_verbose { "-xpv --keep-directory-symlink" } else { "-xp --keep-directory-symlink" };
    tar(env, deb, part, how, Some(directory))
}

/// Prints all fields, the value of one, or those that are named, in the order of their names.
fn print_fields(env: &mut Env, paragraph: &Paragraph, names: &[&[u8]]) -> Result<()> {
    let mut out = if names.is_empty() { paragraph.0.clone() } else { Vec::new() };
    for name in names {
        match core::str::from_utf8(name) {
            Ok(name) if names.len() == 1 && !paragraph.lines(name.as_bytes()).is_empty() => {
                push!(out, paragraph.get(name), "\n");
            }
            _ if names.len() > 1 => out.extend_from_slice(paragraph.lines(name)),
            _ => {}
        }
    }
    env.stdout.write(&out)
}

/// A format of `-W`: escapes and `${FIELD;WIDTH}`, on the right or for a negative width on the left.
fn formatted(format: &[u8], paragraph: &Paragraph) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), format);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first()) {
            (b'\\', Some(&letter)) => {
                rest = &after[1..];
                out.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    letter => letter,
                });
            }
            (b'$', Some(b'{')) => {
                let end = rbox_core::bytes::find_byte(b'}', after).unwrap_or(after.len());
                rest = after.get(end + 1..).unwrap_or_default();
                let (name, width) =
                    rbox_core::bytes::split_once(&after[1..end], b';').unwrap_or((&after[1..end], b"0"));
                let value = paragraph.get(core::str::from_utf8(name).unwrap_or_default());
                let columns = |digits| rbox_core::number::parse_decimal(digits).unwrap_or(0).min(4096) as usize;
                match width.strip_prefix(b"-") {
                    Some(digits) => push!(out, Left(value, columns(digits))),
                    None => push!(out, Right(value, columns(width), b' ')),
                }
            }
            _ => out.push(byte),
        }
    }
    out
}

fn info(env: &mut Env, deb: &[u8], names: &[&[u8]]) -> Outcome {
    let files = deb::control_files(env, deb)?;
    let mut status = ExitStatus::SUCCESS;
    if !names.is_empty() {
        for name in names {
            match files.iter().find(|file| file.name == *name) {
                Some(file) => env.stdout.write(&file.content)?,
                None => status.worsen(env.warn(Error::parts(&[name, b": no such control file"]).with_status(2))),
            }
        }
        return Ok(status);
    }
    let size = stat(CWD, deb, true).map_err(|errno| Error::on(deb, errno))?.st_size;
    let (_, control_size) = deb::open(env, deb, Part::Control)?;
    env.stdout.write(&text!(
        " new Debian package, version 2.0.\n size ",
        size.unsigned_abs(),
        " bytes: control archive=",
        control_size,
        " bytes.\n"
    ))?;
    let mut names: Vec<&[u8]> = files.iter().map(|file| &file.name[..]).collect();
    names.sort_unstable();
    for file in names.into_iter().filter_map(|name| files.iter().find(|file| file.name == name)) {
        let content = &file.content;
        let lines = rbox_core::bytes::find_bytes(b'\n', content).count();
        let mark = if file.mode & 0o100 != 0 { "*" } else { " " };
        let first = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let script =
            first.strip_prefix(b"#!").and_then(|rest| rbox_core::bytes::words(rest).next()).unwrap_or_default();
        let lead = if script.is_empty() { "" } else { "#!" };
        let sizes =
            text!(" ", Right(content.len(), 7, b' '), " bytes, ", Right(lines, 5, b' '), " lines   ", mark, "  ");
        env.stdout.write(&text!(sizes, Left(&file.name, 20), " ", lead, script, "\n"))?;
    }
    if let Some(file) = files.iter().find(|file| file.name == b"control") {
        for line in file.content.split_inclusive(|&byte| byte == b'\n') {
            env.stdout.write(&text!(" ", line))?;
        }
    }
    Ok(status)
}

fn build(env: &mut Env, args: &Args<'_>, directory: &[u8], deb: Option<&[u8]>) -> Outcome {
    let control = join_path(directory, b"DEBIAN/control");
    let text = Input::open(&control)?.read_to_end()?;
    let paragraph = control::parse(&text).map_err(|error| error.context(&control))?.into_iter().next();
    let paragraph = paragraph.unwrap_or_default();
    if !args.has(NO_CHECK) {
        check(&paragraph, &control)?;
    }
    let name = {
        let version = paragraph.get("Version");
        let version = rbox_core::bytes::split_once(version, b':').map_or(version, |(_, rest)| rest);
        text!(paragraph.get("Package"), "_", version, "_", paragraph.get("Architecture"), ".deb")
    };
    let target = match deb {
        None => text!(directory.strip_suffix(b"/").unwrap_or(directory), ".deb"),
        Some(deb) if rbox_core::files::list_at(deb).is_ok() => join_path(deb, &name),
        Some(deb) => deb.to_vec(),
    };
    let (format, ending) = match args.value(TYPE).unwrap_or(b"xz") {
        b"xz" => (Some(Format::Xz), ".xz"),
        b"gzip" => (Some(Format::Gzip), ".gz"),
        b"none" => (None, ""),
        word => return Err(Error::parts(&[b"unknown compression type '", word, b"'"])),
    };
    let level = match args.value(LEVEL) {
        None => 6,
        Some(word) => rbox_core::number::parse_in_range(word, 0, 9)? as u8,
    };
    let shown = text!("building package '", paragraph.get("Package"), "' in '", &target, "'.\n");
    let epoch = env.vars.get("SOURCE_DATE_EPOCH").and_then(rbox_core::number::parse_decimal);
    let time = Moment { seconds: epoch.map_or_else(|| Moment::now().seconds, |seconds| seconds as i64), nanos: 0 };
    let clamp = text!("--mtime=@", time.seconds);
    let mut words: Vec<&[u8]> = vec![b"--format=gnu", b"--sort=name", b"--clamp-mtime", &clamp];
    let root: [&[u8]; 2] = [b"--owner=root:0", b"--group=root:0"];
    let control_tar =
        pack(env, &[&words[..], &root, &[b"-C", &join_path(directory, b"DEBIAN")]].concat(), &target, format, level)?;
    if args.has(ROOT_OWNER) {
        words.extend(root);
    }
    words.extend([&b"--exclude=./DEBIAN"[..], b"-C", directory]);
    let data_tar = pack(env, &words, &target, format, level)?;
    write_package(&target, &[("control.tar", control_tar), ("data.tar", data_tar)], ending, time)?;
    env.stdout.write(b"dpkg-deb: ")?;
    env.stdout.write(&shown)?;
    Ok(ExitStatus::SUCCESS)
}

fn check(paragraph: &Paragraph, control: &[u8]) -> Result<()> {
    for field in ["Package", "Version", "Architecture", "Maintainer", "Description"] {
        if paragraph.get(field).is_empty() {
            return Err(Error::parts(&[control, b": no field ", field.as_bytes()]));
        }
    }
    deb::check_name(paragraph.get("Package"))?;
    let version = paragraph.get("Version");
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(byte);
    if !version.iter().all(is_good) || !version.iter().any(u8::is_ascii_digit) {
        return Err(Error::parts(&[control, b": bad version '", version, b"'"]));
    }
    Ok(())
}

/// A file without a name beside the package, for what it is made of.
fn scratch(target: &[u8]) -> Result<OwnedFd> {
    let at = target.len() - base_name(target).len();
    let directory = if at == 0 { b"." } else { &target[..at] };
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    open(directory, flags, Mode::from_raw_mode(0o600))
        .map_err(|errno| Error::cannot("create a file in", directory, errno))
}

/// Makes an archive with tar, and compresses it.
fn pack(env: &mut Env, words: &[&[u8]], target: &[u8], format: Option<Format>, level: u8) -> Result<OwnedFd> {
    let plain = scratch(target)?;
    let output = Output::from_fd(rbox_core::sys::fd::fcntl_dupfd_cloexec(&plain, 3)?);
    let mut all: Vec<&[u8]> = "tar -c -f -".split(' ').map(str::as_bytes).collect();
    all.extend(words);
    all.push(b".");
    let done = call::here(env, Input::from_bytes(Vec::new()), output, &all);
    let (status, _) = done.ok_or_else(|| Error::new("tar: applet not found"))?;
    if status != ExitStatus::SUCCESS {
        return Err(Error::silent(ExitStatus(2)));
    }
    seek(&plain, SeekFrom::Start(0))?;
    let Some(format) = format else { return Ok(plain) };
    let packed = scratch(target)?;
    let output = Output::from_fd(rbox_core::sys::fd::fcntl_dupfd_cloexec(&packed, 3)?);
    let mut encoder = Encoder::new(format, level, output)?;
    let mut input = Input::from_fd(plain, target);
    loop {
        let length = input.fill()?.len();
        if length == 0 {
            break;
        }
        encoder.write(input.buffered())?;
        input.consume(length);
    }
    encoder.finish()?;
    seek(&packed, SeekFrom::Start(0))?;
    Ok(packed)
}

/// Writes the package, whole or not at all.
fn write_package(target: &[u8], parts: &[(&str, OwnedFd)], ending: &str, time: Moment) -> Result<()> {
    let new = text!(target, ".new");
    let written = write_members(&new, parts, ending, time);
    let renamed = written.and_then(|()| {
        rbox_core::sys::fs::rename(&new[..], target).map_err(|errno| Error::cannot("rename", &new, errno))
    });
    if renamed.is_err() {
        // The error that there is matters more.
        let _ = rbox_core::sys::fs::unlink(&new[..]);
    }
    renamed
}

fn write_members(new: &[u8], parts: &[(&str, OwnedFd)], ending: &str, time: Moment) -> Result<()> {
    let mut output = Output::create(new)?;
    let entry = |name: Vec<u8>, size| Entry { name, size, mode: 0o100_644, modified: time, ..Entry::default() };
    let mut header = ar::MAGIC.to_vec();
    ar::push_header(&mut header, &entry(b"debian-binary".to_vec(), 4), &mut 0)?;
    output.write(&header)?;
    output.write(b"2.0\n")?;
    for (name, file) in parts {
        let size = rbox_core::sys::fs::fstat(file)?.st_size.unsigned_abs();
        header.clear();
        ar::push_header(&mut header, &entry(text!(*name, ending), size), &mut 0)?;
        output.write(&header)?;
        let mut input = Input::from_fd(rbox_core::sys::fd::fcntl_dupfd_cloexec(file, 3)?, name.as_bytes());
        io::copy(&mut input, &mut output)?;
        if size % 2 == 1 {
            output.push(b'\n')?;
        }
    }
    output.flush()
}
