//! Types of partitions: bytes of the master boot record, and GUIDs.

use rbox_core::block::{gpt::guid_text, parse_uuid};
use rbox_core::names;
use rbox_core::names::Names;

/// The types of the master boot record.
pub const DOS: Names = names! {
    "Empty" = 0, "FAT12" = 1, "FAT16 <32M" = 4, "Extended" = 5, "FAT16" = 6, "HPFS/NTFS" = 7, "OS/2 Boot Manager" = 0xa,
    "Win95 FAT32" = 0xb, "Win95 FAT32 (LBA)" = 0xc, "Win95 FAT16 (LBA)" = 0xe, "Win95 Ext'd (LBA)" = 0xf,
    "Hidden FAT12" = 0x11, "Compaq diagnostics" = 0x12, "Hidden FAT16 <32M" = 0x14, "Hidden FAT16" = 0x16,
    "Hidden HPFS/NTFS" = 0x17, "Hidden Win95 FAT32" = 0x1b, "Hidden W95 FAT32 (LBA)" = 0x1c,
    "Hidden W95 FAT16 (LBA)" = 0x1e, "Windows recovery" = 0x27, "Part.Magic recovery" = 0x3c, "PPC PReP Boot" = 0x41,
    "SFS" = 0x42, "GNU HURD or SysV" = 0x63, "Old Minix" = 0x80, "Minix / old Linux" = 0x81, "Linux swap" = 0x82,
    "Linux" = 0x83, "OS/2 hidden C: drive" = 0x84, "Linux extended" = 0x85, "NTFS volume set" = 0x86,
    "NTFS volume set" = 0x87, "Linux plaintext" = 0x88, "Linux LVM" = 0x8e, "BSD/OS" = 0x9f,
    "Thinkpad hibernation" = 0xa0, "FreeBSD" = 0xa5, "OpenBSD" = 0xa6, "Darwin UFS" = 0xa8, "NetBSD" = 0xa9,
    "Darwin boot" = 0xab, "HFS / HFS+" = 0xaf, "BSDI fs" = 0xb7, "BSDI swap" = 0xb8, "Solaris boot" = 0xbe,
    "Non-FS data" = 0xda, "BeOS fs" = 0xeb, "EFI GPT" = 0xee, "EFI (FAT-12/16/32)" = 0xef,
    "Linux/PA-RISC boot" = 0xf0, "DOS secondary" = 0xf2, "VMware VMFS" = 0xfb, "VMware VMKCORE" = 0xfc,
    "Linux raid autodetect" = 0xfd,
};

/// The types of GUID tables: GUID, alias or `-`, name. They are numbered from 1.
const GPT: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B uefi EFI System
0FC63DAF-8483-4772-8E79-3D69D8477DE4 linux Linux filesystem
0657FD6D-A4AB-43C4-84E5-0933C84B4F4F swap Linux swap
933AC7E1-2EB4-4F13-B844-0E14E2AEF915 home Linux home
4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 - Linux root (x86-64)
B921B045-1DF0-41C3-AF44-4C6F280D3FAE - Linux root (ARM-64)
3B8F8425-20E0-4F3B-907F-1A25A76F98E8 - Linux server data
BC13C2FF-59E6-4262-A352-B275FD6F7172 xbootldr Linux extended boot
A19D880F-05FC-4D3B-A006-743F0F84911E raid Linux RAID
E6D6D379-F507-44C2-A23C-238F2A3DF928 lvm Linux LVM
CA7D7CCB-63ED-4C53-861C-1742536059CC - Linux LUKS
21686148-6449-6E6F-744E-656564454649 bios BIOS boot
EBD0A0A2-B9E5-4433-87C0-68B6B72699C7 - Microsoft basic data
E3C9E316-0B5C-4DB8-817D-F92DF00215AE - Microsoft reserved
DE94BBA4-06D1-4D40-A16A-BFD50179D6AC - Windows recovery
516E7CB4-6ECF-11D6-8FF8-00022D09712B - FreeBSD data
48465300-0000-11AA-AA11-00306543ECAC - Apple HFS/HFS+";

/// A row of `GPT`.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    GPT.split('\n').filter_map(|row| {
        let (guid, rest) = row.split_once(' ')?;
        let (alias, name) = rest.split_once(' ')?;
        Some((guid, alias, name))
    })
}

/// The name of a type, or its GUID.
pub fn gpt_name(guid: &[u8]) -> Vec<u8> {
    let known = rows().find(|row| row.0.as_bytes().eq_ignore_ascii_case(guid));
    known.map_or_else(|| guid.to_ascii_uppercase(), |row| row.2.as_bytes().to_vec())
}

/// The bytes of the type that is meant by a number of the list, an alias or a GUID.
pub fn gpt_type(word: &[u8]) -> Option<[u8; 16]> {
    let number = rbox_core::number::parse_decimal(word);
    let known = rows().zip(1..).find(|(row, at)| number == Some(*at) || row.1.as_bytes() == word && word != b"-");
    let text = known.map_or(word, |(row, _)| row.0.as_bytes());
    // The same bytes are swapped in both directions.
    let swapped = guid_text(&parse_uuid(text).ok()?);
    parse_uuid(&swapped).ok()
}

/// The list of types.
pub fn gpt_list() -> Vec<u8> {
    let mut lines = Vec::new();
    for ((guid, alias, name), at) in rows().zip(1u32..) {
        let alias = if alias == "-" { "" } else { alias };
        rbox_core::push!(lines, rbox_core::text::Right(at, 3, b' '), " ", rbox_core::text::Left(name, 22));
        rbox_core::push!(lines, " ", rbox_core::text::Left(alias, 9), guid, "\n");
    }
    lines
}

/// The type of the master boot record that is meant by hexadecimal digits or an alias.
pub fn dos_type(word: &[u8]) -> Option<u8> {
    let number = match word {
        b"linux" => 0x83,
        b"swap" => 0x82,
        b"extended" => 5,
        b"uefi" => 0xef,
        b"raid" => 0xfd,
        b"lvm" => 0x8e,
        _ => rbox_core::number::parse_radix(word, 16)?,
    };
    u8::try_from(number).ok()
}

/// The list of types, in three columns.
pub fn dos_list() -> Vec<u8> {
    let rows: Vec<(&str, u64)> = DOS.iter().collect();
    let height = rows.len().div_ceil(3);
    let mut lines = Vec::new();
    for line in 0..height {
        for column in 0..3 {
            if let Some((name, number)) = rows.get(column * height + line) {
                let number = rbox_core::text::Hex(*number);
                rbox_core::push!(lines, rbox_core::text::Right(number, 2, b' '), " ", rbox_core::text::Left(*name, 23));
            }
        }
        lines.truncate(lines.trim_ascii_end().len());
        lines.push(b'\n');
    }
    lines
}
