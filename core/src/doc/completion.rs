//! Completion rules for bash, zsh and fish.

use crate::bytes;
use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome};
use crate::options;

/// Adds one shell's rule for the applet with that name and usage text.
type Rule = fn(&mut Vec<u8>, &[u8], &str);

/// `rbox --completion SHELL`.
pub fn print(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let (start, rule): (&str, Rule) = match words {
        [b"bash"] => ("complete -F _command rbox\n", bash),
        [b"zsh"] => ("autoload -Uz compinit; compinit\n", zsh),
        [b"fish"] => ("", fish),
        _ => return Err(Error::new("usage: --completion bash|zsh|fish")),
    };
    let mut rules = start.as_bytes().to_vec();
    for path in env.registry.paths().split('\n') {
        let name = bytes::base_name(path.as_bytes());
        if let Some(id) = env.registry.find(name) {
            rule(&mut rules, name, env.registry.usage(id));
        }
    }
    env.stdout.write(&rules)?;
    Ok(ExitStatus::SUCCESS)
}

fn bash(rules: &mut Vec<u8>, name: &[u8], usage: &str) {
    rules.extend_from_slice(b"complete -o default -W '");
    for line in options::lines(usage) {
        for option in line.names {
            rules.extend_from_slice(option);
            rules.push(b' ');
        }
    }
    rules.extend_from_slice(b"--help' -- '");
    rules.extend_from_slice(name);
    rules.extend_from_slice(b"'\n");
}

fn zsh(rules: &mut Vec<u8>, name: &[u8], usage: &str) {
    rules.extend_from_slice(b"compdef '_arguments \"*:file:_files\"");
    for line in options::lines(usage) {
        for option in line.names {
            rules.extend_from_slice(b" ");
            rules.extend_from_slice(option);
        }
    }
    rules.extend_from_slice(b"' '");
    rules.extend_from_slice(name);
    rules.extend_from_slice(b"'\n");
}

fn fish(rules: &mut Vec<u8>, name: &[u8], usage: &str) {
    for line in options::lines(usage) {
        rules.extend_from_slice(b"complete -c '");
        rules.extend_from_slice(name);
        rules.extend_from_slice(b"'");
        for option in &line.names {
            match option.strip_prefix(b"--") {
                Some(long) => rules.extend_from_slice(&[b" -l ", long].concat()),
                None if option.len() == 2 => rules.extend_from_slice(&[b" -s ", &option[1..]].concat()),
                None => {}
            }
        }
        if line.takes == options::Takes::Value {
            rules.extend_from_slice(b" -r");
        }
        let help: Vec<u8> = line.help.iter().copied().filter(|byte| !matches!(byte, b'\'' | b'\\')).collect();
        rules.extend_from_slice(&[b" -d '", help.as_slice(), b"'\n"].concat());
    }
}
