//! The terminal: its size, the width of text, raw mode, keys, and the line editor.

mod clean;
pub mod keys;
pub mod line;
pub mod raw;
mod size;
mod width;

pub use clean::{Shown, clean};
pub use size::{columns, window};
pub use width::{character, display_width, width};
