//! Tilde expansion (XCU 2.6.1).

use super::fields::Fields;
use crate::state::Shell;
use crate::syntax::copied::Copied;

impl Shell {
    /// `~` is HOME, `~name` that user's directory, in bash mode `~+` PWD and `~-` OLDPWD; an unknown name stays as it is.
    pub fn expand_tilde(&mut self, name: &[u8], fields: &mut Fields) {
        let variable: &[u8] = match name {
            b"" => b"HOME",
            b"+" if self.options.bash => b"PWD",
            b"-" if self.options.bash => b"OLDPWD",
            _ => b"",
        };
        let home = if variable.is_empty() { home_of(name) } else { self.get(variable).map(<[u8]>::copied) };
        match home {
            // The result is not split and has no active character.
            Some(home) => fields.quoted(&home),
            None => {
                fields.literal(b"~");
                fields.literal(name);
            }
        }
    }
}

fn home_of(name: &[u8]) -> Option<Vec<u8>> {
    rbox_core::users::User::by_name(name).map(|user| user.home)
}
