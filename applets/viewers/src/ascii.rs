//! `ascii`: print the characters of ASCII with their codes.

use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text::{Hex, Right};

options! {
    "

Print the characters of ASCII with their decimal and hexadecimal codes."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// The names of the control characters.
const NAMES: &[u8] =
    b"NULSOHSTXETXEOTENQACKBELBS HT LF VT FF CR SO SI DLEDC1DC2DC3DC4NAKSYNETBCANEM SUBESCFS GS RS US ";

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut out = b"Dec Hex    Dec Hex    Dec Hex  Dec Hex  Dec Hex  Dec Hex   Dec Hex   Dec Hex\n".to_vec();
    for row in 0..16u8 {
        for code in (row..128).step_by(16) {
            // Two columns of names, then characters; decimal codes of three digits are wider.
            let width = if code < 96 { 3 } else { 4 };
            push!(out, Right(code, width, b' '), " ", Right(Hex(code.into()), 2, b'0'), " ");
            match code {
                0..32 => push!(out, &NAMES[3 * usize::from(code)..][..3]),
                127 => push!(out, "DEL"),
                _ => out.push(code),
            }
            out.push(if code < 112 { b' ' } else { b'\n' });
        }
    }
    env.stdout.write(&out)?;
    Ok(ExitStatus::SUCCESS)
}
