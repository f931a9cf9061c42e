//! GRUB for BIOS: boot.img in the first sector, core.img in the gap before the partition, without grub-install.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::mbr::{self, SECTOR};
use crate::tools;

/// The paths of the boot sector in distributions; its directory has the modules.
pub const BOOT_IMAGES: &[&str] =
    &["/usr/lib/grub/i386-pc/boot.img", "/usr/share/grub2/i386-pc/boot.img", "/usr/share/grub/i386-pc/boot.img"];

/// The modules of the core image; GRUB loads nothing from the disk later.
const MODULES: &[&str] = &[
    "biosdisk",
    "part_msdos",
    "ext2",
    "normal",
    "linux",
    "configfile",
    "echo",
    "test",
    "serial",
    "terminal",
    "ls",
    "cat",
    "halt",
    "reboot",
    "search",
    "search_fs_uuid",
    "search_label",
    "minicmd",
];

/// The drive is left empty: GRUB takes the one that the firmware booted from.
const PREFIX: &str = "(,msdos1)/boot/grub";

/// The configuration: serial and screen at once, one entry, no waiting.
pub fn configuration(title: &str, command_line: &str) -> String {
    format!(
        "serial --unit=0 --speed=115200\n\
         terminal_input console serial\n\
         terminal_output console serial\n\
         set timeout=0\n\
         menuentry \"{title}\" {{\n\
         \x20   linux /boot/bzImage {command_line}\n\
         }}\n"
    )
}

/// Writes boot sector, partition table and core image to the disk.
pub fn install(disk: &File, signature: u32, sectors: u32) -> Result<()> {
    tools::require(&[tools::GRUB])?;
    let boot_image = BOOT_IMAGES.iter().map(Path::new).find(|path| path.exists()).context("boot.img went away")?;
    let bytes = fs::read(boot_image).with_context(|| boot_image.display().to_string())?;
    let mut sector: [u8; 512] =
        bytes.try_into().map_err(|_| anyhow::anyhow!("{}: not 512 bytes", boot_image.display()))?;
    patch_boot_sector(&mut sector)?;
    mbr::write(&mut sector, signature, sectors);
    let core = core_image(boot_image.parent().unwrap_or(Path::new("/")))?;
    disk.write_all_at(&sector, 0)?;
    disk.write_all_at(&core, SECTOR)?;
    Ok(())
}

/// Patches boot.img for a hard disk.
fn patch_boot_sector(sector: &mut [u8; 512]) -> Result<()> {
    // The sector to load next, and the drive to load it from: 0xff stands for the one in DL.
    sector[0x5c..0x64].copy_from_slice(&1u64.to_le_bytes());
    sector[0x64] = 0xff;
    // On a hard disk the check of DL must run, because some firmware passes no drive: two no-ops replace the jump over it.
    ensure!(
        [[0xeb, 0x05], [0x90, 0x90]].contains(&[sector[0x66], sector[0x67]]),
        "boot.img is not one that this program knows"
    );
    sector[0x66..0x68].copy_from_slice(&[0x90, 0x90]);
    Ok(())
}

/// Links the core image. Fails if grub-mkimage does.
fn core_image(modules: &Path) -> Result<Vec<u8>> {
    let output = std::env::temp_dir().join(format!("rbox-core.{}.img", std::process::id()));
    let run = Command::new("grub-mkimage")
        .args(["-O", "i386-pc", "-p", PREFIX, "-d"])
        .arg(modules)
        .arg("-o")
        .arg(&output)
        .args(MODULES)
        .output()
        .context("grub-mkimage")?;
    let core = fs::read(&output).with_context(|| output.display().to_string());
    // There is no file if grub-mkimage failed, and that error is reported next.
    let _ = fs::remove_file(&output);
    ensure!(run.status.success(), "grub-mkimage: {}", String::from_utf8_lossy(&run.stderr).trim());
    pad_core(core?)
}

/// Pads the image to whole sectors and writes the position of the rest into its first sector.
fn pad_core(mut core: Vec<u8>) -> Result<Vec<u8>> {
    core.resize(core.len().next_multiple_of(SECTOR as usize), 0);
    let sectors = core.len() / SECTOR as usize;
    ensure!(
        (2..mbr::FIRST as usize).contains(&sectors),
        "GRUB's core image has {sectors} sectors; the gap before the partition has {}",
        mbr::FIRST - 1
    );
    // diskboot.img: start (8 bytes), sectors (2), segment to load to (2).
    core[0x1f4..0x1fc].copy_from_slice(&2u64.to_le_bytes());
    core[0x1fc..0x1fe].copy_from_slice(&(sectors as u16 - 1).to_le_bytes());
    core[0x1fe..0x200].copy_from_slice(&0x0820u16.to_le_bytes());
    Ok(core)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_sector_checks_its_drive() {
        let mut sector = [0; 512];
        assert!(patch_boot_sector(&mut sector).is_err());
        sector[0x66..0x68].copy_from_slice(&[0xeb, 0x05]);
        patch_boot_sector(&mut sector).unwrap();
        assert_eq!(sector[0x5c..0x68], [1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0x90, 0x90]);
    }

    #[test]
    fn the_core_image_says_where_its_rest_lies() {
        let core = pad_core(vec![0xaa; 5 * 512 + 1]).unwrap();
        assert_eq!(core.len(), 6 * 512);
        assert_eq!(core[0x1f4..0x200], [2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0x20, 0x08]);
        assert!(pad_core(vec![0; 2048 * 512]).is_err());
        assert!(pad_core(vec![0; 100]).is_err());
    }
}
