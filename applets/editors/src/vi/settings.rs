//! Options, by `:set`, EXINIT and .exrc.

use rbox_core::names::Names;
use rbox_core::number::parse_decimal;
use rbox_core::{names, push};

use super::ex::next_word;

/// Options that are on or off, by their index in `Options::flags`.
pub(super) const AUTO_INDENT: usize = 0;
pub(super) const EXPAND_TAB: usize = 1;
pub(super) const FLASH: usize = 2;
pub(super) const IGNORE_CASE: usize = 3;
pub(super) const LIST: usize = 4;
pub(super) const NUMBER: usize = 5;
pub(super) const READ_ONLY: usize = 6;
pub(super) const SHOW_MATCH: usize = 7;
pub(super) const WRAP_SCAN: usize = 8;

/// Their names in that order.
const LONG_NAMES: &str = "autoindent expandtab flash ignorecase list number readonly showmatch wrapscan";

const FLAGS: Names = names! {
    "ai" = 0, "autoindent" = 0, "et" = 1, "expandtab" = 1, "fl" = 2, "flash" = 2, "ic" = 3, "ignorecase" = 3, "list" = 4,
    "nu" = 5, "number" = 5, "ro" = 6, "readonly" = 6, "sm" = 7, "showmatch" = 7, "ws" = 8, "wrapscan" = 8,
};

const WIDTHS: Names = names! { "ts" = 0, "tabstop" = 0, "sw" = 1, "shiftwidth" = 1 };

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub flags: [bool; 9],
    /// Columns, 1 to 32.
    pub shift_width: usize,
    pub tab_stop: usize,
}

impl Default for Options {
    fn default() -> Options {
        let mut flags = [false; 9];
        flags[WRAP_SCAN] = true;
        Options { flags, shift_width: 8, tab_stop: 8 }
    }
}

impl Options {
    /// Obeys a word as `ai`, `noai`, `ts=4`. False when it is none.
    pub fn set(&mut self, word: &[u8]) -> bool {
        if let Some((name, value)) = rbox_core::bytes::split_once(word, b'=') {
            let Some(value) = parse_decimal(value).filter(|value| (1..=32).contains(value)) else { return false };
            match WIDTHS.number_of(name) {
                Some(0) => self.tab_stop = value as usize,
                Some(_) => self.shift_width = value as usize,
                None => return false,
            }
            return true;
        }
        let (name, value) = match FLAGS.number_of(word) {
            Some(_) => (word, true),
            None => (word.strip_prefix(b"no").unwrap_or_default(), false),
        };
        let Some(index) = FLAGS.number_of(name) else { return false };
        self.flags[index as usize] = value;
        true
    }

    /// All options as BusyBox shows them.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut names = LONG_NAMES.as_bytes();
        for flag in self.flags {
            push!(text, if flag { "" } else { "no" }, next_word(&mut names), " ");
        }
        push!(text, "shiftwidth=", self.shift_width, " tabstop=", self.tab_stop);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_set_options() {
        let mut options = Options::default();
        assert!(options.set(b"ai") && options.set(b"ts=4") && options.set(b"nows"));
        assert_eq!((options.flags[AUTO_INDENT], options.tab_stop, options.flags[WRAP_SCAN]), (true, 4, false));
        assert!(!options.set(b"ts=0") && !options.set(b"nosuch") && !options.set(b"ai=1"));
    }
}
