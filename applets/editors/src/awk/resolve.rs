//! Names: which variable or function each one is.

use rbox_core::error::Result;

use super::lexer::Script;
use super::tree::Node;

/// Where a variable is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A variable of the whole program, by its index.
    Global(u32),
    /// A parameter of the function, by its index.
    Local(u32),
}

/// Variables that the language gives a meaning, at fixed indexes: `SPECIAL` in the same order.
pub mod special {
    pub const NF: u32 = 0;
    pub const NR: u32 = 1;
    pub const FNR: u32 = 2;
    pub const FS: u32 = 3;
    pub const OFS: u32 = 4;
    pub const RS: u32 = 5;
    pub const ORS: u32 = 6;
    pub const FILENAME: u32 = 7;
    pub const SUBSEP: u32 = 8;
    pub const CONVFMT: u32 = 9;
    pub const OFMT: u32 = 10;
    pub const RSTART: u32 = 11;
    pub const RLENGTH: u32 = 12;
    pub const RT: u32 = 13;
    pub const IGNORECASE: u32 = 14;
    pub const FIELDWIDTHS: u32 = 15;
    pub const FPAT: u32 = 16;
    pub const ARGC: u32 = 17;
    pub const ARGV: u32 = 18;
    pub const ENVIRON: u32 = 19;
    pub const PROCINFO: u32 = 20;
    pub const ERRNO: u32 = 21;
    /// The number of them.
    pub const COUNT: u32 = 22;
}

const SPECIAL: &[u8] = b"NF NR FNR FS OFS RS ORS FILENAME SUBSEP CONVFMT OFMT RSTART RLENGTH RT IGNORECASE \
FIELDWIDTHS FPAT ARGC ARGV ENVIRON PROCINFO ERRNO";

/// A function of the program.
pub struct Function {
    pub name: Vec<u8>,
    pub parameters: usize,
    /// `None` until its definition was read.
    pub body: Option<Vec<Node>>,
    /// The offset of the first call, for an error.
    pub at: usize,
}

/// The names of a program.
pub struct Names {
    pub globals: Vec<Vec<u8>>,
    pub functions: Vec<Function>,
    /// Parameters of the function that is being read.
    locals: Vec<Vec<u8>>,
}

impl Names {
    /// The variables that the language defines.
    pub fn new() -> Self {
        let globals = SPECIAL.split(|&byte| byte == b' ').map(<[u8]>::to_vec).collect();
        Self { globals, functions: Vec::new(), locals: Vec::new() }
    }

    /// The variable of that name, which is made when it is seen first.
    pub fn variable(&mut self, name: &[u8]) -> Place {
        if let Some(index) = self.locals.iter().position(|local| local == name) {
            return Place::Local(index as u32);
        }
        let found = self.globals.iter().position(|global| global == name);
        Place::Global(found.unwrap_or_else(|| {
            self.globals.push(name.to_vec());
            self.globals.len() - 1
        }) as u32)
    }

    /// The function of that name, which may be defined later.
    pub fn function(&mut self, name: &[u8], at: usize) -> u32 {
        let found = self.functions.iter().position(|function| function.name == name);
        found.unwrap_or_else(|| {
            self.functions.push(Function { name: name.to_vec(), parameters: 0, body: None, at });
            self.functions.len() - 1
        }) as u32
    }

    /// The function that has been defined under that name.
    pub fn defined(&self, name: &[u8]) -> Option<u32> {
        let is_it = |function: &Function| function.name == name && function.body.is_some();
        self.functions.iter().position(is_it).map(|index| index as u32)
    }

    /// The parameters of the function that is read next; none for rules.
    pub fn set_locals(&mut self, names: Vec<Vec<u8>>) {
        self.locals = names;
    }

    /// Every function that is called must be defined.
    pub fn check(&self, script: &Script) -> Result<()> {
        match self.functions.iter().find(|function| function.body.is_none()) {
            Some(function) => Err(script.error(function.at, b"Call to undefined function")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_variables_are_at_their_indexes() {
        let names = Names::new();
        assert_eq!(names.globals.len(), special::COUNT as usize);
        for (index, name) in [(special::NF, "NF"), (special::RT, "RT"), (special::ERRNO, "ERRNO")] {
            assert_eq!(names.globals[index as usize], name.as_bytes());
        }
    }
}
