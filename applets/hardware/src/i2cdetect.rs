//! `i2cdetect`: list I2C buses, what they can do, and the chips on them.

use super::i2c::{Bus, DEVICES, I2C, QUICK, READ_BYTE, adapter, confirm, hex2, number};
use rbox_core::names;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::i2c::{Transaction, set_address};
use rbox_core::text::Left;
use rbox_core::{push, text};

options! {
    "{-l | -F BUS | [-ya] [-q|-r] BUS [FIRST LAST]}

List I2C buses, what they can do, or the chips on one.

  -l      List the buses
  -F BUS  List what BUS can do
  -y      Do not ask
  -a      Probe 0x00-0x7f, not 0x03-0x77
  -q      Probe by the SMBus command quick write
  -r      Probe by reading a byte";
    LIST = "-l",
    FUNCTIONS = "-F",
    YES = "-y",
    ALL = "-a",
    QUICK_WRITE = "-q",
    READ = "-r",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// I2C_FUNC_*.
const NAMES: names::Names = names! {
    "I2C" = I2C, "SMBus quick command" = QUICK, "SMBus send byte" = 0x40000, "SMBus receive byte" = READ_BYTE,
    "SMBus write byte" = 0x10_0000, "SMBus read byte" = 0x80000, "SMBus write word" = 0x40_0000,
    "SMBus read word" = 0x20_0000, "SMBus process call" = 0x80_0000, "SMBus block write" = 0x200_0000,
    "SMBus block read" = 0x100_0000, "SMBus block process call" = 0x8000, "SMBus PEC" = 8,
    "I2C block write" = 0x800_0000, "I2C block read" = 0x400_0000,
};

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(LIST) {
        args.operands_between(0, 0)?;
        return list(env);
    }
    if let Some(word) = args.value(FUNCTIONS) {
        args.operands_between(0, 0)?;
        return functions(env, &Bus::open(word)?);
    }
    let words = args.operands_between(1, 3)?;
    if words.len() == 2 {
        return Err(Error::usage());
    }
    let (low, high) = if args.has(ALL) { (0, 0x7f) } else { (3, 0x77) };
    let (mut first, mut last) = (low, high);
    if let [_, from, to] = words {
        (first, last) = (number(from, low, high)?, number(to, low, high)?);
        if last < first {
            return Err(Error::usage());
        }
    }
    let bus = Bus::open(words[0])?;
    let can = bus.functions()?;
    if can & (QUICK | READ_BYTE) == 0 {
        return Err(Error::on(&bus.path, Errno::OPNOTSUPP));
    }
    let what = text!("probe of ", &bus.path, " chips 0x", hex2(first as u8), "-0x", hex2(last as u8));
    confirm(env, args.has(YES), &what)?;
    let mut table = text!("     0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f\n");
    for row in (0..0x80).step_by(16) {
        push!(table, hex2(row), ": ");
        for chip in row..row + 16 {
            let probed = (first..=last).contains(&chip.into());
            // EEPROMs and clocks take a quick write for a write.
            let quick = match args.last_of(&[QUICK_WRITE, READ]) {
                Some(QUICK_WRITE) => true,
                Some(_) => false,
                _ => !matches!(chip, 0x30..=0x37 | 0x50..=0x5f) && can & QUICK != 0 || can & READ_BYTE == 0,
            };
            match probed.then(|| is_there(&bus, chip, quick)) {
                Some(Ok(true)) => push!(table, hex2(chip), " "),
                Some(Ok(false)) => push!(table, "-- "),
                Some(Err(Errno::BUSY)) => push!(table, "UU "),
                Some(Err(errno)) => return Err(bus.error(chip.into(), errno)),
                None => push!(table, "   "),
            }
        }
        table.push(b'\n');
    }
    env.stdout.write(&table)?;
    Ok(ExitStatus::SUCCESS)
}

/// Whether a chip answers. The error is that of choosing it: EBUSY for one that a driver has.
fn is_there(bus: &Bus, chip: u8, quick: bool) -> core::result::Result<bool, Errno> {
    set_address(bus.fd(), chip.into(), false)?;
    Ok(match quick {
        true => bus.write(0, Transaction::Quick, &[]).is_ok(),
        false => bus.read(0, Transaction::Byte, 0).is_ok(),
    })
}

fn list(env: &mut Env) -> Outcome {
    for device in super::sysfs::devices(DEVICES)? {
        if device.name.starts_with(b"i2c-") {
            let (kind, description) = adapter(&device.name);
            let name = device.attribute("name");
            env.stdout.write(&text!(
                &device.name,
                "\t",
                Left(kind, 10),
                "\t",
                Left(name, 32),
                "\t",
                description,
                "\n"
            ))?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn functions(env: &mut Env, bus: &Bus) -> Outcome {
    let can = bus.functions()?;
    env.stdout.write(&text!("Functionalities implemented by bus ", bus.name(), "\n"))?;
    for (name, bit) in NAMES.iter() {
        env.stdout.write(&text!(Left(name, 32), " ", if can & bit == 0 { "no" } else { "yes" }, "\n"))?;
    }
    Ok(ExitStatus::SUCCESS)
}
