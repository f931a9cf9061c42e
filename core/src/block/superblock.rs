//! Superblocks: the type, the UUID and the label of what is on a device.
//!
//! The offsets come from the formats' own descriptions: linux/Documentation/filesystems/ext4, Microsoft's FAT
//! specification, ECMA-119, mkswap(8), XFS's disk format, btrfs's on-disk format, linux/Documentation/filesystems for
//! f2fs, nilfs2, erofs and NTFS, Microsoft's exFAT specification, cryptsetup's LUKS on-disk format, lvm2's and mdadm's
//! man pages.

use super::{get, push_hex, read_at, uuid_text};
use crate::callback;
use crate::sys::OwnedFd;

/// What is on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The type's name as mount(8) takes it; `swap` for swap space.
    pub kind: &'static str,
    /// The UUID, or its equivalent, as text; empty where there is none.
    pub uuid: Vec<u8>,
    /// The label; empty where there is none.
    pub label: Vec<u8>,
}

/// Looks for a superblock that is known. `None` when there is none.
pub fn probe(device: &OwnedFd) -> Option<Content> {
    probe_with(&mut |offset, count| read_at(device, offset, count))
}

callback! {
    /// Reads `count` bytes at an offset.
    Read = ReadAt<'b>((u64, usize)) -> Option<Vec<u8>>
}

fn probe_with(read: &mut impl FnMut(u64, usize) -> Option<Vec<u8>>) -> Option<Content> {
    let mut each = |(offset, count)| read(offset, count);
    let mut read = Read::new(&mut each);
    // A format is tried when its bytes are there; a small device has only the first ones.
    let formats: [fn(&mut Read<'_>) -> Option<Content>; 11] =
        [luks, lvm, raid, plain_formats, ext, swap, btrfs, iso9660, ntfs, exfat, fat];
    formats.into_iter().find_map(|format| format(&mut read))
}

fn content(kind: &'static str, uuid: Vec<u8>, label: &[u8]) -> Option<Content> {
    let end = label.iter().position(|&byte| byte == 0).unwrap_or(label.len());
    Some(Content { kind, uuid, label: label[..end].trim_ascii_end().to_vec() })
}

/// Formats whose magic, UUID and label are found at fixed offsets.
fn plain_formats(read: &mut Read<'_>) -> Option<Content> {
    let mut plain = |kind, magic_at, magic: &[u8], uuid_at, label_at, label_length| {
        plain(read, kind, (magic_at, magic), uuid_at, (label_at, label_length))
    };
    plain("xfs", 0, b"XFSB", 32, 108, 12)
        .or_else(|| plain("squashfs", 0, b"hsqs", 0, 0, 0))
        .or_else(|| plain("cramfs", 0, b"\x45\x3d\xcd\x28", 0, 48, 16))
        .or_else(|| plain("romfs", 0, b"-rom1fs-", 0, 16, 16))
        .or_else(|| plain("erofs", 1024, b"\xe2\xe1\xf5\xe0", 1072, 1088, 16))
        .or_else(|| f2fs(plain("f2fs", 1024, b"\x10\x20\xf5\xf2", 1132, 1148, 1024)))
        .or_else(|| plain("nilfs2", 1030, b"\x34\x34", 1176, 1192, 80))
        .or_else(|| plain("bcachefs", 4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca", 4152, 4168, 32))
        .or_else(|| plain("jfs", 32768, b"JFS1", 32904, 32920, 16))
        .or_else(|| plain("reiserfs", 65588, b"ReIsEr", 65620, 65636, 16))
}

fn plain(
    read: &mut Read<'_>,
    kind: &'static str,
    (magic_at, magic): (u64, &[u8]),
    uuid_at: u64,
    (label_at, label_length): (u64, usize),
) -> Option<Content> {
    if read.call((magic_at, magic.len()))? != magic {
        return None;
    }
    let uuid = if uuid_at > 0 { uuid_text(&read.call((uuid_at, 16))?) } else { Vec::new() };
    let label = if label_length > 0 { read.call((label_at, label_length))? } else { Vec::new() };
    if kind == "f2fs" {
        return Some(Content { kind, uuid, label });
    }
    content(kind, uuid, &label)
}

/// Its label is 512 units of UTF-16.
fn f2fs(found: Option<Content>) -> Option<Content> {
    found.map(|content| Content { label: utf16(&content.label), ..content })
}

/// UTF-16, the lower byte first, up to a NUL.
fn utf16(bytes: &[u8]) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = char::decode_utf16(units.take_while(|&unit| unit != 0)).map(|unit| unit.unwrap_or('?'));
    text.collect::<String>().into_bytes()
}

/// `0123-ABCD`, or longer without a dash: what has a serial number and no UUID.
fn serial(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for (at, byte) in bytes.iter().rev().enumerate() {
        if at == 2 && bytes.len() == 4 {
            text.push(b'-');
        }
        push_hex(&mut text, *byte, b"0123456789ABCDEF");
    }
    text
}

/// LUKS: its UUID is text; a label is in version 2 alone.
fn luks(read: &mut Read<'_>) -> Option<Content> {
    let head = read.call((0, 208))?;
    if !head.starts_with(b"LUKS\xba\xbe") {
        return None;
    }
    let found = content("crypto_LUKS", Vec::new(), if head[7] == 2 { &head[24..72] } else { b"" })?;
    let end = head[168..].iter().position(|&byte| byte == 0).unwrap_or(40);
    Some(Content { uuid: head[168..168 + end].to_vec(), ..found })
}

/// LVM2: the label is in one of the first four sectors; it says where the header with the UUID is.
fn lvm(read: &mut Read<'_>) -> Option<Content> {
    let sector = (0..4).find_map(|sector| {
        let sector = read.call((sector * 512, 512))?;
        (sector.starts_with(b"LABELONE") && &sector[24..32] == b"LVM2 001").then_some(sector)
    })?;
    let at = get(&sector, 20, 4) as usize;
    let digits = sector.get(at..at.checked_add(32)?)?;
    let parts = [&digits[..6], &digits[6..10], &digits[10..14], &digits[14..18], &digits[18..22], &digits[22..26]];
    let uuid = [&parts.join(&b'-'), &b"-"[..], &digits[26..]].concat();
    content("LVM2_member", uuid, b"")
}

/// Linux software RAID, versions 1.1 and 1.2 (md(4)); those at the end of a device are not looked for.
fn raid(read: &mut Read<'_>) -> Option<Content> {
    let mut at =
        |offset| plain(read, "linux_raid_member", (offset, b"\xfc\x4e\x2b\xa9"), offset + 16, (offset + 32, 32));
    at(4096).or_else(|| at(0))
}

/// NTFS: the label is an attribute of the fourth record of the master file table, $Volume.
fn ntfs(read: &mut Read<'_>) -> Option<Content> {
    let boot = read.call((0, 512))?;
    if &boot[3..11] != b"NTFS    " {
        return None;
    }
    let label = ntfs_label(read, &boot).unwrap_or_default();
    Some(Content { kind: "ntfs", uuid: serial(&boot[72..80]), label })
}

fn ntfs_label(read: &mut Read<'_>, boot: &[u8]) -> Option<Vec<u8>> {
    let cluster = get(boot, 11, 2) * get(boot, 13, 1);
    // A negative number is the exponent of the size in bytes.
    let size = match boot[64] as i8 {
        exponent @ -16..0 => 1u64 << -exponent,
        clusters => cluster.checked_mul(clusters.try_into().ok()?)?,
    };
    let start = get(boot, 48, 8).checked_mul(cluster)?.checked_add(size.checked_mul(3)?)?;
    let record = read.call((start, size.clamp(512, 65536) as usize))?;
    if !record.starts_with(b"FILE") {
        return None;
    }
    let mut at = get(&record, 20, 2) as usize;
    // Each attribute has its type and its length; 0x60 is the volume's name.
    while at + 24 <= record.len() {
        let (kind, length) = (get(&record, at, 4), get(&record, at + 4, 4) as usize);
        if kind == 0x60 {
            let from = at + get(&record, at + 20, 2) as usize;
            return record.get(from..from + get(&record, at + 16, 4) as usize).map(utf16);
        }
        if kind == 0xffff_ffff || length < 24 {
            return None;
        }
        at = at.checked_add(length)?;
    }
    None
}

/// exFAT: the label is an entry of the root directory.
fn exfat(read: &mut Read<'_>) -> Option<Content> {
    let boot = read.call((0, 512))?;
    if &boot[3..11] != b"EXFAT   " {
        return None;
    }
    let label = exfat_label(read, &boot).unwrap_or_default();
    Some(Content { kind: "exfat", uuid: serial(&boot[100..104]), label })
}

fn exfat_label(read: &mut Read<'_>, boot: &[u8]) -> Option<Vec<u8>> {
    let (sector, cluster) = (boot[108], boot[109]);
    if !(9..=12).contains(&sector) || sector + cluster > 25 {
        return None;
    }
    let clusters = get(boot, 96, 4).checked_sub(2)?;
    let start = (get(boot, 88, 4) << sector) + (clusters << (sector + cluster));
    let entries = read.call((start, 1 << sector))?;
    let entry = entries.chunks_exact(32).find(|entry| entry[0] == 0x83)?;
    entry.get(2..2 + 2 * usize::from(entry[1])).map(utf16)
}

fn ext(read: &mut Read<'_>) -> Option<Content> {
    let block = read.call((1024, 1024))?;
    if block[56..58] != [0x53, 0xef] {
        return None;
    }
    let (compatible, incompatible, read_only) = (get(&block, 92, 4), get(&block, 96, 4), get(&block, 100, 4));
    // What ext3 knows: filetype, recover, meta_bg; sparse_super, large_file, btree_dir.
    let kind = if incompatible & 0x8 != 0 {
        // A journal on a device of its own is no filesystem.
        return None;
    } else if incompatible & !0x16 != 0 || read_only & !0x7 != 0 {
        "ext4"
    } else if compatible & 0x4 != 0 {
        "ext3"
    } else {
        "ext2"
    };
    content(kind, uuid_text(&block[104..120]), &block[120..136])
}

fn swap(read: &mut Read<'_>) -> Option<Content> {
    // The signature ends the first page, of 4 to 64 KiB.
    let page = [4096, 8192, 16384, 65536]
        .into_iter()
        .find(|page| read.call((page - 10, 10)).as_deref() == Some(b"SWAPSPACE2"));
    page?;
    let head = read.call((1024, 64))?;
    content("swap", uuid_text(&head[12..28]), &head[28..44])
}

fn btrfs(read: &mut Read<'_>) -> Option<Content> {
    let block = read.call((65536, 1024))?;
    if &block[64..72] != b"_BHRfS_M" {
        return None;
    }
    content("btrfs", uuid_text(&block[32..48]), &block[299..555])
}

fn iso9660(read: &mut Read<'_>) -> Option<Content> {
    let block = read.call((32768, 2048))?;
    if &block[..6] != b"\x01CD001" {
        return None;
    }
    // ECMA-119 8.4.26: the time of creation, or where there is one, of the last change.
    let time = [830, 813]
        .map(|at| &block[at..at + 16])
        .into_iter()
        .find(|time| time.iter().any(|&byte| byte != b'0' && byte != 0));
    let uuid = match time.filter(|time| time.iter().all(u8::is_ascii_digit)) {
        Some(time) => {
            [&time[..4], &time[4..6], &time[6..8], &time[8..10], &time[10..12], &time[12..14], &time[14..]].join(&b'-')
        }
        None => Vec::new(),
    };
    content("iso9660", uuid, &block[40..72])
}

fn fat(read: &mut Read<'_>) -> Option<Content> {
    let sector = read.call((0, 512))?;
    // A partition table has the same signature at its end: the type's name tells them apart.
    let start = if &sector[82..90] == b"FAT32   " {
        67
    } else if sector[54..].starts_with(b"FAT12   ")
        || sector[54..].starts_with(b"FAT16   ")
        || sector[54..].starts_with(b"FAT     ")
    {
        39
    } else {
        return None;
    };
    if sector[510..] != [0x55, 0xaa] {
        return None;
    }
    let label = &sector[start + 4..start + 15];
    content("vfat", serial(&sector[start..start + 4]), if label == b"NO NAME    " { b"" } else { label })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    fn look(parts: &[(usize, &[u8])]) -> Option<Content> {
        let mut image = vec![0; 70_000];
        for (at, bytes) in parts {
            image[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        probe_with(&mut |offset, count| image.get(offset as usize..offset as usize + count).map(<[u8]>::to_vec))
    }

    fn seen(parts: &[(usize, &[u8])]) -> (String, String, String) {
        let content = look(parts).expect("a known form");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (content.kind.to_string(), text(&content.uuid), text(&content.label))
    }

    const UUID: &[u8] = b"\x01\x23\x45\x67\x89\xab\xcd\xef\0\x11\x22\x33\x44\x55\x66\x77";
    const TEXT: &str = "01234567-89ab-cdef-0011-223344556677";

    #[test]
    fn what_has_its_fields_at_fixed_offsets_is_known() {
        let text = |found: (String, String, String)| [found.0, found.1, found.2].join(" ");
        let found = seen(&[(1024, b"\x10\x20\xf5\xf2"), (1132, UUID), (1148, b"f\x002\0\xe9\0")]);
        assert_eq!(text(found), format!("f2fs {TEXT} f2\u{e9}"));
        assert_eq!(
            text(seen(&[(65588, b"ReIsEr2Fs"), (65620, UUID), (65636, b"old")])),
            format!("reiserfs {TEXT} old")
        );
        assert_eq!(text(seen(&[(32768, b"JFS1"), (32904, UUID), (32920, b"j")])), format!("jfs {TEXT} j"));
        assert_eq!(text(seen(&[(1024, b"\xe2\xe1\xf5\xe0"), (1072, UUID), (1088, b"e")])), format!("erofs {TEXT} e"));
        let luks = [(0, &b"LUKS\xba\xbe\0\x02"[..]), (24, b"safe"), (168, TEXT.as_bytes())];
        assert_eq!(text(seen(&luks)), format!("crypto_LUKS {TEXT} safe"));
        let lvm = [(512, &b"LABELONE"[..]), (532, b"\x20"), (536, b"LVM2 001aaaaaabbbbccccddddeeeeffffgggggg")];
        assert_eq!(text(seen(&lvm)), "LVM2_member aaaaaa-bbbb-cccc-dddd-eeee-ffff-gggggg ");
        let raid = [(4096, &b"\xfc\x4e\x2b\xa9"[..]), (4112, UUID), (4128, b"host:0")];
        assert_eq!(text(seen(&raid)), format!("linux_raid_member {TEXT} host:0"));
    }

    #[test]
    fn labels_of_ntfs_and_exfat_are_found_in_their_directories() {
        let ntfs = [
            (3, &b"NTFS    \0\x02\x08"[..]),
            (48, b"\x04"),
            (64, b"\xf6"),
            (72, b"\x01\x23\x45\x67\x89\xab\xcd\xef"),
            (19456, b"FILE"),
            (19476, b"\x38\0"),
            (19512, b"\x10\0\0\0\x20\0\0\0"),
            (19544, b"\x60\0\0\0\x20\0\0\0"),
            (19560, b"\x04\0\0\0\x18\0"),
            (19568, b"d\0k\0"),
        ];
        assert_eq!(seen(&ntfs), ("ntfs".into(), "EFCDAB8967452301".into(), "dk".into()));
        let exfat = [
            (3, &b"EXFAT   "[..]),
            (88, b"\x10"),
            (96, b"\x03"),
            (100, b"\x78\x56\x34\x12"),
            (108, b"\x09\x01"),
            (9216, b"\x81"),
            (9248, b"\x83\x02x\0y\0z\0"),
        ];
        assert_eq!(seen(&exfat), ("exfat".into(), "1234-5678".into(), "xy".into()));
    }

    #[test]
    fn filesystems_are_known_by_their_superblocks() {
        let ext = |features: &[u8]| seen(&[(1080, b"\x53\xef"), (1116, features), (1128, UUID), (1144, b"root\0x")]).0;
        assert_eq!(ext(b"\0\0\0\0\0\0\0\0\0\0\0\0"), "ext2");
        assert_eq!(ext(b"\x04\0\0\0\x02\0\0\0\x03\0\0\0"), "ext3");
        assert_eq!(ext(b"\x04\0\0\0\x42\0\0\0\x03\0\0\0"), "ext4");
        let found = seen(&[(1080, b"\x53\xef"), (1128, UUID), (1144, b"root\0x")]);
        assert_eq!((found.1.as_str(), found.2.as_str()), (TEXT, "root"));
        let found = seen(&[(4086, b"SWAPSPACE2"), (1036, UUID), (1052, b"swap1")]);
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), ("swap", TEXT, "swap1"));
        let found = seen(&[(0, b"XFSB"), (32, UUID), (108, b"data12345678")]);
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), ("xfs", TEXT, "data12345678"));
        let found = seen(&[(65600, b"_BHRfS_M"), (65568, UUID), (65835, b"pool")]);
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), ("btrfs", TEXT, "pool"));
        let found = seen(&[(32768, b"\x01CD001"), (32808, b"DISC 1   "), (33581, b"2024010203040506")]);
        assert_eq!(
            (found.0.as_str(), found.1.as_str(), found.2.as_str()),
            ("iso9660", "2024-01-02-03-04-05-06", "DISC 1")
        );
        let found = seen(&[(82, b"FAT32   "), (67, b"\x78\x56\x34\x12STICK      "), (510, b"\x55\xaa")]);
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), ("vfat", "1234-5678", "STICK"));
        let found = seen(&[(54, b"FAT16   "), (39, b"\x78\x56\x34\x12NO NAME    "), (510, b"\x55\xaa")]);
        assert_eq!((found.1.as_str(), found.2.as_str()), ("1234-5678", ""));
        assert_eq!(look(&[]), None);
        assert_eq!(look(&[(510, b"\x55\xaa")]), None);
    }

    #[test]
    fn any_bytes_are_looked_at_without_a_panic() {
        let mut random = Random::new(3);
        let magics: [(u64, &[u8]); 6] = [
            (0, b"XFSB"),
            (1080, b"\x53\xef"),
            (4086, b"SWAPSPACE2"),
            (65600, b"_BHRfS_M"),
            (32768, b"\x01CD001"),
            (82, b"FAT32   "),
        ];
        for round in 0..600 {
            let (place, magic) = magics[round % magics.len()];
            probe_with(&mut |offset, count| {
                let mut block: Vec<u8> = (0..count).map(|_| random.below(256) as u8).collect();
                if let Some(at) = place.checked_sub(offset).map(|at| at as usize)
                    && at + magic.len() <= count
                {
                    block[at..at + magic.len()].copy_from_slice(magic);
                }
                (random.below(8) > 0).then_some(block)
            });
        }
    }
}
