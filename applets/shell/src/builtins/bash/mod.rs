//! Builtins of bash mode.

mod compgen;
mod declare;
mod mapfile;
mod shopt;
mod stack;
mod table;

pub use compgen::compgen;
pub use declare::{declare, list_all};
pub use mapfile::mapfile;
pub use shopt::shopt;
pub use stack::{dirs, popd, pushd};
pub use table::{builtin, caller, disown, enable};
