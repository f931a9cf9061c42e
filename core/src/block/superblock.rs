//! Superblocks: the type, the UUID and the label of what is on a device.
//!
//! The places come from the formats' own descriptions: linux/Documentation/filesystems/ext4, Microsoft's FAT
//! specification, ECMA-119, mkswap(8), XFS's disk format, btrfs's on-disk format.

use super::{push_hex, read_at, uuid_text};
use crate::callback;
use crate::sys::OwnedFd;

/// What is on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The type's name as mount(8) takes it; `swap` for swap space.
    pub kind: &'static str,
    /// The UUID, or what is in its place, as text; empty where there is none.
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
    let formats: [fn(&mut Read<'_>) -> Option<Content>; 7] = [xfs, squashfs, ext, swap, btrfs, iso9660, fat];
    formats.into_iter().find_map(|format| format(&mut read))
}

fn content(kind: &'static str, uuid: Vec<u8>, label: &[u8]) -> Option<Content> {
    let end = label.iter().position(|&byte| byte == 0).unwrap_or(label.len());
    Some(Content { kind, uuid, label: label[..end].trim_ascii_end().to_vec() })
}

fn xfs(read: &mut Read<'_>) -> Option<Content> {
    let block = read.call((0, 512))?;
    if !block.starts_with(b"XFSB") {
        return None;
    }
    content("xfs", uuid_text(&block[32..48]), &block[108..120])
}

fn squashfs(read: &mut Read<'_>) -> Option<Content> {
    if !read.call((0, 512))?.starts_with(b"hsqs") {
        return None;
    }
    content("squashfs", Vec::new(), b"")
}

fn ext(read: &mut Read<'_>) -> Option<Content> {
    let block = read.call((1024, 1024))?;
    let number = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
    if block[56..58] != [0x53, 0xef] {
        return None;
    }
    let (compatible, incompatible, read_only) = (number(92), number(96), number(100));
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
    let mut uuid = Vec::new();
    for (at, byte) in sector[start..start + 4].iter().rev().enumerate() {
        if at == 2 {
            uuid.push(b'-');
        }
        push_hex(&mut uuid, *byte, b"0123456789ABCDEF");
    }
    let label = &sector[start + 4..start + 15];
    content("vfat", uuid, if label == b"NO NAME    " { b"" } else { label })
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
