//! `setarch`, `linux32`, `linux64`: run a program in another execution domain (personality(2)).

use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::schedule::personality;

options! {
    "[ARCH] [-BFILRSTXZ3] [PROG [ARG]...]

Run PROG, or a shell, with another machine name and personality. ARCH is linux32,
linux64 or a machine name; linux32 is setarch linux32.

  -B, --32bit              Set ADDR_LIMIT_32BIT
  -F, --fdpic-funcptrs     Set FDPIC_FUNCPTRS
  -I, --short-inode        Set SHORT_INODE
  -L, --addr-compat-layout  Set ADDR_COMPAT_LAYOUT
  -R, --addr-no-randomize  Disable address randomization
  -S, --whole-seconds      Set WHOLE_SECONDS
  -T, --sticky-timeouts    Set STICKY_TIMEOUTS
  -X, --read-implies-exec  Set READ_IMPLIES_EXEC
  -Z, --mmap-page-zero     Set MMAP_PAGE_ZERO
  -3, --3gb                Limit addresses to 3 GB
      --uname-2.6          Report kernel release 2.6";
    BITS = "-B",
    DESCRIPTORS = "-F",
    INODES = "-I",
    LAYOUT = "-L",
    NO_RANDOM = "-R",
    SECONDS = "-S",
    TIMEOUTS = "-T",
    EXECUTE = "-X",
    ZERO = "-Z",
    THREE = "-3",
    OLD_NAME = "--uname-2.6",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// PER_LINUX32 of linux/personality.h; PER_LINUX is 0.
const LINUX32: u64 = 8;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut operands = args.operands();
    let again: Args<'_>;
    let mut flags = flags(args);
    let named = match env.name.as_slice() {
        b"linux32" => Some(LINUX32),
        b"linux64" => Some(0),
        _ => operands.first().and_then(|word| domain(word)),
    };
    if let Some(named) = named {
        flags |= named;
        if env.name == b"setarch" {
            // The options may be after the architecture.
            again = Args::parse(USAGE, options::Grammar::OptionsFirst, operands)?;
            flags |= self::flags(&again);
            operands = again.operands();
        }
    } else if flags == 0 {
        return match operands.first() {
            Some(word) => Err(Error::parts(&[b"Unrecognized architecture '", word, b"'"])),
            None => Err(Error::usage()),
        };
    }
    personality(flags).map_err(|errno| Error::on("personality", errno))?;
    match operands {
        [] => {
            let shell = b"/bin/sh".to_vec();
            Ok(call::replace(env, &[&shell]))
        }
        operands => Ok(call::replace(env, operands)),
    }
}

/// The domain that the name of a machine means.
fn domain(word: &[u8]) -> Option<u64> {
    Some(match word {
        b"linux32" | b"i386" | b"i486" | b"i586" | b"i686" | b"athlon" | b"arm" | b"armv7l" | b"ppc" | b"ppc32"
        | b"mips" | b"mips32" | b"s390" | b"sparc" => LINUX32,
        b"linux64" | b"x86_64" | b"amd64" | b"aarch64" | b"ppc64" | b"ppc64le" | b"mips64" | b"s390x" | b"sparc64"
        | b"riscv64" => 0,
        _ => return None,
    })
}

/// linux/personality.h.
fn flags(args: &Args<'_>) -> u64 {
    args.found().iter().fold(0, |flags, (option, _)| {
        flags
            | match *option {
                BITS => 0x0080_0000,
                DESCRIPTORS => 0x0008_0000,
                INODES => 0x0100_0000,
                LAYOUT => 0x0020_0000,
                NO_RANDOM => 0x0004_0000,
                SECONDS => 0x0200_0000,
                TIMEOUTS => 0x0400_0000,
                EXECUTE => 0x0040_0000,
                ZERO => 0x0010_0000,
                THREE => 0x0800_0000,
                _ => 0x0002_0000,
            }
    })
}
