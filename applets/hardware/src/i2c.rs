//! What the i2c applets share: buses by number, name or path, addresses, and transactions with errors
//! (the kernel's Documentation/i2c/dev-interface).

use rbox_core::bytes::join_path;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::i2c::{self, Data, Transaction};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fs};
use rbox_core::text;
use rbox_core::text::{Hex, Right};

/// The directory of the buses.
pub const DEVICES: &[u8] = b"/sys/bus/i2c/devices";

/// A bus that is open.
pub struct Bus {
    fd: OwnedFd,
    pub path: Vec<u8>,
}

/// What an adapter can do: I2C_FUNC_*.
pub const I2C: u64 = 1;
pub const READ_BYTE: u64 = 0x20000;
pub const QUICK: u64 = 0x10000;

impl Bus {
    /// The bus of a number, a path, or the name of its adapter.
    pub fn open(word: &[u8]) -> Result<Self> {
        let path = match word {
            [b'/', ..] => word.to_vec(),
            [first, ..] if first.is_ascii_digit() => text!("/dev/i2c-", number(word, 0, 0xfffff)?),
            _ => text!("/dev/", named(word)?),
        };
        let fd = fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        let fd = fd.map_err(|errno| Error::cannot("open", &path, errno))?;
        Ok(Self { fd, path })
    }

    /// `#N` for /dev/i2c-N, else the path.
    pub fn name(&self) -> Vec<u8> {
        self.path.strip_prefix(b"/dev/i2c-").map_or_else(|| self.path.clone(), |number| text!("#", number))
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub fn functions(&self) -> Result<u64> {
        i2c::functions(self.fd()).map_err(|errno| Error::on(&self.path, errno))
    }

    /// Lets the next transactions be for a chip; `checked` puts checksums after them.
    pub fn choose(&self, address: u16, force: bool, checked: bool) -> Result<()> {
        let chosen = i2c::set_address(self.fd(), address, force);
        let chosen = chosen.and_then(|()| if checked { i2c::set_packet_checking(self.fd()) } else { Ok(()) });
        chosen.map_err(|errno| self.error(address.into(), errno))
    }

    /// Reads a byte, a word, or a block, by the kind of transaction.
    pub fn read(&self, command: u8, kind: Transaction, count: u8) -> core::result::Result<Vec<u8>, Errno> {
        let mut data: Data = [0; 34];
        data[0] = count;
        i2c::transact(self.fd(), false, command, kind, &mut data)?;
        Ok(match kind {
            Transaction::Quick => Vec::new(),
            Transaction::Byte | Transaction::ByteData => vec![data[0]],
            Transaction::WordData => u16::from_ne_bytes([data[0], data[1]]).to_le_bytes().to_vec(),
            Transaction::Block | Transaction::I2cBlock => data[1..=usize::from(data[0]).min(32)].to_vec(),
        })
    }

    /// Writes a byte, a word with its lower byte first, or a block of at most 32 bytes.
    pub fn write(&self, command: u8, kind: Transaction, bytes: &[u8]) -> core::result::Result<(), Errno> {
        let mut data: Data = [0; 34];
        match (kind, bytes) {
            (Transaction::WordData, [low, high]) => {
                data[..2].copy_from_slice(&u16::from_le_bytes([*low, *high]).to_ne_bytes());
            }
            (Transaction::Block | Transaction::I2cBlock, _) => {
                data[0] = bytes.len() as u8;
                data[1..=bytes.len()].copy_from_slice(bytes);
            }
            _ => data[..bytes.len()].copy_from_slice(bytes),
        }
        i2c::transact(self.fd(), true, command, kind, &mut data)
    }

    /// The error for a chip.
    pub fn error(&self, address: u64, errno: Errno) -> Error {
        Error::on(text!(&self.path, ": 0x", Right(Hex(address), 2, b'0')), errno)
    }
}

/// The device name of the bus whose adapter has this name.
fn named(word: &[u8]) -> Result<Vec<u8>> {
    for device in crate::sysfs::devices(DEVICES)? {
        if device.name.starts_with(b"i2c-") && device.attribute("name") == word {
            return Ok(device.name);
        }
    }
    Err(Error::parts(&[b"no bus '", word, b"'"]))
}

/// A number as C writes it, in a range.
pub fn number(word: &[u8], low: u64, high: u64) -> Result<u64> {
    let value = parse_c(word).ok_or_else(|| invalid(word))? as u64;
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    let range = text!(" is not in 0x", Right(Hex(low), 2, b'0'), "..0x", Hex(high), " range");
    Err(Error::parts(&[b"number ", word, &range]))
}

/// A chip's address, of those that are not reserved; `all` takes those too.
pub fn address(word: &[u8], all: bool) -> Result<u16> {
    let (low, high) = if all { (0, 0x7f) } else { (3, 0x77) };
    number(word, low, high).map(|address| address as u16)
}

/// Asks before something that can confuse a bus or destroy what a chip holds, unless `-y` was given.
pub fn confirm(env: &mut Env, certain: bool, what: &[u8]) -> Result<()> {
    if certain || env.ask(&text!("this can confuse the bus and destroy data: ", what, "; continue? (y/N)"))? {
        return Ok(());
    }
    Err(Error::new("aborted"))
}

/// The kind of the adapter of a bus, and how its data are moved.
pub fn adapter(name: &[u8]) -> (&'static str, &'static str) {
    let device = join_path(b"/dev", name);
    match Bus::open(&device).and_then(|bus| bus.functions()) {
        Ok(functions) if functions & I2C != 0 => ("i2c", "I2C adapter"),
        Ok(functions) if functions & (READ_BYTE | QUICK | 0x80000 | 0x20_0000) != 0 => ("smbus", "SMBus adapter"),
        Ok(_) => ("dummy", "Dummy bus"),
        Err(_) => ("unknown", "N/A"),
    }
}

/// A mode without the `p` after it, which asks for checksums, and whether it was there.
pub fn without_checksums(mode: &[u8]) -> (&[u8], bool) {
    mode.strip_suffix(b"p").map_or((mode, false), |mode| (mode, true))
}

/// A two-digit number.
pub fn hex2(byte: u8) -> Right<Hex> {
    Right(Hex(byte.into()), 2, b'0')
}
