//! `lsmod`: list the kernel modules that are loaded (/proc/modules).

use rbox_core::io::read_file;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

use crate::load::loaded;

options!("\n\nList the kernel modules that are loaded.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    env.stdout.write(&text!("Module                  Size  Used by", tainted(), "\n"))?;
    for module in loaded()? {
        let mut line = text!(Left(&module.name[..], 19), Right(module.size, 9, b' '), "  ");
        match module.uses {
            Some(uses) => push!(line, uses),
            None => push!(line, "-"),
        }
        push!(line, " ", &module.users.join(&b','), "\n");
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Whether the kernel is tainted by modules (proc(5), /proc/sys/kernel/tainted): proprietary, forced, out of tree.
fn tainted() -> Vec<u8> {
    let word = read_file(b"/proc/sys/kernel/tainted").unwrap_or_default();
    match parse_decimal(word.trim_ascii()) {
        None => Vec::new(),
        Some(0) => b"    Not tainted".to_vec(),
        Some(taint) => {
            let of = |bit: u64, character: u8| if taint & bit != 0 { character } else { b' ' };
            let module = if taint & 1 != 0 { b'P' } else { b'G' };
            [b"    Tainted: ", &[module, of(2, b'F'), of(1 << 12, b'O')][..]].concat()
        }
    }
}
