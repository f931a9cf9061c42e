//! The I2C bus: SMBus transactions and whole transfers (linux/i2c-dev.h, linux/i2c.h).

use super::{AsRawFd, BorrowedFd, Errno, result};

const I2C_SLAVE: u64 = 0x703;
const I2C_FUNCS: u64 = 0x705;
const I2C_SLAVE_FORCE: u64 = 0x706;
const I2C_RDWR: u64 = 0x707;
const I2C_PEC: u64 = 0x708;
const I2C_SMBUS: u64 = 0x720;
const I2C_M_RD: u16 = 1;

/// What the data of a transaction are: the sizes of linux/i2c.h.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Transaction {
    /// The direction bit alone.
    Quick = 0,
    /// A byte without a register: what is written is the command.
    Byte = 1,
    /// A byte of a register.
    ByteData = 2,
    /// Two bytes of a register, the lower one first.
    WordData = 3,
    /// A count and as many bytes.
    Block = 5,
    /// As many bytes as the first byte of the data says, which does not go over the bus.
    I2cBlock = 8,
}

/// union i2c_smbus_data: a byte, a word in the machine's byte order, or a count and up to 32 bytes.
pub type Data = [u8; 34];

/// Sets the address of the chip that the next transactions are for; `force` takes one that a driver has.
pub fn set_address(bus: BorrowedFd<'_>, address: u16, force: bool) -> Result<(), Errno> {
    let request = if force { I2C_SLAVE_FORCE } else { I2C_SLAVE };
    // SAFETY: the call takes a number.
    result(unsafe { libc::ioctl(bus.as_raw_fd(), request as _, libc::c_ulong::from(address)) })
}

/// Puts a checksum after each transaction.
pub fn set_packet_checking(bus: BorrowedFd<'_>) -> Result<(), Errno> {
    let on: libc::c_ulong = 1;
    // SAFETY: the call takes a number.
    result(unsafe { libc::ioctl(bus.as_raw_fd(), I2C_PEC as _, on) })
}

/// What the bus's adapter can do: the bits I2C_FUNC_*.
pub fn functions(bus: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut functions: libc::c_ulong = 0;
    // SAFETY: the kernel writes one unsigned long, which lives for the call.
    result(unsafe { libc::ioctl(bus.as_raw_fd(), I2C_FUNCS as _, &raw mut functions) })?;
    Ok(functions as _)
}

/// Performs a transaction with the chip whose address is set.
pub fn transact(
    bus: BorrowedFd<'_>,
    write: bool,
    command: u8,
    transaction: Transaction,
    data: &mut Data,
) -> Result<(), Errno> {
    /// struct i2c_smbus_ioctl_data.
    #[repr(C)]
    struct Request {
        read_write: u8,
        command: u8,
        size: u32,
        data: *mut Data,
    }
    /// The union, aligned as its word.
    #[repr(C, align(2))]
    struct Aligned(Data);

    let mut aligned = Aligned(*data);
    let request = Request {
        read_write: u8::from(!write),
        command,
        size: transaction as u32,
        data: if transaction == Transaction::Quick { core::ptr::null_mut() } else { &raw mut aligned.0 },
    };
    // SAFETY: the kernel reads the request and reads or writes its data, a whole i2c_smbus_data, or none.
    result(unsafe { libc::ioctl(bus.as_raw_fd(), I2C_SMBUS as _, &raw const request) })?;
    *data = aligned.0;
    Ok(())
}

/// One part of a transfer: bytes to write, or space for those read.
pub struct Message {
    /// The chip.
    pub address: u16,
    /// Whether `data` is to be filled.
    pub read: bool,
    /// At most 65,535 bytes.
    pub data: Vec<u8>,
}

/// Performs a transfer of several messages, without a stop between them.
pub fn transfer(bus: BorrowedFd<'_>, messages: &mut [Message]) -> Result<(), Errno> {
    /// struct i2c_msg.
    #[repr(C)]
    struct Part {
        address: u16,
        flags: u16,
        length: u16,
        data: *mut u8,
    }
    /// struct i2c_rdwr_ioctl_data.
    #[repr(C)]
    struct Request {
        messages: *mut Part,
        count: u32,
    }
    let mut parts = Vec::with_capacity(messages.len());
    for message in messages.iter_mut() {
        parts.push(Part {
            address: message.address,
            flags: if message.read { I2C_M_RD } else { 0 },
            length: u16::try_from(message.data.len()).map_err(|_| Errno::INVAL)?,
            data: message.data.as_mut_ptr(),
        });
    }
    let request = Request { messages: parts.as_mut_ptr(), count: parts.len() as u32 };
    // SAFETY: the kernel reads the parts and reads or writes as many bytes of each as it says, which are there.
    result(unsafe { libc::ioctl(bus.as_raw_fd(), I2C_RDWR as _, &raw const request) })
}
