//! `uname`: print what system this is (POSIX XCU uname), with GNU's `-p`, `-i` and `-o`.

use rbox_core::prelude::*;
use rbox_core::sys::system;

options! {
    "[-asnrvmpio]

Print system information, by default -s.

  -a, --all                Print all below; omit unknown -p and -i
  -s, --kernel-name        Kernel name
  -n, --nodename           Host name
  -r, --kernel-release     Kernel release
  -v, --kernel-version     Kernel version
  -m, --machine            Machine type
  -p, --processor          Processor type
  -i, --hardware-platform  Hardware platform
  -o, --operating-system   Operating system";
    ALL = "-a",
    KERNEL = "-s",
    NODE = "-n",
    RELEASE = "-r",
    VERSION = "-v",
    MACHINE = "-m",
    PROCESSOR = "-p",
    PLATFORM = "-i",
    SYSTEM = "-o",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if !args.operands().is_empty() {
        return Err(Error::usage());
    }
    let facts = system::uname();
    let all = args.has(ALL);
    let fields: [(Opt, &[u8], bool); 8] = [
        (KERNEL, facts.sysname().to_bytes(), all || args.found().is_empty()),
        (NODE, facts.nodename().to_bytes(), all),
        (RELEASE, facts.release().to_bytes(), all),
        (VERSION, facts.version().to_bytes(), all),
        (MACHINE, facts.machine().to_bytes(), all),
        (PROCESSOR, b"unknown", false),
        (PLATFORM, b"unknown", false),
        (SYSTEM, b"GNU/Linux", all),
    ];
    let shown =
        fields.iter().filter(|(option, _, always)| *always || (!all && args.has(*option))).map(|(_, value, _)| *value);
    let line = [shown.collect::<Vec<_>>().join(&b" "[..]), b"\n".to_vec()].concat();
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}
