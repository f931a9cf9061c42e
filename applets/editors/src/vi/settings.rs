//! Options, by `:set`, EXINIT and .exrc.

use rbox_core::number::parse_decimal;
use rbox_core::push;

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub auto_indent: bool,
    pub expand_tab: bool,
    pub flash: bool,
    pub ignore_case: bool,
    pub list: bool,
    pub number: bool,
    pub read_only: bool,
    pub show_match: bool,
    pub wrap_scan: bool,
    /// Columns, 1 to 32.
    pub shift_width: usize,
    pub tab_stop: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            auto_indent: false,
            expand_tab: false,
            flash: false,
            ignore_case: false,
            list: false,
            number: false,
            read_only: false,
            show_match: false,
            wrap_scan: true,
            shift_width: 8,
            tab_stop: 8,
        }
    }
}

impl Options {
    fn flag(&mut self, name: &[u8]) -> Option<&mut bool> {
        Some(match name {
            b"ai" | b"autoindent" => &mut self.auto_indent,
            b"et" | b"expandtab" => &mut self.expand_tab,
            b"fl" | b"flash" => &mut self.flash,
            b"ic" | b"ignorecase" => &mut self.ignore_case,
            b"list" => &mut self.list,
            b"nu" | b"number" => &mut self.number,
            b"ro" | b"readonly" => &mut self.read_only,
            b"sm" | b"showmatch" => &mut self.show_match,
            b"ws" | b"wrapscan" => &mut self.wrap_scan,
            _ => return None,
        })
    }

    /// Obeys a word as `ai`, `noai`, `ts=4`. False when it is none.
    pub fn set(&mut self, word: &[u8]) -> bool {
        if let Some((name, value)) = rbox_core::bytes::split_once(word, b'=') {
            let Some(value) = parse_decimal(value).filter(|value| (1..=32).contains(value)) else { return false };
            match name {
                b"ts" | b"tabstop" => self.tab_stop = value as usize,
                b"sw" | b"shiftwidth" => self.shift_width = value as usize,
                _ => return false,
            }
            return true;
        }
        if let Some(flag) = self.flag(word) {
            *flag = true;
            return true;
        }
        match word.strip_prefix(b"no").and_then(|name| self.flag(name)) {
            Some(flag) => {
                *flag = false;
                true
            }
            None => false,
        }
    }

    /// All options as BusyBox shows them.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (flag, name) in [
            (self.auto_indent, "autoindent "),
            (self.expand_tab, "expandtab "),
            (self.flash, "flash "),
            (self.ignore_case, "ignorecase "),
            (self.list, "list "),
            (self.number, "number "),
            (self.read_only, "readonly "),
            (self.show_match, "showmatch "),
            (self.wrap_scan, "wrapscan "),
        ] {
            push!(text, if flag { "" } else { "no" }, name);
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
        assert_eq!((options.auto_indent, options.tab_stop, options.wrap_scan), (true, 4, false));
        assert!(!options.set(b"ts=0") && !options.set(b"nosuch") && !options.set(b"ai=1"));
    }
}
