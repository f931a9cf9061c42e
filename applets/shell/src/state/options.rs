//! The options of `set`, and `$-` (XCU set).

use rbox_core::names;
use rbox_core::names::Names;

/// The options of `set`.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-a`: assigned variables are exported.
    pub allexport: bool,
    /// `-b`: jobs that ended are reported at once.
    pub notify: bool,
    /// `-C`: `>` does not overwrite a file.
    pub noclobber: bool,
    /// `-e`: a failure ends the shell.
    pub errexit: bool,
    /// `-f`: patterns are not expanded.
    pub noglob: bool,
    /// `-i`
    pub interactive: bool,
    /// Commands come from standard input: the `s` of `$-`.
    pub stdin: bool,
    /// They come from `-c`: the `c` of `$-`.
    pub command: bool,
    /// `-m`: job control.
    pub monitor: bool,
    /// `-n`: commands are read and not run.
    pub noexec: bool,
    /// `-u`: an unset parameter is an error.
    pub nounset: bool,
    /// `-v`: input is printed as it is read.
    pub verbose: bool,
    /// `-x`: commands are traced.
    pub xtrace: bool,
    /// `-I`: the end of the input does not end an interactive shell.
    pub ignoreeof: bool,
    /// `-E`: functions inherit the ERR trap.
    pub errtrace: bool,
    /// The line editor has vi's keys.
    pub vi: bool,
    /// Functions are not added to the history.
    pub nolog: bool,
    /// A pipeline fails when one of its commands does.
    pub pipefail: bool,
    /// bash's arrays, brace expansion and `time`.
    pub bash: bool,
    /// `set -o posix` in bash mode: special builtins are those of POSIX.
    pub posix: bool,
    /// `!` in a line that is entered names an earlier line: history expansion.
    pub histexpand: bool,
    /// Lines that are entered are added to the history.
    pub history: bool,
    /// A pattern without a match is removed.
    pub nullglob: bool,
    /// LINES and COLUMNS are those of the terminal before each prompt.
    pub checkwinsize: bool,
    /// Patterns match names that begin with a dot.
    pub dotglob: bool,
    /// A pattern without a match is an error.
    pub failglob: bool,
    /// `@(a|b)` and its relatives are patterns.
    pub extglob: bool,
    /// `**` matches directories of any depth.
    pub globstar: bool,
    /// Pathname expansion ignores case.
    pub nocaseglob: bool,
    /// `case` and `[[ ]]` ignore case.
    pub nocasematch: bool,
    /// The last command of a pipeline runs in the shell.
    pub lastpipe: bool,
    /// Command substitutions inherit `-e`.
    pub inherit_errexit: bool,
    /// Aliases are expanded in a shell that is not interactive.
    pub expand_aliases: bool,
    /// A login shell: `shopt login_shell`.
    pub login: bool,
    /// `set +B`: braces are not expanded.
    pub nobraces: bool,
    /// `set -T`: functions and subshells have the traps DEBUG and RETURN.
    pub functrace: bool,
}

/// Options in the order of the listing: name, and option character or 0.
pub const NAMES: Names = names! {
    "errexit" = b'e', "noglob" = b'f', "ignoreeof" = b'I', "monitor" = b'm', "noexec" = b'n', "xtrace" = b'x',
    "verbose" = b'v', "noclobber" = b'C', "allexport" = b'a', "notify" = b'b', "nounset" = b'u', "errtrace" = b'E',
    "functrace" = b'T', "vi" = 0, "pipefail" = 0, "nolog" = 0, "posix" = 0, "histexpand" = b'H', "history" = 0,
    "bash" = 0,
};

/// bash's options that the shell has always, or never: 1 or 0.
pub const FIXED: Names = names! {
    "hashall" = 1, "interactive-comments" = 1, "keyword" = 0, "onecmd" = 0, "physical" = 0, "privileged" = 0,
};

/// The option of that name.
pub fn field<'a>(options: &'a mut Options, name: &str) -> Option<&'a mut bool> {
    // In the order of NAMES.
    Some(match NAMES.iter().position(|(known, _)| known == name)? {
        0 => &mut options.errexit,
        1 => &mut options.noglob,
        2 => &mut options.ignoreeof,
        3 => &mut options.monitor,
        4 => &mut options.noexec,
        5 => &mut options.xtrace,
        6 => &mut options.verbose,
        7 => &mut options.noclobber,
        8 => &mut options.allexport,
        9 => &mut options.notify,
        10 => &mut options.nounset,
        11 => &mut options.errtrace,
        12 => &mut options.functrace,
        13 => &mut options.vi,
        14 => &mut options.pipefail,
        15 => &mut options.nolog,
        16 => &mut options.posix,
        17 => &mut options.histexpand,
        18 => &mut options.history,
        _ => &mut options.bash,
    })
}

/// The names of all options of bash mode.
pub fn names() -> impl Iterator<Item = &'static str> {
    let own = NAMES.iter().map(|(name, _)| name).filter(|name| *name != "bash");
    own.chain(FIXED.iter().map(|(name, _)| name))
}

/// Options that are there in bash mode alone.
pub fn is_of_bash(name: &str) -> bool {
    matches!(name, "posix" | "histexpand" | "history")
}

/// The options that are on, as SHELLOPTS has them.
pub fn names_on(options: &mut Options) -> Vec<u8> {
    let mut all = vec![&b"hashall"[..], b"interactive-comments"];
    if !options.nobraces {
        all.push(b"braceexpand");
    }
    if options.interactive && !options.vi {
        all.push(b"emacs");
    }
    for (name, _) in NAMES.iter() {
        if name != "bash" && field(options, name).is_some_and(|on| *on) {
            all.push(name.as_bytes());
        }
    }
    all.sort_unstable();
    all.join(&b':')
}

/// Whether an option is on; `None` when there is no such option.
pub fn is_on(options: &mut Options, name: &[u8]) -> Option<bool> {
    match name {
        b"emacs" => return Some(!options.vi),
        b"braceexpand" => return Some(!options.nobraces),
        _ => {}
    }
    let (name, _) = NAMES.iter().find(|(known, _)| known.as_bytes() == name)?;
    field(options, name).map(|on| *on)
}

impl Options {
    /// The value of `$-`.
    pub fn flags(&mut self) -> Vec<u8> {
        let mut flags = Vec::new();
        // The order is BusyBox's.
        let order = if self.bash { &b"abefimnuvxCEHTcs"[..] } else { b"TEubaCvxcsnmiIfe" };
        for &flag in order {
            let on = match flag {
                b'c' => self.command,
                b's' => self.stdin,
                b'i' => self.interactive,
                flag => NAMES.name_of(flag.into()).and_then(|name| field(self, name)).is_some_and(|on| *on),
            };
            if on {
                flags.push(flag);
            }
        }
        if self.bash {
            let at = flags.iter().take_while(|flag| **flag < b'h' && flag.is_ascii_lowercase()).count();
            flags.insert(at, b'h');
            if !self.nobraces {
                let at = flags.iter().take_while(|flag| flag.is_ascii_lowercase() && !b"cs".contains(flag)).count();
                flags.insert(at, b'B');
            }
        }
        flags
    }
}
