//! What one name means: a variable with its attributes, a function, an alias.

use crate::state::array::Array;
use crate::state::options::Options;
use crate::syntax::ast::Function;
use crate::syntax::symbols::Sym;
use std::rc::Rc;

/// `declare -i`: an assigned text is an expression.
pub const INTEGER: u8 = 1;
/// `declare -l`: an assigned text becomes lower case.
pub const LOWER: u8 = 2;
/// `declare -u`: an assigned text becomes upper case.
pub const UPPER: u8 = 4;
/// `declare -n`: the value names another variable.
pub const REFERENCE: u8 = 8;
/// `declare x`: there is the name, without a value.
pub const DECLARED: u8 = 16;
/// `export -f`: the function of that name is exported.
pub const FUNCTION: u8 = 32;
/// `readonly -f`: the function of that name cannot be redefined.
pub const READONLY_FUNCTION: u8 = 64;

/// Variables whose value the shell computes or watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Special {
    /// An ordinary variable.
    #[default]
    None,
    /// IFS.
    Ifs,
    /// PATH.
    Path,
    /// LINENO.
    Line,
    /// RANDOM.
    Random,
    /// OPTIND.
    OptionIndex,
    /// LC_ALL, LC_CTYPE and LANG: what a character is.
    Locale,
    /// BusyBox's FUNCNAME: the function that runs.
    CurrentFunction,
    /// HOSTNAME.
    HostName,
    /// bash's GLOBIGNORE: `shopt dotglob` is on while it is set.
    GlobIgnore,
    /// bash's SHELLOPTS and BASHOPTS: the options that are on.
    ShellOptions,
    BashOptions,
    /// bash's SECONDS: since the shell began, or since it was assigned.
    Seconds,
    /// bash's PIPESTATUS.
    PipeStatus,
    /// bash's FUNCNAME.
    FunctionName,
    /// bash's BASH_SOURCE: the files that the functions are from.
    Source,
    /// bash's BASH_LINENO: where the functions were called.
    CallLines,
    /// bash's BASHPID.
    OwnPid,
    /// bash's BASH_SUBSHELL.
    Depth,
    /// bash's EPOCHSECONDS.
    Epoch,
    /// bash's EPOCHREALTIME, with microseconds.
    EpochExact,
    /// bash's DIRSTACK.
    Directories,
    /// A name reference.
    Reference,
    /// The element of an array that a reference names.
    Element,
    /// bash's BASH_COMMAND.
    Command,
    /// bash's `$_`.
    LastWord,
}

/// What one name means.
#[derive(Clone, Default)]
pub struct Slot {
    /// The value of the variable.
    pub value: Vec<u8>,
    /// The variable has a value.
    pub set: bool,
    /// It is in the environment of programs.
    pub export: bool,
    /// It cannot be assigned.
    pub readonly: bool,
    /// How the shell computes or watches the value.
    pub special: Special,
    /// Bits of `declare -i -l -u`.
    pub attributes: u8,
    /// The elements, when it is an array.
    pub array: Option<Box<Array>>,
    /// The function of that name.
    pub function: Option<Rc<Function>>,
    /// The value of the alias of that name.
    pub alias: Option<Rc<[u8]>>,
    /// The path of the command of that name, as found by PATH.
    pub path: Option<Rc<[u8]>>,
    /// The builtin of that name: 0 before it was looked up, 1 when there is none, else its number plus 2.
    pub builtin: u8,
}

impl Slot {
    /// Whether an assignment has to apply attributes or set an element.
    pub fn is_peculiar(&self) -> bool {
        self.array.is_some() || self.attributes != 0
    }
}

/// A variable saved by `local` or by an assignment before a command.
pub struct Saved {
    /// The name of the variable.
    pub name: Sym,
    /// What it was.
    pub slot: Slot,
    /// The options, saved by `local -`.
    pub options: Option<Box<Options>>,
}
