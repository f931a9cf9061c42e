//! Names: which variable or function each one is.

use rbox_core::error::Result;

use super::tree::Node;
use awk_machine::script::Script;

/// Where a variable is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A variable of the whole program, by its index.
    Global(u32),
    /// A parameter of the function, by its index.
    Local(u32),
}

/// The names of the variables in `special`.
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
    use awk_machine::special;

    #[test]
    fn special_variables_are_at_their_indexes() {
        let names = Names::new();
        assert_eq!(names.globals.len(), special::COUNT as usize);
        for (index, name) in [(special::NF, "NF"), (special::RT, "RT"), (special::ERRNO, "ERRNO")] {
            assert_eq!(names.globals[index as usize], name.as_bytes());
        }
    }
}
