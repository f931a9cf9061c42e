//! What a drive says of itself: the 256 words of IDENTIFY DEVICE (ATA/ATAPI-8 ACS, 7.16).

use rbox_core::push;
use rbox_core::text::Right;

/// A word of the identity, which is little-endian.
pub fn word(identity: &[u8; 512], index: usize) -> u16 {
    u16::from_le_bytes([identity[2 * index], identity[2 * index + 1]])
}

fn long(identity: &[u8; 512], index: usize, words: usize) -> u64 {
    (0..words).rev().fold(0, |value, at| value << 16 | u64::from(word(identity, index + at)))
}

/// The characters of words, the first of each in its upper byte.
fn characters(identity: &[u8; 512], words: core::ops::Range<usize>) -> Vec<u8> {
    printable(words.flat_map(|index| word(identity, index).to_be_bytes()))
}

/// The characters of words as the kernel keeps them, in their order.
fn kept_characters(identity: &[u8; 512], words: core::ops::Range<usize>) -> Vec<u8> {
    printable(identity[2 * words.start..2 * words.end].iter().copied())
}

fn printable(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let text: Vec<u8> = bytes.filter(|byte| matches!(byte, b' '..=b'~')).collect();
    text.trim_ascii().to_vec()
}

/// The sectors that can be addressed.
fn sectors(identity: &[u8; 512]) -> u64 {
    let has_48_bits = word(identity, 83) & 0xc400 == 0x4400;
    if has_48_bits && long(identity, 100, 4) > 0 { long(identity, 100, 4) } else { long(identity, 60, 2) }
}

/// The names of the modes whose bits are set, a `*` before the one in use.
fn push_modes(kind: &str, supported: u16, used: u16, text: &mut Vec<u8>) {
    for mode in 0..8u8 {
        if supported >> mode & 1 != 0 {
            push!(*text, if used >> mode & 1 == 0 { " " } else { " *" }, kind, mode);
        }
    }
}

/// What -i prints.
pub fn push_short(identity: &[u8; 512], text: &mut Vec<u8>) {
    let value = |index| word(identity, index);
    push!(*text, "\n Model=", kept_characters(identity, 27..47), ", FwRev=", kept_characters(identity, 23..27));
    push!(*text, ", SerialNo=", kept_characters(identity, 10..20), "\n Config={");
    push!(
        *text,
        if value(0) & 0x80 == 0 { "" } else { " Removable" },
        if value(0) & 0x40 == 0 { "" } else { " Fixed" }
    );
    push!(*text, " }\n RawCHS=", value(1), "/", value(3), "/", value(6), ", TrkSize=", value(4));
    push!(*text, ", SectSize=", value(5), ", ECCbytes=", value(22), "\n BuffType=");
    let buffer = match value(20) {
        1 => "1Sect",
        2 => "DualPort",
        3 => "DualPortCache",
        _ => "unknown",
    };
    push!(*text, buffer, ", BuffSize=");
    match value(21) {
        0 | 0xffff => push!(*text, "unknown"),
        blocks => push!(*text, blocks / 2, "kB"),
    }
    push!(*text, ", MaxMultSect=", value(47) & 0xff, ", MultSect=");
    match value(59) {
        set if set & 0x100 != 0 && set & 0xff != 0 => push!(*text, set & 0xff),
        _ => push!(*text, "off"),
    }
    push!(*text, "\n CurCHS=", value(54), "/", value(55), "/", value(56), ", CurSects=", long(identity, 57, 2));
    push!(*text, ", LBA=", if value(49) & 0x200 == 0 { "no" } else { "yes" }, ", LBAsects=", sectors(identity), "\n");
    push!(
        *text,
        " IORDY=",
        match value(49) >> 10 & 3 {
            0 => "no",
            1 | 3 => "on/off",
            _ => "yes",
        }
    );
    if value(53) & 2 != 0 {
        push!(
            *text,
            ", tPIO={min:",
            value(67),
            ",w/IORDY:",
            value(68),
            "}, tDMA={min:",
            value(65),
            ",rec:",
            value(66),
            "}"
        );
    }
    push!(*text, "\n PIO modes:  pio0 pio1 pio2");
    push_modes("pio", (value(64) & 3) << 3, 0, text);
    push!(*text, "\n DMA modes: ");
    push_modes("mdma", value(63) & 7, value(63) >> 8, text);
    if value(53) & 4 != 0 {
        push!(*text, "\n UDMA modes:");
        push_modes("udma", value(88) & 0x7f, value(88) >> 8, text);
    }
    let power = if value(83) & 8 == 0 { "no" } else { "yes" };
    push!(*text, "\n AdvancedPM=", power);
    if value(82) & 0x20 != 0 {
        push!(*text, " WriteCache=", if value(85) & 0x20 == 0 { "disabled" } else { "enabled" });
    }
    push!(*text, "\n Drive conforms to: ");
    push_standards(value(80), text);
    push!(*text, "\n\n * signifies the current active mode\n\n");
}

/// The versions of ATA/ATAPI whose bits are set in word 80.
fn push_standards(versions: u16, text: &mut Vec<u8>) {
    let mut any = false;
    if versions != 0xffff {
        for version in (1..15u8).filter(|version| versions >> version & 1 != 0) {
            push!(*text, if any { "," } else { "ATA/ATAPI-" }, version);
            any = true;
        }
    }
    if !any {
        push!(*text, "unspecified");
    }
}

/// The features of words 82 to 84 by their bits: those supported, and those enabled in words 85 to 87. A `#` is before
/// the next word.
const FEATURES: &str = "SMART feature set\nSecurity Mode feature set\nRemovable Media feature set\n\
    Power Management feature set\nPacket command set\nWrite cache\nLook-ahead\nRelease interrupt\nSERVICE interrupt\n\
    DEVICE_RESET command\nHost Protected Area feature set\n\nWRITE_BUFFER command\nREAD_BUFFER command\nNOP cmd\n\n\
    DOWNLOAD_MICROCODE\nREAD/WRITE_DMA_QUEUED\nCFA feature set\nAdvanced Power Management feature set\n\
    Removable Media Status Notification feature set\nPower-Up In Standby feature set\nSET_FEATURES required to spinup after power up\n\
    Address Offset Reserved Area Boot\nSET_MAX security extension\nAutomatic Acoustic Management feature set\n\
    48-bit Address feature set\nDevice Configuration Overlay feature set\nMandatory FLUSH_CACHE\nFLUSH_CACHE_EXT\n\n\n\
    SMART error logging\nSMART self-test\nMedia serial number\nMedia Card Pass-Through\nStreaming feature set\n\
    General Purpose Logging feature set\nWRITE_{DMA|MULTIPLE}_FUA_EXT\nWRITE_DMA_QUEUED_FUA_EXT\n64-bit World wide name";

/// What -I prints.
pub fn push_long(identity: &[u8; 512], text: &mut Vec<u8>) {
    let value = |index| word(identity, index);
    let packet = value(0) & 0xc000 == 0x8000;
    push!(*text, "\n", if packet { "ATAPI CD-ROM, with " } else { "ATA device, with " });
    push!(*text, if value(0) & 0x80 == 0 { "non-removable" } else { "removable" }, " media\n");
    push!(*text, "\tModel Number:       ", characters(identity, 27..47), "\n");
    push!(*text, "\tSerial Number:      ", characters(identity, 10..20), "\n");
    push!(*text, "\tFirmware Revision:  ", characters(identity, 23..27), "\n");
    push!(*text, "Standards:\n\tSupported: ");
    push_standards(value(80), text);
    push!(*text, "\nConfiguration:\n");
    if !packet {
        push_sizes(identity, text);
    }
    push!(*text, "Capabilities:\n\tLBA, IORDY");
    push!(*text, if value(49) & 0x800 == 0 { "(may be)(cannot be disabled)\n" } else { "(can be disabled)\n" });
    if value(83) & 2 != 0 || value(76) & 0x100 != 0 {
        push!(*text, "\tQueue depth: ", (value(75) & 0x1f) + 1, "\n");
    }
    push!(*text, "\tR/W multiple sector transfer: Max = ", value(47) & 0xff, "\tCurrent = ");
    if value(59) & 0x100 == 0 {
        push!(*text, "?\n")
    } else {
        push!(*text, value(59) & 0xff, "\n")
    }
    push!(*text, "\tDMA: ");
    push_modes("mdma", value(63) & 7, value(63) >> 8, text);
    push_modes("udma", value(88) & 0x7f, value(88) >> 8, text);
    push!(*text, "\n\tPIO:  pio0 pio1 pio2");
    push_modes("pio", (value(64) & 3) << 3, 0, text);
    push!(*text, "\nCommands/features:\n\tEnabled\tSupported:\n");
    for (bit, name) in FEATURES.split('\n').enumerate() {
        let (index, bit) = (bit / 16, bit % 16);
        if !name.is_empty() && value(82 + index) >> bit & 1 != 0 {
            push!(*text, if value(85 + index) >> bit & 1 == 0 { "\t    \t" } else { "\t   *\t" }, name, "\n");
        }
    }
    if value(128) & 1 != 0 {
        push!(*text, "Security:\n");
        for (bit, name) in "enabled\nlocked\nfrozen\nexpired: security count".split('\n').enumerate() {
            push!(*text, if value(128) >> (bit + 1) & 1 == 0 { "\tnot\t" } else { "\t\t" }, name, "\n");
        }
    }
}

/// The geometry, the sectors and the bytes.
fn push_sizes(identity: &[u8; 512], text: &mut Vec<u8>) {
    let value = |index| word(identity, index);
    push!(*text, "\tLogical\t\tmax\tcurrent\n");
    push!(*text, "\tcylinders\t", value(1), "\t", value(54), "\n\theads\t\t", value(3), "\t", value(55), "\n");
    push!(
        *text,
        "\tsectors/track\t",
        value(6),
        "\t",
        value(56),
        "\n\t--\n\tLBA    user addressable sectors:  ",
        Right(long(identity, 60, 2), 11, b' '),
        "\n"
    );
    if value(83) & 0xc400 == 0x4400 {
        push!(*text, "\tLBA48  user addressable sectors:  ", Right(long(identity, 100, 4), 11, b' '), "\n");
    }
    let (mut logical, mut physical) = (512, 512);
    // Word 106 says how large sectors are, when its upper two bits are 01.
    if value(106) & 0xc000 == 0x4000 {
        if value(106) & 0x1000 != 0 {
            logical = 2 * long(identity, 117, 2);
        }
        physical = logical.saturating_mul(1 << if value(106) & 0x2000 == 0 { 0 } else { value(106) & 15 });
    }
    let bytes = sectors(identity).saturating_mul(logical);
    push!(*text, "\tLogical  Sector size:  ", Right(logical, 18, b' '), " bytes\n");
    push!(*text, "\tPhysical Sector size:  ", Right(physical, 18, b' '), " bytes\n");
    push!(*text, "\tdevice size with M = 1024*1024: ", Right(bytes >> 20, 11, b' '), " MBytes\n");
    push!(*text, "\tdevice size with M = 1000*1000: ", Right(bytes / 1_000_000, 11, b' '), " MBytes\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drive of 1,000,000 sectors with 48-bit addresses.
    fn drive() -> [u8; 512] {
        let mut words = [0u16; 256];
        (words[0], words[49], words[53], words[83], words[100]) = (0x40, 0x200, 7, 0x4400, 0x4240);
        (words[101], words[80], words[88], words[63]) = (0xf, 0xf0, 0x203f, 7);
        (words[27], words[28]) = (u16::from_be_bytes(*b"QE"), u16::from_be_bytes(*b"MU"));
        let mut bytes = [0; 512];
        for (index, word) in words.iter().enumerate() {
            bytes[2 * index..2 * index + 2].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn words_become_lines() {
        let mut text = Vec::new();
        push_short(&drive(), &mut text);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(" Model=EQUM, FwRev=, SerialNo=\n"), "{text}");
        assert!(text.contains("LBAsects=1000000\n"), "{text}");
        assert!(text.contains("UDMA modes: udma0 udma1 udma2 udma3 udma4 *udma5\n"), "{text}");
        assert!(text.contains("Drive conforms to: ATA/ATAPI-4,5,6,7\n"), "{text}");
    }

    #[test]
    fn sizes_are_of_the_sectors_that_the_drive_has() {
        let mut text = Vec::new();
        push_long(&drive(), &mut text);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("LBA48  user addressable sectors:      1000000\n"), "{text}");
        assert!(text.contains("M = 1000*1000:         512 MBytes\n"), "{text}");
        // All bits set do not overflow.
        push_long(&[0xff; 512], &mut Vec::new());
        push_short(&[0xff; 512], &mut Vec::new());
    }
}
