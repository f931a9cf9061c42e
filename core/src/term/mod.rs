//! The terminal: its size, the width of text, raw mode, keys, the line editor, and full screens.

mod clean;
pub mod keys;
pub mod line;
pub mod pty;
pub mod raw;
pub mod screen;
mod size;
mod width;

pub use clean::{Shown, clean};
pub use size::{columns, size, window};
pub use width::{character, display_width, width};
