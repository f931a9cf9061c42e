//! Archives of other programs and for them, of generated trees; and archives that nobody should unpack.
//!
//! Peers are GNU tar, bsdtar and GNU cpio; one that is not installed is left out, unless CI is set. `ROUND_TRIPS=10000`
//! says how many trees are generated, `ROUND_SEED=N` with which one to begin.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rbox_core::sys::fs as sys;
use rbox_core::sys::time::Timespec;

const RBOX: &str = env!("CARGO_BIN_EXE_rbox");

fn scratch(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("rbox-archives-{name}.{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).expect("a fresh directory");
    directory
}

/// Runs a command with that input.
fn pipe(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is a pipe");
    std::thread::scope(|scope| {
        // What is refused is not read to its end.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("it ends")
    })
}

/// A header of ustar, with a right sum, and its data.
fn member(name: &[u8], kind: u8, target: &[u8], size: u64, data: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000777");
    block[108..115].copy_from_slice(b"0000000");
    block[116..123].copy_from_slice(b"0000000");
    if size >> 33 == 0 {
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    } else {
        block[124] = 0x80;
        block[128..136].copy_from_slice(&size.to_be_bytes());
    }
    block[136..147].copy_from_slice(b"00000000001");
    block[156] = kind;
    block[157..157 + target.len()].copy_from_slice(target);
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    let mut bytes = block.to_vec();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Puts the right sum into a header.
fn seal(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

fn file(name: &[u8]) -> Vec<u8> {
    member(name, b'0', b"", 5, b"evil\n")
}

fn link(name: &[u8], target: &[u8]) -> Vec<u8> {
    member(name, b'2', target, 0, b"")
}

fn hard(name: &[u8], target: &[u8]) -> Vec<u8> {
    member(name, b'1', target, 0, b"")
}

fn directory(name: &[u8]) -> Vec<u8> {
    member(name, b'5', b"", 0, b"")
}

fn pax(records: &[u8]) -> Vec<u8> {
    member(b"x", b'x', b"", records.len() as u64, records)
}

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let mut length = key.len() + value.len() + 4;
    while format!("{length}").len() + key.len() + value.len() + 3 != length {
        length += 1;
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// GNU's header of a file with holes.
fn gnu_sparse(parts: &[(u64, u64)], size: u64, real: u64) -> Vec<u8> {
    let bytes = member(b"sparse", b'S', b"", size, b"");
    let mut block: [u8; 512] = bytes[..512].try_into().expect("a block");
    block[257..265].copy_from_slice(b"ustar  \0");
    for (at, (offset, length)) in parts.iter().enumerate() {
        block[386 + 24 * at] = 0x80;
        block[390 + 24 * at..398 + 24 * at].copy_from_slice(&offset.to_be_bytes());
        block[398 + 24 * at] = 0x80;
        block[402 + 24 * at..410 + 24 * at].copy_from_slice(&length.to_be_bytes());
    }
    block[483] = 0x80;
    block[487..495].copy_from_slice(&real.to_be_bytes());
    seal(&mut block);
    block.to_vec()
}

/// A header, sealed again, with other bytes in a field.
fn field(mut bytes: Vec<u8>, at: usize, content: &[u8]) -> Vec<u8> {
    let (block, _) = bytes.split_first_chunk_mut::<512>().expect("a header");
    block[at..at + content.len()].copy_from_slice(content);
    seal(block);
    bytes
}

/// GNU's header of a file with holes whose map goes on.
fn map_without_end() -> Vec<u8> {
    field(gnu_sparse(&[(0, 1)], 1, 10), 482, &[1])
}

/// A directory with a target, and beside it what must not change.
struct Ground {
    root: PathBuf,
}

impl Ground {
    fn new(name: &str) -> Self {
        let root = scratch(name);
        fs::create_dir(root.join("outside")).expect("a fresh directory");
        fs::write(root.join("outside/secret"), "secret").expect("a file");
        Self { root }
    }

    /// Unpacks an archive into a fresh target with at most 64 MB of memory, and looks at what is beside the target.
    fn unpack(&self, applet: &[&str], archive: &[u8]) -> Output {
        let target = self.root.join("target");
        let _ = fs::remove_dir_all(&target);
        fs::create_dir(&target).expect("a fresh directory");
        symlink("../outside", target.join("before")).expect("a link");
        symlink(self.root.join("outside"), target.join("absolute")).expect("a link");
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -v 65536; exec \"$@\"", "sh", RBOX])
            .args(applet)
            .current_dir(&target)
            .env("R", RBOX);
        let output = pipe(command, archive);
        let mut names: Vec<OsString> =
            fs::read_dir(&self.root).expect("it is there").map(|e| e.expect("an entry").file_name()).collect();
        names.sort();
        assert_eq!(names, ["outside", "target"], "{output:?}");
        let names: Vec<_> = fs::read_dir(self.root.join("outside"))
            .expect("it is there")
            .map(|e| e.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["secret"], "{output:?}");
        let secret = fs::metadata(self.root.join("outside/secret")).expect("it is there");
        assert_eq!((secret.len(), secret.nlink(), secret.mtime() == 1), (6, 1, false), "{output:?}");
        output
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn archives_that_lead_out_of_the_directory_end_in_an_error() {
    let ground = Ground::new("hostile");
    let outside = ground.root.join("outside");
    let outside = outside.as_os_str().as_bytes();
    let inside = |rest: &[u8]| [outside, rest].concat();
    let long =
        |kind: u8, name: &[u8]| member(b"././@LongLink", kind, b"", name.len() as u64 + 1, &[name, b"\0"].concat());
    let hostile: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("..", vec![file(b"../evil")]),
        (".. in the middle", vec![file(b"a/../../evil")]),
        ("a link, then a name through it", vec![link(b"l", b"../outside"), file(b"l/evil")]),
        ("an absolute link", vec![link(b"l", outside), file(b"l/evil")]),
        ("a chain of links", vec![link(b"x", b"y"), link(b"y", b"../outside"), file(b"x/evil")]),
        ("a hard link to a link", vec![link(b"l", b"../outside"), hard(b"h", b"l"), file(b"h/evil")]),
        ("a hard link out", vec![hard(b"h", b"../outside/secret"), file(b"h")]),
        ("an absolute hard link", vec![hard(b"h", &inside(b"/secret"))]),
        ("a link that was there", vec![file(b"before/evil")]),
        ("a hard link through a link", vec![hard(b"h", b"before/secret")]),
        ("an absolute link that was there", vec![file(b"absolute/evil")]),
        ("a directory that becomes a link", vec![directory(b"a/"), link(b"a", b"../outside"), file(b"a/evil")]),
        ("a link to itself", vec![link(b"l", b"l"), file(b"l/evil")]),
        ("the directory itself as a file", vec![file(b".")]),
        ("the root as a link", vec![link(b"/", b"../outside"), file(b"evil")]),
        (
            "a long name with ..",
            vec![long(b'L', &[b"a/".repeat(100), b"../".repeat(102), b"evil".to_vec()].concat()), file(b"x")],
        ),
        (
            "a long target",
            vec![long(b'K', &[b"./".repeat(100), b"../outside".to_vec()].concat()), link(b"l", b"x"), file(b"l/evil")],
        ),
        ("a path of pax", vec![pax(&record("path", b"../evil")), file(b"x")]),
        ("a NUL in a path of pax", vec![pax(&record("path", b"a\0b")), file(b"x")]),
        ("a target of pax", vec![pax(&record("linkpath", b"../outside")), link(b"l", b"x"), file(b"l/evil")]),
        (
            "a sparse name",
            vec![pax(&[record("GNU.sparse.major", b"1"), record("GNU.sparse.name", b"../evil")].concat()), file(b"x")],
        ),
        ("more data than there are", vec![member(b"f", b'0', b"", 1 << 62, b"evil")]),
        ("a negative size", vec![member(b"f", b'0', b"", u64::MAX, b"evil")]),
        ("a huge extended header", vec![member(b"x", b'x', b"", 1 << 40, b"")]),
        ("a huge global header", vec![member(b"x", b'g', b"", (1 << 20) + 1, &vec![b' '; (1 << 20) + 1])]),
        ("a huge long name", vec![member(b"x", b'L', b"", 1 << 33, b"")]),
        ("damaged records", vec![pax(b"99 path=evil\n"), file(b"f")]),
        ("a name of many directories", vec![pax(&record("path", &b"d/".repeat(300_000))), file(b"f")]),
        ("holes in the wrong order", vec![gnu_sparse(&[(100, 10), (0, 10)], 20, 200)]),
        ("holes past the end", vec![gnu_sparse(&[(100, 10)], 10, 50)]),
        ("holes that overflow", vec![gnu_sparse(&[(u64::MAX - 1, 10)], 10, 50)]),
        (
            "a map in data that are none",
            vec![
                pax(&[record("GNU.sparse.major", b"1"), record("GNU.sparse.realsize", b"9")].concat()),
                member(b"f", b'0', b"", 512, &[b'9'; 512]),
            ],
        ),
        (
            "a map of billions",
            vec![pax(&record("GNU.sparse.major", b"1")), member(b"f", b'0', b"", 512, b"99999999999\n1\n")],
        ),
        ("a size below zero in base 256", vec![field(member(b"f", b'0', b"", 5, b"evil\n"), 124, &[0xff; 12])]),
        ("a size that is no number", vec![field(file(b"f"), 124, b"-0000000005\0")]),
        ("a mode that is no number", vec![field(file(b"f"), 100, b"evil999\0")]),
        ("holes that overlap", vec![gnu_sparse(&[(0, 10), (5, 10)], 20, 200), vec![b'x'; 512]]),
        ("fewer data than the map has", vec![gnu_sparse(&[(0, 100)], 10, 100), vec![b'x'; 512]]),
        ("a map without an end", vec![map_without_end(), vec![0x31; 512 * 100]]),
        ("a path of pax without an end", vec![pax(b"18446744073709551616 path=x\n"), file(b"f")]),
        ("a size of pax below zero", vec![pax(&record("size", b"-5")), file(b"f")]),
        ("a size of pax past all", vec![pax(&record("size", b"99999999999999999999999")), file(b"f")]),
        (
            "overlapping holes of version 0.1",
            vec![pax(&[record("GNU.sparse.map", b"0,3,1,2"), record("GNU.sparse.size", b"9")].concat()), file(b"f")],
        ),
        (
            "an odd map of version 0.1",
            vec![pax(&[record("GNU.sparse.map", b"0,3,1"), record("GNU.sparse.size", b"9")].concat()), file(b"f")],
        ),
        ("a link through a link that is made late", vec![link(b"l", b".."), link(b"l/../../evil", b"x")]),
        ("a directory through a link", vec![link(b"l", b"../outside"), directory(b"l/evil/")]),
        ("a pipe through a link", vec![link(b"l", b"../outside"), member(b"l/evil", b'6', b"", 0, b"")]),
        ("a link through a hard link", vec![link(b"l", b"../outside"), hard(b"h", b"l"), link(b"h/evil", b"x")]),
        ("a rest of another volume", vec![member(b"f", b'M', b"", 5, b"evil\n")]),
        ("no archive", vec![b"junk".repeat(1000)]),
    ];
    for (what, members) in hostile {
        let archive = [members.concat(), vec![0; 1024]].concat();
        for words in [&["tar", "xf", "-"][..], &["tar", "xf", "-", "--overwrite"], &["tar", "xUf", "-"]] {
            let output = ground.unpack(words, &archive);
            assert!(output.status.code().is_some_and(|code| code == 2), "{what}: {words:?}: {output:?}");
        }
        for words in [&["tar", "tvf", "-"][..], &["tar", "xOf", "-"], &["tar", "df", "-"]] {
            let output = ground.unpack(words, &archive);
            assert!(output.status.code().is_some_and(|code| code <= 2), "{what}: {words:?}: {output:?}");
        }
    }
}

#[test]
fn archives_that_only_look_hostile_stay_inside() {
    let ground = Ground::new("tame");
    let target = ground.root.join("target");
    let whole = |members: &[Vec<u8>]| [members.concat(), vec![0; 1024]].concat();
    // A name from the root loses its slash.
    let output = ground.unpack(&["tar", "xf", "-"], &whole(&[file(b"/evil")]));
    assert_eq!((output.status.code(), fs::read(target.join("evil")).ok()), (Some(0), Some(b"evil\n".to_vec())));
    // A file takes the place of a link, and is not written through it.
    let output = ground.unpack(&["tar", "xf", "-"], &whole(&[link(b"l", b"../outside/secret"), file(b"l")]));
    assert_eq!((output.status.code(), fs::read(target.join("l")).ok()), (Some(0), Some(b"evil\n".to_vec())));
    // So does a directory, with its attributes.
    let output = ground.unpack(&["tar", "xf", "-"], &whole(&[directory(b"before/"), file(b"before/f")]));
    assert_eq!((output.status.code(), target.join("before/f").is_file()), (Some(0), true));
    // A link inside the tree is followed.
    let members = [directory(b"usr/"), directory(b"usr/lib/"), link(b"lib", b"usr/lib"), file(b"lib/f")];
    let output = ground.unpack(&["tar", "xf", "-"], &whole(&members));
    assert_eq!((output.status.code(), target.join("usr/lib/f").is_file()), (Some(0), true), "{output:?}");
    // A link out of the tree is made, at the end, and all its names.
    let output = ground.unpack(&["tar", "xf", "-"], &whole(&[link(b"l", b"../outside"), hard(b"h", b"l")]));
    let read = |name: &str| fs::read_link(target.join(name)).ok();
    let expected = Some(PathBuf::from("../outside"));
    assert_eq!((output.status.code(), read("l"), read("h")), (Some(0), expected.clone(), expected));
}

fn newc(name: &[u8], mode: u32, links: u32, data: &[u8], size: u32) -> Vec<u8> {
    let mut bytes = b"070701".to_vec();
    for field in [7, mode, 0, 0, links, 1, size, 0, 0, 0, 0, name.len() as u32 + 1, 0] {
        bytes.extend(format!("{field:08x}").bytes());
    }
    bytes.extend_from_slice(name);
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn hostile_archives_of_cpio_and_ar_end_in_an_error() {
    let ground = Ground::new("cpio");
    let trailer = newc(b"TRAILER!!!", 0, 1, b"", 0);
    let of_file = |name: &[u8]| newc(name, 0o100_644, 1, b"evil", 4);
    let of_link = |name: &[u8], target: &[u8]| newc(name, 0o120_777, 1, target, target.len() as u32);
    let mut long_name = of_file(b"f");
    long_name[94..102].copy_from_slice(b"ffffffff");
    let hostile = [
        vec![of_file(b"../evil")],
        vec![of_link(b"l", b"../outside"), of_file(b"l/evil")],
        vec![of_link(b"l", ground.root.join("outside").as_os_str().as_bytes()), of_file(b"l/evil")],
        vec![of_file(b"before/evil")],
        vec![newc(b"f", 0o100_644, 1, b"evil", u32::MAX)],
        vec![newc(b"l", 0o120_777, 1, b"evil", u32::MAX)],
        vec![newc(b"p", 0o010_644, 1, b"evil", 4)],
        vec![long_name],
        vec![b"070701".to_vec()],
        vec![of_file(b"f"), b"junk".repeat(40)],
    ];
    for members in hostile {
        let archive = [members.concat(), trailer.clone()].concat();
        for words in [&["cpio", "-id"][..], &["cpio", "-idum"]] {
            let output = ground.unpack(words, &archive);
            assert_eq!(output.status.code(), Some(1), "{output:?}");
        }
        let output = ground.unpack(&["cpio", "-tv"], &archive);
        assert!(output.status.code().is_some_and(|code| code <= 1), "{output:?}");
    }
    let ar =
        |name: &str, size: u64, data: &str| format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n{data}", 1, 0, 0, 644);
    for members in [
        ar("#1/7", 11, "../evilevil"),
        ar("../evil/", 4, "evil"),
        ar("//", 9, "../evil/\n\n") + &ar("/0", 4, "evil"),
        ar("/77", 4, "evil"),
        ar("#1/99999999", 4, "evil"),
        ar("//", 9_999_999_999, "x"),
        ar("f/", 9_999_999_999, "x"),
        ar("before/", 4, "evil") + &ar("before/evil/", 4, "evil"),
        "junk".to_owned(),
    ] {
        let output = ground.unpack(&["ar", "x", "-"], format!("!<arch>\n{members}").as_bytes());
        assert_eq!(output.status.code(), Some(1), "{members}: {output:?}");
    }
}

/// What the records of a member of a zip archive say.
#[derive(Clone)]
struct Zipped<'a> {
    name: &'a [u8],
    /// The system that made it, and the mode.
    system: u8,
    mode: u32,
    method: u16,
    flags: u16,
    crc: u32,
    /// Bytes in the archive, and of the data.
    sizes: [u32; 2],
    data: &'a [u8],
    /// Where the directory says that the member is, if that is wrong.
    offset: Option<u32>,
}

impl<'a> Zipped<'a> {
    fn new(name: &'a [u8], mode: u32, data: &'a [u8]) -> Self {
        let mut crc = rbox_core::hash::crc::Crc::gzip();
        crc.update(data);
        let length = data.len() as u32;
        Self { name, system: 3, mode, method: 0, flags: 0, crc: crc.finish(0), sizes: [length; 2], data, offset: None }
    }
}

/// A zip archive (APPNOTE 4.3).
fn zip(members: &[Zipped<'_>]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let offset = member.offset.unwrap_or(bytes.len() as u32);
        let mut common = Vec::new();
        [member.flags, member.method, 0, 0x21].iter().for_each(|number| common.extend(number.to_le_bytes()));
        [member.crc, member.sizes[0], member.sizes[1]].iter().for_each(|number| common.extend(number.to_le_bytes()));
        common.extend((member.name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04\x14\0");
        bytes.extend(&common);
        bytes.extend(member.name);
        bytes.extend(member.data);
        directory.extend(b"PK\x01\x02\x14");
        directory.extend([member.system, 20, 0]);
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((member.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name);
    }
    end_of_zip(bytes, &directory, members.len() as u16, None)
}

fn end_of_zip(mut bytes: Vec<u8>, directory: &[u8], count: u16, size: Option<u32>) -> Vec<u8> {
    let offset = bytes.len() as u32;
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    [count, count].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    bytes.extend(size.unwrap_or(directory.len() as u32).to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn hostile_archives_of_zip_end_in_an_error() {
    let ground = Ground::new("zip");
    let outside = ground.root.join("outside");
    let outside = outside.as_os_str().as_bytes();
    let of = |name: &'static [u8]| Zipped::new(name, 0o100_644, b"evil");
    let link = |target: &'static [u8]| Zipped::new(b"l", 0o120_777, target);
    let long = vec![b'x'; 70_000];
    let huge = "d/".repeat(30_000);
    let end64 = |count: u64, size: u64| {
        let mut bytes = b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x14\0\x14\0\0\0\0\0\0\0\0\0".to_vec();
        [count, count, size, 0].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0");
        end_of_zip(bytes, b"", u16::MAX, Some(u32::MAX))
    };
    let hostile: Vec<(&str, Vec<u8>)> = vec![
        ("..", zip(&[of(b"../evil")])),
        (".. of FAT", zip(&[Zipped { system: 0, ..of(b"..\\evil") }])),
        (".. in the middle", zip(&[of(b"a/../../evil")])),
        ("a link, then a name through it", zip(&[link(b"../outside"), of(b"l/evil")])),
        ("an absolute link", zip(&[Zipped::new(b"l", 0o120_777, outside), of(b"l/evil")])),
        ("a link that was there", zip(&[of(b"before/evil")])),
        ("a directory through a link", zip(&[link(b"../outside"), Zipped::new(b"l/evil/", 0o040_755, b"")])),
        ("a NUL in a name", zip(&[of(b"a\0b")])),
        ("a name of many directories", zip(&[Zipped::new(huge.as_bytes(), 0o100_644, b"evil")])),
        ("a target without an end", zip(&[Zipped::new(b"l", 0o120_777, &long)])),
        ("a target with a NUL", zip(&[link(b"a\0b")])),
        ("a wrong sum", zip(&[Zipped { crc: 1, ..of(b"f") }])),
        ("more data than there are", zip(&[Zipped { sizes: [1 << 30; 2], ..of(b"f") }])),
        ("more data than said", zip(&[Zipped { sizes: [4, 2], ..of(b"f") }])),
        ("fewer data than said", zip(&[Zipped { sizes: [4, 9], ..of(b"f") }])),
        ("no deflated data", zip(&[Zipped { method: 8, ..of(b"f") }])),
        ("no lzma data", zip(&[Zipped { method: 14, ..of(b"f") }])),
        ("an unknown method", zip(&[Zipped { method: 77, ..of(b"f") }])),
        ("an encrypted member", zip(&[Zipped { flags: 1, ..of(b"f") }])),
        ("an offset past the end", zip(&[Zipped { offset: Some(u32::MAX - 1), ..of(b"f") }])),
        ("an offset into data", zip(&[Zipped { offset: Some(5), ..of(b"f") }])),
        ("more members than there are", end_of_zip(Vec::new(), b"", 60_000, None)),
        ("a directory before the file", end_of_zip(Vec::new(), b"", 1, Some(1 << 30))),
        ("billions of members", end64(u64::MAX, 0)),
        ("a directory of many bytes", end64(1, u64::MAX)),
        ("no archive", b"junk".repeat(100)),
        ("an end alone", b"PK\x05\x06".to_vec()),
    ];
    for (what, archive) in hostile {
        for script in [
            "cat > f.zip; $R unzip -o f.zip",
            "cat > f.zip; $R unzip -oj f.zip",
            "cat > f.zip; $R unzip -K f.zip < f.zip",
        ] {
            let output = ground.unpack(&["sh", "-c", script], &archive);
            let code = output.status.code();
            let is_right = if script.contains("-oj") { code.is_some_and(|code| code <= 1) } else { code == Some(1) };
            assert!(is_right, "{what}: {script}: {output:?}");
        }
        for script in
            ["cat > f.zip; $R unzip -l f.zip", "cat > f.zip; $R unzip -t f.zip", "cat > f.zip; $R unzip -p f.zip"]
        {
            let output = ground.unpack(&["sh", "-c", script], &archive);
            assert!(output.status.code().is_some_and(|code| code <= 1), "{what}: {script}: {output:?}");
        }
    }
    // Members that share their data are files of their own, and no more than the directory names.
    let shared: Vec<_> = ["a", "b", "c"].iter().map(|name| Zipped { offset: Some(0), ..of(name.as_bytes()) }).collect();
    let output = ground.unpack(&["sh", "-c", "cat > f.zip; $R unzip -qo f.zip; cat a b c"], &zip(&shared));
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"evilevilevil"[..]), "{output:?}");
}

/// A header of an rpm package.
fn rpm_header(entries: u32, size: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x8e\xad\xe8\x01\0\0\0\0".to_vec();
    [entries, size].iter().for_each(|number| bytes.extend(number.to_be_bytes()));
    bytes.extend(rest);
    bytes
}

#[test]
fn hostile_packages_end_in_an_error() {
    let ground = Ground::new("packages");
    let lead = [&b"\xed\xab\xee\xdb"[..], &[0; 92]].concat();
    let entry = |tag: u32, kind: u32, offset: u32, count: u32| -> Vec<u8> {
        [tag, kind, offset, count].iter().flat_map(|number| number.to_be_bytes()).collect()
    };
    let whole = |header: Vec<u8>, payload: &[u8]| [&lead[..], &rpm_header(0, 0, b""), &header, payload].concat();
    let archive = [newc(b"../evil", 0o100_644, 1, b"evil", 4), newc(b"TRAILER!!!", 0, 1, b"", 0)].concat();
    for (what, package) in [
        ("no package", b"junk".repeat(99)),
        ("a lead alone", lead.clone()),
        ("billions of entries", whole(rpm_header(u32::MAX, 0, b""), b"")),
        ("a store of gigabytes", whole(rpm_header(0, u32::MAX, b""), b"")),
        ("entries that are not there", whole(rpm_header(60_000, 1 << 20, b""), b"")),
        ("no archive", whole(rpm_header(0, 0, b""), b"junk")),
        ("..", whole(rpm_header(0, 0, b""), &archive)),
        ("a name past the store", whole(rpm_header(1, 4, &[&entry(1000, 6, 99, 1)[..], b"evil"].concat()), &archive)),
        (
            "names past the store",
            whole(rpm_header(1, 4, &[&entry(1117, 8, 0, u32::MAX)[..], b"a\0b\0"].concat()), &archive),
        ),
        (
            "a number past the store",
            whole(rpm_header(1, 4, &[&entry(1009, 4, u32::MAX, 9)[..], b"evil"].concat()), &archive),
        ),
    ] {
        let output = ground.unpack(&["sh", "-c", "cat > f; $R rpm2cpio f | $R cpio -idu --quiet"], &package);
        assert!(output.status.code().is_some_and(|code| code <= 1), "{what}: {output:?}");
        let output = ground.unpack(&["sh", "-c", "cat > f; $R rpm -qpil f"], &package);
        assert!(output.status.code().is_some_and(|code| code <= 1), "{what}: {output:?}");
    }
    let ar = |name: &str, data: &[u8]| {
        let head = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 1, 0, 0, 644, data.len());
        [head.as_bytes(), data, if data.len().is_multiple_of(2) { b"" } else { b"\n" }].concat()
    };
    let control = [file(b"./control"), vec![0; 1024]].concat();
    let deb = |data: &[Vec<u8>]| {
        let data = [data.concat(), vec![0; 1024]].concat();
        [b"!<arch>\n".to_vec(), ar("debian-binary", b"2.0\n"), ar("control.tar", &control), ar("data.tar", &data)]
            .concat()
    };
    for (what, package) in [
        ("..", deb(&[file(b"../evil")])),
        ("a link, then a name through it", deb(&[link(b"l", b"../outside"), file(b"l/evil")])),
        ("a hard link out", deb(&[hard(b"h", b"../outside/secret")])),
        ("no data", [b"!<arch>\n".to_vec(), ar("debian-binary", b"2.0\n"), ar("control.tar", &control)].concat()),
        ("no package", b"!<arch>\n".to_vec()),
        ("junk", b"junk".repeat(99)),
    ] {
        let output = ground.unpack(&["sh", "-c", "cat > f; $R dpkg-deb -x f ."], &package);
        assert!(output.status.code().is_some_and(|code| (1..=2).contains(&code)), "{what}: {output:?}");
        let output = ground
            .unpack(&["sh", "-c", "cat > f; $R dpkg-deb -c f; $R dpkg-deb -f f; $R dpkg-deb -e f ./control"], &package);
        assert!(output.status.code().is_some_and(|code| code <= 2), "{what}: {output:?}");
    }
}

#[test]
fn compressed_files_take_no_memory_before_there_are_data() {
    let ground = Ground::new("compressed");
    let xz = |dictionary: u8| {
        let sealed = |bytes: &[u8]| {
            let mut crc = rbox_core::hash::crc::Crc::gzip();
            crc.update(bytes);
            [bytes, &crc.finish(0).to_le_bytes()].concat()
        };
        [&b"\xfd7zXZ\0"[..], &sealed(b"\0\x01"), &sealed(&[2, 0, 0x21, 1, dictionary, 0, 0, 0]), b"\x01\0\x01a\n\0\0\0"]
            .concat()
    };
    let lzma = |dictionary: u32| [&[0x5d][..], &dictionary.to_le_bytes(), &[0xff; 8], &[0, 0x30, 0xc1, 0xfb]].concat();
    let zstd = |window: &[u8]| [&b"\x28\xb5\x2f\xfd"[..], window, b"\x11\0\0a\n"].concat();
    for (applet, stream, is_right) in [
        ("xzcat", xz(40), false),
        ("xzcat", xz(39), false),
        ("xzcat", xz(30), false),
        ("lzcat", lzma(u32::MAX), false),
        ("lzcat", lzma(1 << 30), false),
        ("lzcat", lzma(1 << 27), false),
        ("zstdcat", zstd(&[0, 17 << 3]), true),
        ("zstdcat", zstd(&[0, 31 << 3]), false),
        ("zstdcat", zstd(&[0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40]), false),
        ("zstdcat", zstd(&[0xa0, 0, 0, 0, 8]), false),
        ("bzcat", b"BZh91AY&SY\xff\xff\xff\xff".to_vec(), false),
        ("zcat", b"\x1f\x8b\x08\xff".to_vec(), false),
        ("zcat", [&b"\x1f\x8b\x08\x04\0\0\0\0\0\0\xff\xff"[..], &[0; 70_000]].concat(), false),
        ("zcat", b"\x1f\x9d\x90\xff\xff\xff".to_vec(), false),
        ("uncompress", b"\x1f\x9d\x9f".to_vec(), false),
        ("lzopcat", [&b"\x89LZO\0\r\n\x1a\n"[..], &[0xff; 60]].concat(), false),
    ] {
        let output = ground.unpack(&[applet], &stream);
        assert_eq!(output.status.code(), Some(i32::from(!is_right)), "{applet}: {stream:?}: {output:?}");
    }
}

/// Random numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % end as u64) as usize
    }

    /// A name of any bytes that a name may have.
    fn name(&mut self) -> OsString {
        let length = match self.below(4) {
            0 => 1 + self.below(3),
            1 => 90 + self.below(30),
            _ => 1 + self.below(20),
        };
        let mut name: Vec<u8> = (0..length)
            .map(|_| match self.below(4) {
                0 => (1 + self.below(255)) as u8,
                _ => b'a' + self.below(26) as u8,
            })
            .map(|byte| if byte == b'/' { b'-' } else { byte })
            .collect();
        // bsdtar takes both for the start of a name of another system.
        if name.get(1) == Some(&b':') {
            name[1] = b';';
        }
        if name[0] == b'\\' {
            name[0] = b'|';
        }
        if name == b"." || name == b".." {
            name.push(b'x');
        }
        OsString::from_vec(name)
    }
}

/// Makes a tree of all kinds of files. `plain`: without what the formats of cpio do not have. `most`: bytes of the longest
/// path and target.
fn grow(root: &Path, seed: u64, plain: bool, most: usize) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..16 {
        random.below(2);
    }
    let mut directories = vec![root.to_owned()];
    let mut files = Vec::new();
    for _ in 0..1 + random.below(12) {
        let path = directories[random.below(directories.len())].join(random.name());
        if path.symlink_metadata().is_ok() || path.as_os_str().len() - root.as_os_str().len() > most {
            continue;
        }
        match random.below(8) {
            0 | 1 => {
                fs::create_dir(&path).expect("the name is free");
                directories.push(path);
                continue;
            }
            2 => symlink(
                OsStr::from_bytes(&random.name().as_bytes().iter().copied().take(most).collect::<Vec<_>>()),
                &path,
            )
            .expect("the name is free"),
            3 if !files.is_empty() => {
                fs::hard_link(&files[random.below(files.len())], &path).expect("the name is free");
            }
            4 => {
                let mode = sys::Mode::from_raw_mode(0o600);
                sys::mknodat(sys::CWD, &path, sys::FileType::Fifo, mode, 0).expect("the name is free");
            }
            kind => {
                let mut content = vec![b'x'; random.below(3) * random.below(2000)];
                content.iter_mut().for_each(|byte| *byte = random.below(256) as u8);
                fs::write(&path, &content).expect("the name is free");
                if kind == 5 && !plain {
                    let file = fs::OpenOptions::new().write(true).open(&path).expect("it was made");
                    let holes: u64 = 4096 * (1 + random.below(60)) as u64;
                    file.set_len(holes * 3).expect("it gets longer");
                    std::os::unix::fs::FileExt::write_at(&file, b"data", holes).expect("it is written");
                }
                if random.below(3) == 0 && !plain {
                    // A file system without attributes has none to lose.
                    let _ = sys::lsetxattr(
                        path.as_os_str().as_bytes(),
                        b"user.name",
                        b"value\0with NUL",
                        sys::XattrFlags::empty(),
                    );
                }
                files.push(path.clone());
            }
        }
        if !path.is_symlink() {
            let mode = random.below(0o10000) as u32;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        set_time(&path, &mut random);
    }
    for path in directories.iter().skip(1).rev() {
        let mode = 0o700 | random.below(0o1000) as u32;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        set_time(path, &mut random);
    }
}

fn set_time(path: &Path, random: &mut Random) {
    let time = Timespec { tv_sec: 1 + random.below(2_000_000_000) as i64, tv_nsec: random.below(1_000_000_000) as i64 };
    let times = sys::Timestamps { last_access: time, last_modification: time };
    sys::utimensat(sys::CWD, path, &times, sys::AtFlags::SYMLINK_NOFOLLOW).expect("it is ours");
}

/// What is compared about a file, as text.
fn look(root: &Path, nanos: bool, xattrs: bool) -> BTreeMap<OsString, String> {
    let mut all = BTreeMap::new();
    let mut first = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.symlink_metadata().expect("it is there").is_dir() {
                waiting.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    for path in found {
        let stat = path.symlink_metadata().expect("it is there");
        let name = path.strip_prefix(root).expect("it is below").as_os_str().to_owned();
        let content = if stat.is_file() { fs::read(&path).expect("root reads all") } else { Vec::new() };
        let of =
            if stat.is_dir() { name.clone() } else { first.entry(stat.ino()).or_insert_with(|| name.clone()).clone() };
        let sum = content.iter().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        let mut value = [0; 64];
        let value = match sys::lgetxattr(path.as_os_str().as_bytes(), b"user.name", &mut value[..]) {
            Ok(length) if xattrs => value[..length].to_vec(),
            _ => Vec::new(),
        };
        let links = if stat.is_dir() { 0 } else { stat.nlink() };
        let text = format!(
            "{:o} {}:{} {} {sum} {}.{} {:?} {links} {of:?} {value:?}",
            stat.mode(),
            stat.uid(),
            stat.gid(),
            content.len(),
            stat.mtime(),
            if nanos { stat.mtime_nsec() } else { 0 },
            fs::read_link(&path).ok()
        );
        all.insert(name, text);
    }
    all
}

/// Whether a peer is installed.
fn has(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    assert!(is_there || std::env::var_os("CI").is_none(), "{program} is not installed");
    is_there
}

/// A command of an archiver: words, the first of them `rbox` for rbox's own.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(if words[0] == "rbox" { RBOX } else { words[0] });
    command.args(&words[1..]).env("R", RBOX);
    command
}

fn is_root() -> bool {
    rbox_core::sys::process::geteuid().is_root()
}

/// The numbers of the trees to generate.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str, usual| std::env::var(name).ok().and_then(|word| word.parse().ok()).unwrap_or(usual);
    let first = number("ROUND_SEED", 1);
    first..first + number("ROUND_TRIPS", 12)
}

/// Leaves what zip has: no special files, and no second names.
fn simplify(root: &Path) {
    for name in look(root, false, false).into_keys() {
        let path = root.join(name);
        let stat = path.symlink_metadata().expect("it is there");
        if stat.nlink() > 1 && !stat.is_dir() || !(stat.is_file() || stat.is_dir() || stat.is_symlink()) {
            let parent = path.parent().expect("it is below").to_owned();
            let before = parent.symlink_metadata().expect("it is there");
            fs::remove_file(&path).expect("it is ours");
            let time = Timespec { tv_sec: before.mtime(), tv_nsec: before.mtime_nsec() };
            let times = sys::Timestamps { last_access: time, last_modification: time };
            sys::utimensat(sys::CWD, &parent, &times, sys::AtFlags::empty()).expect("it is ours");
        }
    }
}

/// Packs each tree by one command and unpacks it by another.
fn round_trips(name: &str, plain: bool, pairs: &[(&[&str], &[&str], bool)]) {
    if !is_root() {
        return;
    }
    let root = scratch(name);
    for seed in seeds() {
        let tree = root.join("tree");
        fs::create_dir(&tree).expect("a fresh directory");
        // ustar has names of 100 bytes, and a prefix where there is a slash at the right byte.
        grow(&tree, seed, plain, if name == "ustar" { 90 } else { usize::MAX });
        if name == "zip" {
            simplify(&tree);
        }
        for (pack, unpack, whole) in pairs {
            let before = look(&tree, *whole, *whole);
            let copy = root.join("copy");
            fs::create_dir(&copy).expect("a fresh directory");
            let mut packer = command(pack);
            packer.current_dir(&tree);
            let names = if name == "cpio" { names_below(&tree) } else { Vec::new() };
            let packed = pipe(packer, &names);
            assert!(packed.status.success(), "seed {seed}: {pack:?}: {packed:?}");
            let mut unpacker = command(unpack);
            unpacker.current_dir(&copy);
            let unpacked = pipe(unpacker, &packed.stdout);
            assert!(
                unpacked.status.success(),
                "seed {seed}: {pack:?} {unpack:?}: {}",
                String::from_utf8_lossy(&unpacked.stderr)
            );
            let after = look(&copy, *whole, *whole);
            for (name, text) in &before {
                assert_eq!(after.get(name), Some(text), "seed {seed}: {pack:?} {unpack:?}: {name:?}");
            }
            assert_eq!(before.len(), after.len(), "seed {seed}: {pack:?} {unpack:?}");
            fs::remove_dir_all(&copy).expect("it goes");
        }
        fs::remove_dir_all(&tree).expect("it goes");
    }
    fs::remove_dir_all(root).expect("it goes");
}

/// The names in a tree, each before those below it, with a NUL at the end.
fn names_below(root: &Path) -> Vec<u8> {
    let names = look(root, false, false);
    names.keys().flat_map(|name| [name.as_bytes(), b"\0"].concat()).collect()
}

#[test]
fn trees_survive_tar() {
    let own = |format: &'static str| ["rbox", "tar", "-c", format, "."];
    let (gnu, pax, sparse) = (own("--format=gnu"), own("--format=pax"), own("-S"));
    let ustar = own("--format=ustar");
    let whole = ["rbox", "tar", "-c", "--format=pax", "-S", "--xattrs", "."];
    let (xown, xall) = (&["rbox", "tar", "x"][..], &["rbox", "tar", "x", "--xattrs"][..]);
    let mut pairs: Vec<(&[&str], &[&str], bool)> =
        vec![(&gnu, xown, false), (&sparse, xown, false), (&whole, xall, true)];
    if has("tar") {
        pairs.extend([
            (&gnu[..], &["tar", "x"][..], false),
            (&pax, &["tar", "x"], false),
            (&whole, &["tar", "x", "--xattrs"], true),
            (&["tar", "c", "."], xown, false),
            (&["tar", "-cS", "--format=gnu", "."], xown, false),
            (&["tar", "-cS", "--format=pax", "--xattrs", "."], xall, true),
        ]);
    }
    if has("bsdtar") {
        // Its pax has no names that are not UTF-8.
        pairs.extend([
            (&gnu[..], &["bsdtar", "xpf", "-"][..], false),
            (&["bsdtar", "cf", "-", "--format", "gnutar", "."], xown, false),
        ]);
    }
    round_trips("tar", false, &pairs);
    let mut pairs: Vec<(&[&str], &[&str], bool)> = vec![(&ustar, xown, false)];
    if has("tar") {
        pairs.extend([(&ustar[..], &["tar", "x"][..], false), (&["tar", "c", "--format=ustar", "."], xown, false)]);
    }
    if has("bsdtar") {
        pairs.extend([
            (&ustar[..], &["bsdtar", "xpf", "-"][..], false),
            (&["bsdtar", "cf", "-", "--format", "ustar", "."], xown, false),
        ]);
    }
    round_trips("ustar", false, &pairs);
}

#[test]
fn trees_survive_zip() {
    // rbox makes no zip archives.
    let own = &["rbox", "sh", "-c", "cat > ../t.zip && $R unzip -oqK ../t.zip || test ! -s ../t.zip"][..];
    if has("bsdtar") {
        round_trips("zip", true, &[(&["bsdtar", "cf", "-", "--format", "zip", "."], own, false)]);
    }
}

#[test]
fn trees_survive_cpio() {
    let pack = |format: &'static str| ["rbox", "cpio", "-o0", "--quiet", "-H", format];
    let (newc, crc, odc, bin) = (pack("newc"), pack("crc"), pack("odc"), pack("bin"));
    let own = &["rbox", "cpio", "-idm", "--quiet"][..];
    let mut pairs: Vec<(&[&str], &[&str], bool)> =
        vec![(&newc, own, false), (&crc, own, false), (&odc, own, false), (&bin, own, false)];
    if has("cpio") {
        // GNU cpio makes directories before what is in them and leaves them with the time of that.
        pairs.extend([
            (&["cpio", "-o0", "--quiet", "-H", "newc"][..], own, false),
            (&["cpio", "-o0", "--quiet", "-H", "crc"], own, false),
            (&["cpio", "-o0", "--quiet", "-H", "odc"], own, false),
            (&["cpio", "-o0", "--quiet", "-H", "bin"], own, false),
        ]);
    }
    if has("bsdtar") {
        pairs.extend([(&newc[..], &["bsdtar", "xpf", "-"][..], false), (&odc, &["bsdtar", "xpf", "-"], false)]);
        pairs.push((&["bsdtar", "cf", "-", "--format", "newc", "--null", "-nT", "-"], own, false));
    }
    round_trips("cpio", true, &pairs);
}

#[test]
fn a_full_disk_leaves_no_half_of_a_file() {
    // /dev/full takes no archive; a limit of file sizes takes no member.
    let root = scratch("full");
    fs::write(root.join("a"), vec![b'x'; 100_000]).expect("a file");
    fs::write(root.join("b"), "small").expect("a file");
    let run = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", RBOX]).current_dir(&root);
        pipe(command, b"")
    };
    let made = run("\"$1\" tar cf a.tar a b && echo a | \"$1\" cpio -o --quiet > a.cpio && \"$1\" ar rc a.a a b");
    assert!(made.status.success(), "{made:?}");
    let before = fs::read(root.join("a.a")).expect("it was made");
    fs::write(root.join("more"), vec![b'y'; 100_000]).expect("a file");
    let script = "mkdir x y z; trap '' XFSZ; ulimit -f 20; \"$1\" tar xf a.tar -C x; echo $?; ls x; \
        cd y; \"$1\" cpio -id --quiet < ../a.cpio; echo $?; ls; cd ../z; \"$1\" ar x ../a.a; echo $?; ls; cd ..; \
        \"$1\" ar r a.a more; echo $?; \"$1\" tar cf b.tar a; echo $?";
    let output = run(script);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2\nb\n1\n1\nb\n1\n2\n", "{output:?}");
    assert_eq!(fs::read(root.join("a.a")).ok(), Some(before));
    assert!(fs::read_dir(&root).expect("it is there").all(|entry| {
        let name = entry.expect("an entry").file_name();
        !OsStr::as_bytes(&name).starts_with(b"a.a.")
    }));
    fs::remove_dir_all(root).expect("it goes");
}
