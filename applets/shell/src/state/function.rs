//! Exported functions, in bash's form: `BASH_FUNC_name%%=() { commands; }`.

use crate::state::Shell;
use crate::state::slot::FUNCTION;
use crate::syntax::ast::Node;
use crate::syntax::input::Input;
use crate::syntax::symbols::Sym;
use crate::syntax::{parser, unparse};

const PREFIX: &[u8] = b"BASH_FUNC_";
const SUFFIX: &[u8] = b"%%=";

impl Shell {
    /// The word of the environment that is an exported function.
    pub fn exported_function(&self, name: Sym) -> Option<Vec<u8>> {
        let function = self.variables[name.index()].function.as_ref()?;
        let text = unparse::function(name, function, &self.symbols);
        let name = self.symbols.name(name);
        let body = text.get(name.len() + b" () \n".len()..)?.trim_ascii_end();
        Some([PREFIX, name, SUFFIX, b"() ", body].concat())
    }

    /// Takes a function from a word of the environment. Nothing that such a word holds is run.
    pub fn import_function(&mut self, word: &[u8]) {
        let Some(rest) = word.strip_prefix(PREFIX) else { return };
        let Some(at) = rbox_core::bytes::find(rest, SUFFIX) else { return };
        let (name, value) = (&rest[..at], &rest[at + SUFFIX.len()..]);
        if !value.starts_with(b"() {") {
            return;
        }
        let mut input = Input::text(&[name, b" ", value].concat(), 1);
        let Ok(Some(Node::Function(name, function))) = parser::next_command(&mut input, self) else { return };
        if input.buffer[input.at..].trim_ascii().is_empty() {
            let slot = self.slot(name);
            slot.function = Some(function);
            slot.attributes |= FUNCTION;
        }
    }
}
