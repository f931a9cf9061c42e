//! ATA disks: what their driver keeps, and commands to them (linux/hdreg.h).

use super::{AsRawFd, BorrowedFd, Errno, result};

const HDIO_GETGEO: u64 = 0x301;
const HDIO_GET_IDENTITY: u64 = 0x30d;
const HDIO_DRIVE_CMD: u64 = 0x31f;

/// A setting of the driver: the numbers of the requests that get it and set it, 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Whether other interrupts are let through.
    UnmaskInterrupts,
    /// Sectors that are moved by one interrupt.
    MultipleCount,
    /// Whether settings are kept over a reset.
    KeepSettings,
    /// 32-bit transfers: 0 none, 1 without, 3 with a synchronisation.
    Wide,
    /// Whether write errors are ignored.
    IgnoreWriteErrors,
    /// Whether DMA is used.
    Dma,
    /// The bus: 0 off, 1 on, 2 tristate.
    Bus,
    /// The PIO mode; it cannot be asked for.
    PioMode,
    /// The drive is reset; no value.
    Reset,
    /// The interface is made tristate.
    Tristate,
}

impl Setting {
    const fn requests(self) -> (u64, u64) {
        match self {
            Self::UnmaskInterrupts => (0x302, 0x322),
            Self::MultipleCount => (0x304, 0x321),
            Self::KeepSettings => (0x308, 0x323),
            Self::Wide => (0x309, 0x324),
            Self::IgnoreWriteErrors => (0x30a, 0x325),
            Self::Dma => (0x30b, 0x326),
            Self::Bus => (0x31a, 0x32d),
            Self::PioMode => (0, 0x327),
            Self::Reset => (0, 0x31c),
            Self::Tristate => (0, 0x31b),
        }
    }
}

/// Asks for a setting; EINVAL for one that cannot be asked for.
pub fn get(disk: BorrowedFd<'_>, setting: Setting) -> Result<u64, Errno> {
    let (request, _) = setting.requests();
    if request == 0 {
        return Err(Errno::INVAL);
    }
    let mut value: libc::c_ulong = 0;
    // SAFETY: the kernel writes one long, which lives for the call.
    result(unsafe { libc::ioctl(disk.as_raw_fd(), request as _, &raw mut value) })?;
    Ok(value as _)
}

/// Changes a setting.
pub fn set(disk: BorrowedFd<'_>, setting: Setting, value: u32) -> Result<(), Errno> {
    let (_, request) = setting.requests();
    // SAFETY: the call takes a number.
    result(unsafe { libc::ioctl(disk.as_raw_fd(), request as _, libc::c_ulong::from(value)) })
}

/// Cylinders, heads, sectors of a track, and the sector at which the partition begins.
pub fn geometry(disk: BorrowedFd<'_>) -> Result<(u16, u8, u8, u64), Errno> {
    /// struct hd_geometry.
    #[repr(C)]
    #[derive(Default)]
    struct Geometry {
        heads: u8,
        sectors: u8,
        cylinders: u16,
        start: libc::c_ulong,
    }
    let mut answer = Geometry::default();
    // SAFETY: the kernel writes one hd_geometry, which lives for the call.
    result(unsafe { libc::ioctl(disk.as_raw_fd(), HDIO_GETGEO as _, &raw mut answer) })?;
    Ok((answer.cylinders, answer.heads, answer.sectors, answer.start as _))
}

/// The 512 bytes by which a drive describes itself, as the kernel read them.
pub fn identity(disk: BorrowedFd<'_>) -> Result<[u8; 512], Errno> {
    let mut words = [0; 512];
    // SAFETY: the kernel writes 512 bytes, which live for the call.
    result(unsafe { libc::ioctl(disk.as_raw_fd(), HDIO_GET_IDENTITY as _, words.as_mut_ptr()) })?;
    Ok(words)
}

/// A command to a drive and its registers before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Command {
    /// The command.
    pub command: u8,
    /// The features register.
    pub feature: u8,
    /// The count register.
    pub count: u8,
}

/// Sends a command that moves no data. Returns the count register after it.
pub fn command(disk: BorrowedFd<'_>, command: Command) -> Result<u8, Errno> {
    let mut registers = [command.command, command.count, command.feature, 0];
    // SAFETY: the kernel reads and writes four bytes, as the last one, 0 sectors, says; they live for the call.
    result(unsafe { libc::ioctl(disk.as_raw_fd(), HDIO_DRIVE_CMD as _, registers.as_mut_ptr()) })?;
    Ok(registers[2])
}

/// Sends a command that answers with one sector.
pub fn read_command(disk: BorrowedFd<'_>, command: u8) -> Result<[u8; 512], Errno> {
    let mut buffer = [0u8; 516];
    (buffer[0], buffer[3]) = (command, 1);
    // SAFETY: the kernel writes four bytes and one sector, as the last of the four says; they live for the call.
    result(unsafe { libc::ioctl(disk.as_raw_fd(), HDIO_DRIVE_CMD as _, buffer.as_mut_ptr()) })?;
    let mut sector = [0; 512];
    sector.copy_from_slice(&buffer[4..]);
    Ok(sector)
}
