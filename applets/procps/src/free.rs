//! `free`: how much memory is in use (proc(5), /proc/meminfo).

use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::processes::machine::kilobytes;
use rbox_core::processes::read_path;

options! {
    "[-bkmgh]

Print free and used memory and swap.

  -b  In bytes
  -k  In KiB
  -m  In MiB
  -g  In GiB
  -h  In the largest unit that fits";
    BYTES = "-b",
    KILO = "-k",
    MEGA = "-m",
    GIGA = "-g",
    HUMAN = "-h",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let text = read_path(b"/proc/meminfo")?;
    let get = |name: &str| kilobytes(&text, name);
    let unit = args.last_of(&[BYTES, KILO, MEGA, GIGA, HUMAN]).unwrap_or(KILO);
    let cached = get("Buffers:") + get("Cached:") + get("SReclaimable:");
    let (total, free) = (get("MemTotal:"), get("MemFree:"));
    let used = total.saturating_sub(free).saturating_sub(cached);
    let swap = [get("SwapTotal:"), get("SwapTotal:").saturating_sub(get("SwapFree:")), get("SwapFree:")];
    let header = b"              total        used        free      shared  buff/cache   available\n";
    env.stdout.write(header)?;
    print(env, b"Mem:   ", &[total, used, free, get("Shmem:"), cached, get("MemAvailable:")], unit)?;
    print(env, b"Swap:  ", &swap, unit)?;
    Ok(ExitStatus::SUCCESS)
}

fn print(env: &mut Env, label: &[u8], kilobytes: &[u64], unit: Opt) -> Result<()> {
    let mut line = label.to_vec();
    for &value in kilobytes {
        let text = in_unit(value, unit);
        line.resize(line.len() + 12usize.saturating_sub(text.len()), b' ');
        line.extend_from_slice(&text);
    }
    line.push(b'\n');
    env.stdout.write(&line)
}

fn in_unit(kilobytes: u64, unit: Opt) -> Vec<u8> {
    let number = match unit {
        BYTES => kilobytes.saturating_mul(1024),
        MEGA => (kilobytes + (1 << 9)) >> 10,
        GIGA => (kilobytes + (1 << 19)) >> 20,
        HUMAN => return human(kilobytes),
        _ => kilobytes,
    };
    Decimal::new(number).as_bytes().to_vec()
}

/// One decimal and a unit character, as `1.5G`.
fn human(kilobytes: u64) -> Vec<u8> {
    if kilobytes == 0 {
        return b"0".to_vec();
    }
    let (mut tenths, mut characters) = (u128::from(kilobytes) * 10, b"KMGTPE".iter());
    let mut character = characters.next();
    while tenths >= 10_240 {
        tenths = (tenths + 512) / 1024;
        character = characters.next();
    }
    let (whole, tenth) = ((tenths / 10) as u64, (tenths % 10) as u64);
    [Decimal::new(whole).as_bytes(), b".", Decimal::new(tenth).as_bytes(), &[*character.unwrap_or(&b'Z')]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_fit() {
        assert_eq!((human(512), human(1536), human(3 << 20)), (b"512.0K".to_vec(), b"1.5M".to_vec(), b"3.0G".to_vec()));
    }
}
