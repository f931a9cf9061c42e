//! The names of all commands that begin with a prefix: for `compgen -c` and completion.

use crate::expand::names_in;
use crate::state::Shell;
use crate::syntax::copied::Copied;

/// Builtins, functions, aliases and programs in PATH that begin with the prefix, unsorted.
pub fn commands(shell: &mut Shell, prefix: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> =
        crate::state::builtin::names(shell.options.bash).map(|name| name.as_bytes().copied()).collect();
    let own = shell.names(|slot| slot.function.is_some() || slot.alias.is_some());
    found.extend(own.iter().map(|name| shell.symbols.name(*name).copied()));
    let path = shell.get(b"PATH").unwrap_or_default().copied();
    if path.is_empty() {
        // Without a PATH the shell knows its own applets.
        let paths = shell.registry.paths().as_bytes();
        found.extend(
            paths
                .split(|byte| byte.is_ascii_whitespace() || *byte == 0)
                .map(|path| rbox_core::bytes::base_name(path).copied()),
        );
    }
    found.retain(|name| name.starts_with(prefix) && !name.is_empty());
    for directory in path.split(|&byte| byte == b':') {
        for name in names_in(directory) {
            if name.starts_with(prefix) && !name.starts_with(b".") {
                let file = rbox_core::bytes::join_path(directory, &name);
                if rbox_core::call::is_program(&file) {
                    found.push(name);
                }
            }
        }
    }
    found
}
