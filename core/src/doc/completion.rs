//! Completion rules for bash, zsh and fish: for `rbox APPLET` and for links under the applets' names.

use crate::applet::Registry;
use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome};
use crate::options::{self, Takes};
use crate::usage::unpack;
use crate::{push, text};

/// What follows the tables of names and options in bash. `rbox` alone completes to the names; a word with a dash to the
/// options; all else to files.
const BASH: &str = r#"_rbox() {
	local word=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[0]##*/}
	COMPREPLY=()
	if [ "$name" = rbox ] || [ "$name" = busybox ]; then
		if [ "$COMP_CWORD" = 1 ]; then
			COMPREPLY=($(compgen -W "$_rbox_own $_rbox_names" -- "$word"))
			return
		fi
		name=${COMP_WORDS[1]##*/}
	fi
	case $word in
	-*) COMPREPLY=($(compgen -W "${_rbox_options[$name]} --help" -- "$word")) ;;
	esac
}
complete -o bashdefault -o default -F _rbox -- rbox $_rbox_names
"#;

/// The same for zsh.
const ZSH: &str = r#"_rbox() {
	local name=${words[1]:t}
	if [[ $name == (rbox|busybox) ]]; then
		if (( CURRENT == 2 )); then
			compadd -- ${=_rbox_own} ${=_rbox_names}
			return
		fi
		name=${words[2]:t}
	fi
	if [[ $PREFIX == -* ]]; then
		compadd -- ${=_rbox_options[$name]} --help
	else
		_files
	fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _rbox rbox ${=_rbox_names}
"#;

/// rbox's own options.
const OWN: &str = "--completion --help --install --list --list-full --man --version";

/// `rbox --completion SHELL`.
pub fn print(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let rules = match words {
        [b"bash"] => text!(tables(env.registry, "declare -A _rbox_options=(", "['", "']='"), BASH),
        [b"zsh"] => text!(tables(env.registry, "typeset -gA _rbox_options=(", "'", "' '"), ZSH),
        [b"fish"] => fish(env.registry),
        _ => return Err(Error::new("usage: --completion bash|zsh|fish")),
    };
    env.stdout.write(&rules)?;
    Ok(ExitStatus::SUCCESS)
}

/// The names, and for each name the options, in a list that begins with `start`; around the name are `open` and `middle`.
fn tables(registry: Registry, start: &str, open: &str, middle: &str) -> Vec<u8> {
    let names = registry.names().collect::<Vec<_>>();
    let mut rules = text!("_rbox_own='", OWN, "'\n_rbox_names='", names.join(&b' '), "'\n", start, "\n");
    for name in names {
        let mut words = Vec::new();
        let usage = usage_of(registry, name);
        for option in options_of(&usage).into_iter().flat_map(|line| line.names) {
            push!(words, " ", option);
        }
        if let Some(words) = words.get(1..) {
            push!(rules, open, name, middle, words, "'\n");
        }
    }
    push!(rules, ")\n");
    rules
}

/// The usage text of an applet.
fn usage_of(registry: Registry, name: &[u8]) -> String {
    registry.find(name).map_or(String::new(), |id| unpack(registry.usage(id)))
}

/// The option lines of a usage text, without names that stand for a number (`-NUM`).
fn options_of(usage: &str) -> Vec<options::Line<'_>> {
    let mut lines: Vec<_> = options::lines(usage).collect();
    for line in &mut lines {
        line.names.retain(|option| option.starts_with(b"-") && !option.ends_with(b"NUM"));
    }
    lines
}

fn fish(registry: Registry) -> Vec<u8> {
    let mut names = Vec::new();
    for &byte in registry.names().collect::<Vec<_>>().join(&b' ').iter() {
        // fish reads the list as words of its own.
        push!(names, if byte == b'[' { "\\" } else { "" }, &[byte]);
    }
    let mut rules = text!(
        "complete -c rbox -f -n __fish_use_subcommand -a '",
        OWN,
        " ",
        names,
        "'\n",
        "complete -c rbox -x -n 'not __fish_use_subcommand' -a '(__fish_complete_subcommand)'\n"
    );
    for name in registry.names() {
        let usage = usage_of(registry, name);
        for line in options_of(&usage) {
            let mut words = Vec::new();
            for option in &line.names {
                match option.strip_prefix(b"--") {
                    Some(long) => push!(words, " -l ", long),
                    None if option.len() == 2 => push!(words, " -s ", &option[1..]),
                    None => push!(words, " -o ", &option[1..]),
                }
            }
            if words.is_empty() {
                continue;
            }
            let help: Vec<u8> = line.help.iter().copied().filter(|byte| !matches!(byte, b'\'' | b'\\')).collect();
            let takes = if line.takes == Takes::Value { " -r" } else { "" };
            push!(rules, "complete -c '", name, "'", words, takes, " -d '", help, "'\n");
        }
    }
    rules
}
