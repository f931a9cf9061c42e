//! `stat`: print attributes of files or file systems, with GNU's formats.

use rbox_core::escape::control;
use rbox_core::mode::symbolic;
use rbox_core::number::octal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Stat, StatFs, link_count, lstat, major, minor, readlink, stat, statfs, statvfs};
use rbox_core::text;
use rbox_core::text::Hex;
use rbox_core::time::{self, Moment, Zone};
use rbox_core::users::NameCache;

options! {
    "[-Lft] [-c FORMAT | --printf=FORMAT] FILE...

Print the attributes of each FILE.

  -L, --dereference    Follow symbolic links
  -f, --file-system    Print those of the file system
  -t, --terse          Print on one line
  -c, --format=FORMAT  Print FORMAT and a newline
      --printf=FORMAT  Print FORMAT, with escapes as \\n

Files: %a %A mode (octal, symbolic), %b blocks, %B block size in bytes, %d %D device
(decimal, hex), %f mode (hex), %F type, %g %G group (GID, name), %h links, %i inode,
%m mount point, %n name, %N name and link target, %o I/O size, %s size in bytes,
%t %T device major and minor (hex), %u %U owner (UID, name), %w %W birth, %x %X access,
%y %Y modification, %z %Z change (date, seconds)
File systems: %a %b %c %d %f %i %l %n %s %S %t %T";
    FOLLOW = "-L",
    SYSTEM = "-f",
    TERSE = "-t",
    FORMAT = "-c",
    PRINTF = "--printf",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

const FILE: &[u8] = b"  File: %N
  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F
Device: %Dh/%dd\tInode: %-10i  Links: %h
Access: (%04a/%10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)
Access: %x
Modify: %y
Change: %z
";
const DEVICE: &[u8] = b"  File: %N
  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F
Device: %Dh/%dd\tInode: %-10i  Links: %-5h Device type: %t,%T
Access: (%04a/%10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)
Access: %x
Modify: %y
Change: %z
";
const TERSE_FILE: &[u8] = b"%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %o\n";
const FILE_SYSTEM: &[u8] = b"  File: \"%n\"
    ID: %-8i Namelen: %-7l Type: %T
Block size: %-10s
Blocks: Total: %-10b Free: %-10f Available: %a
Inodes: Total: %-10c Free: %d
";
const TERSE_SYSTEM: &[u8] = b"%n %i %l %t %s %S %b %f %a %c %d\n";

/// What the attributes of a conversion come from.
enum Source {
    File(Stat),
    System(StatFs),
}

struct Printer {
    follow: bool,
    users: NameCache,
    groups: NameCache,
    zone: Zone,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let follow = args.has(FOLLOW);
    let mut printer = Printer {
        follow,
        users: NameCache::default(),
        groups: NameCache::default(),
        zone: Zone::load(env.vars.get("TZ")),
    };
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |env, path| {
        let source = match args.has(SYSTEM) {
            true => Source::System(statfs(path).map_err(|errno| {
                Error::on([b"can't read file system information for '", path, b"'"].concat(), errno)
            })?),
            false => Source::File(
                if follow { stat(path) } else { lstat(path) }.map_err(|errno| Error::cannot("stat", path, errno))?,
            ),
        };
        let mut text = Vec::new();
        match (args.last_of(&[FORMAT, PRINTF]), args.has(TERSE), &source) {
            (Some(FORMAT), ..) => {
                printer.push_all(&mut text, args.value(FORMAT).unwrap_or_default(), false, path, &source)?;
                text.push(b'\n');
            }
            (Some(_), ..) => {
                printer.push_all(&mut text, args.value(PRINTF).unwrap_or_default(), true, path, &source)?
            }
            (None, true, Source::File(_)) => printer.push_all(&mut text, TERSE_FILE, false, path, &source)?,
            (None, true, Source::System(_)) => printer.push_all(&mut text, TERSE_SYSTEM, false, path, &source)?,
            (None, false, Source::System(_)) => printer.push_all(&mut text, FILE_SYSTEM, false, path, &source)?,
            (None, false, Source::File(found)) => {
                let device = matches!(rbox_core::files::kind(found), FileType::CharacterDevice | FileType::BlockDevice);
                printer.push_all(&mut text, if device { DEVICE } else { FILE }, false, path, &source)?;
            }
        }
        env.stdout.write(&text)
    })
}

impl Printer {
    fn push_all(
        &mut self,
        text: &mut Vec<u8>,
        format: &[u8],
        escapes: bool,
        path: &[u8],
        source: &Source,
    ) -> Result<()> {
        let mut rest = format;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'\\' if escapes => rest = push_escape(text, rest),
                b'%' => rest = self.push_conversion(text, rest, path, source)?,
                _ => text.push(byte),
            }
        }
        Ok(())
    }

    /// `%[-0][width][.precision]letter`.
    fn push_conversion<'a>(
        &mut self,
        text: &mut Vec<u8>,
        rest: &'a [u8],
        path: &[u8],
        source: &Source,
    ) -> Result<&'a [u8]> {
        let flags = rest.iter().take_while(|byte| b"-0#+ ".contains(byte)).count();
        let digits = rest[flags..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let width = rbox_core::number::parse_decimal(&rest[flags..flags + digits]).unwrap_or(0).min(1000) as usize;
        let (left, zeros) = (rest[..flags].contains(&b'-'), rest[..flags].contains(&b'0'));
        let Some((&letter, after)) = rest[flags + digits..].split_first() else {
            text.push(b'%');
            return Ok(rest);
        };
        if letter == b'%' {
            text.push(b'%');
            return Ok(after);
        }
        let value = match source {
            Source::File(stat) => self.of_file(letter, path, stat)?,
            Source::System(room) => of_system(letter, path, room),
        };
        // GNU shows a question mark for a character that means nothing.
        let value = value.unwrap_or_else(|| b"?".to_vec());
        let gap = width.saturating_sub(value.len());
        if !left {
            text.resize(text.len() + gap, if zeros { b'0' } else { b' ' });
        }
        text.extend_from_slice(&value);
        if left {
            text.resize(text.len() + gap, b' ');
        }
        Ok(after)
    }

    fn of_file(&mut self, letter: u8, path: &[u8], stat: &Stat) -> Result<Option<Vec<u8>>> {
        let decimal = |number: u64| rbox_core::number::Decimal::new(number).as_bytes().to_vec();
        let hex = |number: u64| text!(Hex(number));
        let seconds = |seconds: i64| text!(seconds);
        let when = |seconds: i64, nanos: i64| {
            time::format(b"%Y-%m-%d %H:%M:%S.%N %z", Moment { seconds, nanos: nanos as u32 }, &self.zone)
        };
        Ok(Some(match letter {
            b'a' => octal(u64::from(stat.st_mode & 0o7777)),
            b'A' => symbolic(stat.st_mode).to_vec(),
            b'b' => decimal(stat.st_blocks as u64),
            b'B' => b"512".to_vec(),
            b'd' => decimal(stat.st_dev),
            b'D' => hex(stat.st_dev),
            b'f' => hex(stat.st_mode.into()),
            b'F' => kind_name(stat).as_bytes().to_vec(),
            b'g' => decimal(stat.st_gid.into()),
            b'G' => self.groups.group(stat.st_gid).to_vec(),
            b'h' => decimal(link_count(stat)),
            b'i' => decimal(stat.st_ino),
            b'm' => mount_point(path)?,
            b'n' => path.to_vec(),
            b'N' => self.name_with_target(path, stat),
            b'o' => decimal(stat.st_blksize as u64),
            b's' => decimal(stat.st_size as u64),
            b't' => hex(major(stat.st_rdev).into()),
            b'T' => hex(minor(stat.st_rdev).into()),
            b'u' => decimal(stat.st_uid.into()),
            b'U' => self.users.user(stat.st_uid).to_vec(),
            b'w' => self.birth(path).map_or(b"-".to_vec(), |(seconds, nanos)| when(seconds, nanos)),
            b'W' => seconds(self.birth(path).map_or(0, |(seconds, _)| seconds)),
            b'x' => when(stat.st_atime, stat.st_atime_nsec as i64),
            b'X' => seconds(stat.st_atime),
            b'y' => when(stat.st_mtime, stat.st_mtime_nsec as i64),
            b'Y' => seconds(stat.st_mtime),
            b'z' => when(stat.st_ctime, stat.st_ctime_nsec as i64),
            b'Z' => seconds(stat.st_ctime),
            _ => return Ok(None),
        }))
    }

    fn name_with_target(&self, path: &[u8], stat: &Stat) -> Vec<u8> {
        let link = rbox_core::files::kind(stat) == FileType::Symlink;
        match readlink(path) {
            Ok(target) if link => [b"'", path, b"' -> '", &target, b"'"].concat(),
            _ => path.to_vec(),
        }
    }

    /// The time of making, where the file system keeps it: statx(2).
    fn birth(&self, path: &[u8]) -> Option<(i64, i64)> {
        use rbox_core::sys::fs::{AtFlags, CWD, StatxFlags, statx};
        let flags = if self.follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        let found = statx(CWD, path, flags, StatxFlags::BTIME).ok()?;
        (found.stx_mask & StatxFlags::BTIME.bits() != 0)
            .then(|| (found.stx_btime.tv_sec, i64::from(found.stx_btime.tv_nsec)))
    }
}

fn kind_name(found: &Stat) -> &'static str {
    match rbox_core::files::kind(found) {
        FileType::RegularFile if found.st_size == 0 => "regular empty file",
        FileType::RegularFile => "regular file",
        FileType::Directory => "directory",
        FileType::CharacterDevice => "character special file",
        FileType::BlockDevice => "block special file",
        FileType::Fifo => "fifo",
        FileType::Symlink => "symbolic link",
        FileType::Socket => "socket",
        FileType::Unknown => "weird file",
    }
}

/// The highest directory above `path` on its device.
fn mount_point(path: &[u8]) -> Result<Vec<u8>> {
    let failed = |errno| Error::on(path, errno);
    let mut at = rbox_core::files::canonical(path, false).map_err(failed)?;
    let device = stat(at.as_slice()).map_err(failed)?.st_dev;
    while at != b"/" {
        let parent = at[..rbox_core::bytes::find_byte_back(b'/', &at).unwrap_or(0).max(1)].to_vec();
        if stat(parent.as_slice()).map_err(failed)?.st_dev != device {
            break;
        }
        at = parent;
    }
    Ok(at)
}

fn of_system(letter: u8, path: &[u8], room: &StatFs) -> Option<Vec<u8>> {
    let decimal = |number: u64| rbox_core::number::Decimal::new(number).as_bytes().to_vec();
    let kind = room.f_type as u64;
    Some(match letter {
        b'a' => decimal(room.f_bavail),
        b'b' => decimal(room.f_blocks),
        b'c' => decimal(room.f_files),
        b'd' => decimal(room.f_ffree),
        b'f' => decimal(room.f_bfree),
        b'i' => text!(Hex(statvfs(path).map_or(0, |system| system.f_fsid.rotate_left(32)))),
        b'l' => decimal(room.f_namelen as u64),
        b'n' => path.to_vec(),
        b's' => decimal(room.f_bsize as u64),
        b'S' => decimal(room.f_frsize as u64),
        b't' => text!(Hex(kind)),
        b'T' => system_name(kind).as_bytes().to_vec(),
        _ => return None,
    })
}

/// Names of file systems by the magic numbers of statfs(2).
fn system_name(kind: u64) -> &'static str {
    match kind {
        0xef53 => "ext2/ext3",
        0x0102_1994 => "tmpfs",
        0x9fa0 => "proc",
        0x6265_6572 => "sysfs",
        0x1cd1 => "devpts",
        0x794c_7630 => "overlayfs",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x4d44 => "msdos",
        0x6969 => "nfs",
        0x7371_7368 => "squashfs",
        0x9660 => "isofs",
        0x0102_1997 => "v9fs",
        0x6573_5546 => "fuseblk",
        0x0027_e0eb => "cgroup",
        0x6367_7270 => "cgroup2",
        _ => "UNKNOWN",
    }
}

/// Writes what `\` and the start of `rest` mean, and returns what follows.
fn push_escape<'a>(text: &mut Vec<u8>, rest: &'a [u8]) -> &'a [u8] {
    let Some((&letter, after)) = rest.split_first() else {
        text.push(b'\\');
        return rest;
    };
    let byte = match letter {
        b'e' => 27,
        b'\\' | b'"' => letter,
        b'0'..=b'7' => {
            let digits = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let value = rest[..digits].iter().fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            text.push(value as u8);
            return &rest[digits..];
        }
        _ => match control(letter) {
            Some(byte) => byte,
            None => {
                text.extend_from_slice(&[b'\\', letter]);
                return after;
            }
        },
    };
    text.push(byte);
    after
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn formats_pad_and_escape() {
        assert_eq!(
            try_call(APPLET, &["stat", "-c", "%n|%F|%5h", "/proc/self/fd/."], b"").stdout.split('|').nth(1),
            Some("directory")
        );
        assert_eq!(try_call(APPLET, &["stat", "--printf=%t,%T\\t%%\\101", "/dev/null"], b"").stdout, "1,3\t%A");
        assert_eq!(
            try_call(APPLET, &["stat", "-c", "[%6T][%-6T][%06T]", "/dev/null"], b"").stdout,
            "[     3][3     ][000003]\n"
        );
    }

    #[test]
    fn names_what_is_not_there() {
        let ran = try_call(APPLET, &["stat", "/no/such"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "stat: can't stat '/no/such': No such file or directory\n"));
    }
}
