//! The master boot record: one partition and a disk signature.

/// Bytes in a sector.
pub const SECTOR: u64 = 512;
/// First sector of the partition: 1 MiB, with space for GRUB's core image before it.
pub const FIRST: u32 = 2048;

/// Writes signature and table into a boot sector; the code in it stays.
pub fn write(sector: &mut [u8; 512], signature: u32, sectors: u32) {
    sector[0x1b8..0x1bc].copy_from_slice(&signature.to_le_bytes());
    sector[0x1bc..0x1fe].fill(0);
    let entry = &mut sector[0x1be..0x1ce];
    entry[0] = 0x80; // active
    entry[1..4].copy_from_slice(&cylinder_head_sector(FIRST));
    entry[4] = 0x83; // Linux
    entry[5..8].copy_from_slice(&cylinder_head_sector(FIRST + (sectors - 1)));
    entry[8..12].copy_from_slice(&FIRST.to_le_bytes());
    entry[12..16].copy_from_slice(&sectors.to_le_bytes());
    sector[0x1fe..].copy_from_slice(&[0x55, 0xaa]);
}

/// The old address of a sector, for 255 heads and 63 sectors; FE FF FF where it cannot be written.
fn cylinder_head_sector(sector: u32) -> [u8; 3] {
    let (cylinder, rest) = (sector / (255 * 63), sector % (255 * 63));
    if cylinder > 1023 {
        return [0xfe, 0xff, 0xff];
    }
    let (head, sector) = (rest / 63, rest % 63 + 1);
    [head as u8, (sector | (cylinder >> 8) << 6) as u8, cylinder as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_bytes_that_firmware_reads() {
        let mut sector = [0x11; 512];
        write(&mut sector, 0x5242_4f58, 202_752);
        assert_eq!(sector[0x1b7], 0x11);
        assert_eq!(sector[0x1b8..0x1be], [0x58, 0x4f, 0x42, 0x52, 0, 0]);
        assert_eq!(sector[0x1be..0x1ce], [0x80, 32, 33, 0, 0x83, 190, 50, 12, 0, 8, 0, 0, 0, 0x18, 3, 0]);
        assert!(sector[0x1ce..0x1fe].iter().all(|byte| *byte == 0));
        assert_eq!(sector[0x1fe..], [0x55, 0xaa]);
    }

    #[test]
    fn a_far_sector_has_no_old_address() {
        assert_eq!(cylinder_head_sector(0), [0, 1, 0]);
        assert_eq!(cylinder_head_sector(1024 * 255 * 63), [0xfe, 0xff, 0xff]);
        assert_eq!(cylinder_head_sector(1024 * 255 * 63 - 1), [254, 0xff, 0xff]);
    }
}
