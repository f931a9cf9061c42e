//! Statements and expressions (POSIX XCU bc, "Grammar", and GNU's extensions) as operations.
//!
//! `!` and `-` bind more than any operator of two numbers, as in BusyBox.

use rbox_core::io::Input;
use rbox_core::prelude::*;

use super::lexer::{Source, Token, two};
use super::program::{Binary, Code, Defined, Function, Local, Name, Names, Operation, Place};

/// How deeply statements and expressions may be nested.
const MOST_NESTED: usize = 200;

/// What POSIX does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extensions {
    Allowed,
    /// `-w`
    Warned,
    /// `-s`
    Refused,
}

/// What comes next in the source.
pub enum Unit {
    /// Statements of one line.
    Statements(Code),
    Function(Name, Defined),
    /// `quit`, after these statements.
    Quit(Code),
    End,
}

/// A loop that is being compiled: where `continue` goes, if that is known, and the jumps that wait for its end.
#[derive(Default)]
struct Loop {
    breaks: Vec<usize>,
    continues: Vec<usize>,
}

/// The parser.
pub struct Parser<'a> {
    pub source: &'a mut Source,
    pub names: &'a mut Names,
    pub stdin: &'a mut Input,
    pub extensions: Extensions,
    /// Warnings of `-w`.
    pub warnings: Vec<Error>,
    token: Token,
    code: Code,
    loops: Vec<Loop>,
    /// The function that is being compiled: whether it is void.
    function: Option<bool>,
    depth: usize,
    /// The last expression is an assignment, whose value is not printed.
    assigns: bool,
    quits: bool,
}

/// What an expression starts with that may be assigned to.
fn special(name: &[u8]) -> Option<Place> {
    match name {
        b"scale" => Some(Place::Scale),
        b"ibase" => Some(Place::InputBase),
        b"obase" => Some(Place::OutputBase),
        b"last" => Some(Place::Last),
        _ => None,
    }
}

fn is_keyword(name: &[u8]) -> bool {
    matches!(
        name,
        b"if"
            | b"else"
            | b"while"
            | b"for"
            | b"break"
            | b"continue"
            | b"return"
            | b"define"
            | b"auto"
            | b"quit"
            | b"halt"
            | b"limits"
            | b"print"
            | b"length"
            | b"sqrt"
            | b"read"
    ) || special(name).is_some()
}

impl<'a> Parser<'a> {
    /// A parser of what comes next in `source`.
    pub fn new(source: &'a mut Source, names: &'a mut Names, stdin: &'a mut Input, extensions: Extensions) -> Self {
        Self {
            source,
            names,
            stdin,
            extensions,
            warnings: Vec::new(),
            token: Token::Newline,
            code: Code::default(),
            loops: Vec::new(),
            function: None,
            depth: 0,
            assigns: false,
            quits: false,
        }
    }

    /// Parses a line of statements, or a function.
    pub fn unit(&mut self) -> Result<Unit> {
        self.advance()?;
        match &self.token {
            Token::End => return Ok(Unit::End),
            Token::Newline => return Ok(Unit::Statements(Code::default())),
            Token::Name(name) if name == b"define" => return self.definition(),
            _ => {}
        }
        self.statements(false)?;
        let code = core::mem::take(&mut self.code);
        match self.token {
            _ if self.quits => Ok(Unit::Quit(code)),
            Token::Newline | Token::End => Ok(Unit::Statements(code)),
            _ => Err(self.unexpected()),
        }
    }

    fn advance(&mut self) -> Result<()> {
        self.token = self.source.token(self.stdin)?;
        Ok(())
    }

    fn unexpected(&self) -> Error {
        let word = match &self.token {
            Token::Number(word) | Token::Name(word) | Token::Text(word) => word.clone(),
            Token::Sign(sign) => sign.to_be_bytes().iter().copied().filter(|&byte| byte != 0).collect(),
            Token::Newline | Token::End => Vec::new(),
        };
        let rest = if self.token == Token::Newline { b"" } else { self.source.rest() };
        Error::parts(&[b"bad token at '", &word, rest, b"'"])
    }

    fn is_sign(&self, sign: u8) -> bool {
        self.token == Token::Sign(sign.into())
    }

    fn is_name(&self, name: &[u8]) -> bool {
        matches!(&self.token, Token::Name(found) if found == name)
    }

    fn expect(&mut self, sign: u8) -> Result<()> {
        if self.is_sign(sign) { self.advance() } else { Err(self.unexpected()) }
    }

    fn skip_newlines(&mut self) -> Result<()> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    fn extension(&mut self, what: &str) -> Result<()> {
        let error = || Error::parts(&[b"POSIX does not allow ", what.as_bytes()]);
        match self.extensions {
            Extensions::Allowed => {}
            Extensions::Warned => self.warnings.push(error()),
            Extensions::Refused => return Err(error()),
        }
        Ok(())
    }

    fn name_number(&mut self, name: &[u8]) -> Result<Name> {
        if name.len() > 1 {
            self.extension("names of several characters")?;
        }
        self.names.number(name).ok_or_else(|| Error::new("too many names"))
    }

    fn emit(&mut self, operation: Operation) {
        self.code.operations.push(operation);
    }

    fn here(&self) -> usize {
        self.code.operations.len()
    }

    fn patch(&mut self, jumps: Vec<usize>, to: usize) {
        for jump in jumps {
            match &mut self.code.operations[jump] {
                Operation::Jump(target) | Operation::JumpIfZero(target) => *target = to as u32,
                _ => {}
            }
        }
    }

    fn text(&mut self, text: Vec<u8>) -> u32 {
        self.code.texts.push(text);
        self.code.texts.len() as u32 - 1
    }

    fn definition(&mut self) -> Result<Unit> {
        self.advance()?;
        let mut defined = Defined::default();
        let mut name = self.plain_name()?;
        if name == b"void" && matches!(self.token, Token::Name(_)) {
            self.extension("void functions")?;
            defined.is_void = true;
            name = self.plain_name()?;
        }
        let number = self.name_number(&name)?;
        self.expect(b'(')?;
        defined.parameters = self.locals(b')', true)?;
        self.skip_newlines()?;
        self.expect(b'{')?;
        self.function = Some(defined.is_void);
        while self.token == Token::Newline || self.is_sign(b';') {
            self.advance()?;
        }
        while self.is_name(b"auto") {
            self.advance()?;
            defined.automatic.extend(self.locals(b';', false)?);
            while self.token == Token::Newline || self.is_sign(b';') {
                self.advance()?;
            }
        }
        let all: Vec<Local> = defined.parameters.iter().chain(&defined.automatic).copied().collect();
        let key = |local: &Local| match *local {
            Local::Variable(name) => (name, false),
            Local::Array(name) | Local::Reference(name) => (name, true),
        };
        if (1..all.len()).any(|at| all[..at].iter().any(|before| key(before) == key(&all[at]))) {
            return Err(Error::new("duplicate function parameter or auto name"));
        }
        self.statements(true)?;
        if !self.is_sign(b'}') {
            return Err(self.unexpected());
        }
        self.emit(Operation::Return { with_value: false });
        defined.code = core::mem::take(&mut self.code).into();
        Ok(Unit::Function(number, defined))
    }

    /// A name that is no keyword.
    fn plain_name(&mut self) -> Result<Vec<u8>> {
        match &self.token {
            Token::Name(name) if !is_keyword(name) => {
                let name = name.clone();
                self.advance()?;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Names of parameters, to a parenthesis, or of automatic variables, to the end of the line.
    fn locals(&mut self, end: u8, are_parameters: bool) -> Result<Vec<Local>> {
        let mut locals = Vec::new();
        while !self.is_sign(end) && (are_parameters || self.token != Token::Newline) {
            if !locals.is_empty() {
                self.expect(b',')?;
            }
            let is_reference = self.is_sign(b'*') && are_parameters;
            if is_reference {
                self.extension("references")?;
                self.advance()?;
            }
            let name = self.plain_name()?;
            let name = self.name_number(&name)?;
            let is_array = self.is_sign(b'[');
            if is_array {
                self.advance()?;
                self.expect(b']')?;
            }
            locals.push(match (is_array, is_reference) {
                (true, true) => Local::Reference(name),
                (true, false) => Local::Array(name),
                (false, true) => return Err(self.unexpected()),
                (false, false) => Local::Variable(name),
            });
        }
        self.advance()?;
        Ok(locals)
    }

    /// Statements to the end of the line, or to the brace that ends the block.
    fn statements(&mut self, in_block: bool) -> Result<()> {
        loop {
            match self.token {
                Token::Newline if in_block => self.advance()?,
                Token::Sign(sign) if sign == u16::from(b';') => self.advance()?,
                Token::Newline | Token::End => return Ok(()),
                Token::Sign(sign) if sign == u16::from(b'}') && in_block => return Ok(()),
                _ => {
                    self.statement()?;
                    let ends = matches!(self.token, Token::Newline | Token::End)
                        || self.is_sign(b';')
                        || self.is_sign(b'}') && in_block;
                    if self.quits {
                        return Ok(());
                    }
                    if !ends {
                        return Err(self.unexpected());
                    }
                }
            }
        }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MOST_NESTED {
            return Err(Error::new("nesting too deep"));
        }
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn statement(&mut self) -> Result<()> {
        self.nested(|parser| parser.statement_inside())
    }

    fn statement_inside(&mut self) -> Result<()> {
        let name = match &self.token {
            Token::Sign(sign) if *sign == u16::from(b'{') => {
                self.advance()?;
                self.statements(true)?;
                return if self.quits { Ok(()) } else { self.expect(b'}') };
            }
            Token::Text(text) => {
                let text = text.clone();
                let index = self.text(text);
                self.emit(Operation::Text { index, escapes: false });
                return self.advance();
            }
            Token::Name(name) => name.clone(),
            _ => return self.expression_statement(),
        };
        match name.as_slice() {
            b"if" => self.if_statement(),
            b"while" => self.while_statement(),
            b"for" => self.for_statement(),
            b"break" | b"continue" => self.loop_exit(&name),
            b"return" => self.return_statement(),
            b"print" => self.print_statement(),
            b"quit" => {
                self.quits = true;
                Ok(())
            }
            b"halt" => {
                self.extension("the 'halt' keyword")?;
                self.emit(Operation::Halt);
                self.advance()
            }
            b"limits" => {
                self.extension("the 'limits' keyword")?;
                self.emit(Operation::Limits);
                self.advance()
            }
            b"auto" | b"define" | b"else" => Err(self.unexpected()),
            _ => self.expression_statement(),
        }
    }

    fn expression_statement(&mut self) -> Result<()> {
        self.expression()?;
        self.emit(if self.assigns { Operation::Drop } else { Operation::Print });
        Ok(())
    }

    /// A condition in parentheses, and the jump that is taken if it is false.
    fn condition(&mut self) -> Result<usize> {
        self.advance()?;
        self.expect(b'(')?;
        self.expression()?;
        self.expect(b')')?;
        self.emit(Operation::JumpIfZero(0));
        Ok(self.here() - 1)
    }

    fn if_statement(&mut self) -> Result<()> {
        let skip = self.condition()?;
        self.skip_newlines()?;
        self.statement()?;
        if !self.is_name(b"else") {
            let end = self.here();
            self.patch(vec![skip], end);
            return Ok(());
        }
        self.extension("the 'else' keyword")?;
        self.advance()?;
        self.skip_newlines()?;
        self.emit(Operation::Jump(0));
        let jump = self.here() - 1;
        self.patch(vec![skip], jump + 1);
        self.statement()?;
        let end = self.here();
        self.patch(vec![jump], end);
        Ok(())
    }

    fn body(&mut self) -> Result<Loop> {
        self.skip_newlines()?;
        self.loops.push(Loop::default());
        self.statement()?;
        Ok(self.loops.pop().unwrap_or_default())
    }

    fn while_statement(&mut self) -> Result<()> {
        let start = self.here();
        let exit = self.condition()?;
        let mut body = self.body()?;
        self.emit(Operation::Jump(start as u32));
        body.breaks.push(exit);
        let end = self.here();
        self.patch(body.breaks, end);
        self.patch(body.continues, start);
        Ok(())
    }

    /// An expression of `for`, which may be empty.
    fn for_part(&mut self, end: u8) -> Result<bool> {
        let is_empty = self.is_sign(end);
        if is_empty {
            self.extension("an empty expression in 'for'")?;
        } else {
            self.expression()?;
        }
        self.expect(end)?;
        Ok(!is_empty)
    }

    fn for_statement(&mut self) -> Result<()> {
        self.advance()?;
        self.expect(b'(')?;
        if self.for_part(b';')? {
            self.emit(Operation::Drop);
        }
        let start = self.here();
        let mut exits = Vec::new();
        if self.for_part(b';')? {
            self.emit(Operation::JumpIfZero(0));
            exits.push(self.here() - 1);
        }
        self.emit(Operation::Jump(0));
        let to_body = self.here() - 1;
        let step = self.here();
        if self.for_part(b')')? {
            self.emit(Operation::Drop);
        }
        self.emit(Operation::Jump(start as u32));
        let body_start = self.here();
        self.patch(vec![to_body], body_start);
        let body = self.body()?;
        self.emit(Operation::Jump(step as u32));
        exits.extend(body.breaks);
        let end = self.here();
        self.patch(exits, end);
        self.patch(body.continues, step);
        Ok(())
    }

    fn loop_exit(&mut self, name: &[u8]) -> Result<()> {
        if name == b"continue" {
            self.extension("the 'continue' keyword")?;
        }
        if self.loops.is_empty() {
            return Err(self.unexpected());
        }
        self.emit(Operation::Jump(0));
        let jump = self.here() - 1;
        if let Some(innermost) = self.loops.last_mut() {
            let jumps = if name == b"break" { &mut innermost.breaks } else { &mut innermost.continues };
            jumps.push(jump);
        }
        self.advance()
    }

    fn return_statement(&mut self) -> Result<()> {
        let Some(is_void) = self.function else { return Err(Error::new("'return' not in a function")) };
        self.advance()?;
        let ends = matches!(self.token, Token::Newline | Token::End) || self.is_sign(b';') || self.is_sign(b'}');
        if !ends {
            if !self.is_sign(b'(') {
                self.extension("'return' without parentheses")?;
            }
            if is_void {
                return Err(Error::new("a void function returns no value"));
            }
            self.expression()?;
        }
        self.emit(Operation::Return { with_value: !ends });
        Ok(())
    }

    fn print_statement(&mut self) -> Result<()> {
        self.extension("the 'print' keyword")?;
        loop {
            self.advance()?;
            if let Token::Text(text) = &self.token {
                let text = text.clone();
                let index = self.text(text);
                self.emit(Operation::Text { index, escapes: true });
                self.advance()?;
            } else {
                self.expression()?;
                self.emit(Operation::PrintBare);
            }
            if !self.is_sign(b',') {
                return Ok(());
            }
        }
    }

    fn expression(&mut self) -> Result<()> {
        self.nested(|parser| parser.logical(b'|'))
    }

    /// `||`, and below it `&&`: what is on the right is computed in every case, as in other bcs; the result is 1 or 0.
    fn logical(&mut self, sign: u8) -> Result<()> {
        let lower = |parser: &mut Self| if sign == b'|' { parser.logical(b'&') } else { parser.relation() };
        lower(self)?;
        while self.token == Token::Sign(two(sign, sign)) {
            self.extension(if sign == b'|' { "the operator ||" } else { "the operator &&" })?;
            self.advance()?;
            self.emit(Operation::Truth);
            lower(self)?;
            self.emit(Operation::Truth);
            self.emit(Operation::Compute(if sign == b'|' { Binary::Add } else { Binary::Multiply }));
            self.emit(Operation::Truth);
            self.assigns = false;
        }
        Ok(())
    }

    fn relation(&mut self) -> Result<()> {
        self.sum()?;
        loop {
            let Token::Sign(sign) = self.token else { return Ok(()) };
            let binary = match sign {
                _ if sign == two(b'=', b'=') => Binary::Equal,
                _ if sign == two(b'!', b'=') => Binary::NotEqual,
                _ if sign == two(b'<', b'=') => Binary::LessOrEqual,
                _ if sign == two(b'>', b'=') => Binary::GreaterOrEqual,
                0x3c => Binary::Less,
                0x3e => Binary::Greater,
                _ => return Ok(()),
            };
            self.advance()?;
            self.sum()?;
            self.emit(Operation::Compute(binary));
            self.assigns = false;
        }
    }

    /// Sums, products and powers: no assignment's value has a comparison in it.
    fn sum(&mut self) -> Result<()> {
        self.product()?;
        while let Token::Sign(sign @ (0x2b | 0x2d)) = self.token {
            self.advance()?;
            self.product()?;
            self.emit(Operation::Compute(if sign == 0x2b { Binary::Add } else { Binary::Subtract }));
            self.assigns = false;
        }
        Ok(())
    }

    fn product(&mut self) -> Result<()> {
        self.power()?;
        loop {
            let binary = match self.token {
                Token::Sign(0x2a) => Binary::Multiply,
                Token::Sign(0x2f) => Binary::Divide,
                Token::Sign(0x25) => Binary::Remainder,
                _ => return Ok(()),
            };
            self.advance()?;
            self.power()?;
            self.emit(Operation::Compute(binary));
            self.assigns = false;
        }
    }

    fn power(&mut self) -> Result<()> {
        self.unary()?;
        if self.is_sign(b'^') {
            self.advance()?;
            self.nested(|parser| parser.power())?;
            self.emit(Operation::Compute(Binary::Power));
            self.assigns = false;
        }
        Ok(())
    }

    fn unary(&mut self) -> Result<()> {
        let operation = match self.token {
            Token::Sign(0x2d) => Operation::Negate,
            Token::Sign(0x21) => {
                self.extension("the operator !")?;
                Operation::Not
            }
            Token::Sign(sign) if sign == two(b'+', b'+') || sign == two(b'-', b'-') => {
                self.advance()?;
                let Token::Name(name) = self.token.clone() else { return Err(self.unexpected()) };
                self.advance()?;
                let place = self.place(&name)?.ok_or_else(|| self.unexpected())?;
                self.emit(Operation::Step { place, negative: sign == two(b'-', b'-'), after: false });
                self.assigns = false;
                return Ok(());
            }
            _ => return self.primary(),
        };
        self.advance()?;
        self.nested(|parser| parser.unary())?;
        self.emit(operation);
        self.assigns = false;
        Ok(())
    }

    fn primary(&mut self) -> Result<()> {
        self.assigns = false;
        match self.token.clone() {
            Token::Number(digits) => {
                let index = self.text(digits);
                self.emit(Operation::Constant(index));
                self.advance()
            }
            Token::Sign(sign) if sign == u16::from(b'(') => {
                self.advance()?;
                self.expression()?;
                self.assigns = false;
                self.expect(b')')
            }
            Token::Sign(sign) if sign == u16::from(b'.') => {
                self.extension("'.' for the last value")?;
                self.advance()?;
                self.named(Place::Last)
            }
            Token::Name(name) => {
                self.advance()?;
                self.of_name(&name)
            }
            _ => Err(Error::parts(&[b"bad expression at '", &self.unexpected().message()[b"bad token at '".len()..]])),
        }
    }

    /// What a name that has been read begins.
    fn of_name(&mut self, name: &[u8]) -> Result<()> {
        let in_parentheses = self.is_sign(b'(');
        match name {
            b"length" | b"sqrt" | b"scale" if in_parentheses => {
                self.advance()?;
                if name == b"length"
                    && let Token::Name(array) = self.token.clone()
                    && !is_keyword(&array)
                    && self.source.rest().starts_with(b"[]")
                {
                    let array = self.name_number(&array)?;
                    self.advance()?;
                    self.advance()?;
                    self.advance()?;
                    self.emit(Operation::ArrayLength(array));
                    return self.expect(b')');
                }
                self.expression()?;
                self.assigns = false;
                self.emit(Operation::Apply(match name {
                    b"length" => Function::Length,
                    b"sqrt" => Function::SquareRoot,
                    _ => Function::Scale,
                }));
                self.expect(b')')
            }
            b"read" => {
                self.extension("the 'read' keyword")?;
                self.expect(b'(')?;
                self.emit(Operation::Read);
                self.expect(b')')
            }
            _ if in_parentheses && !is_keyword(name) => self.call(name),
            _ => match self.place(name)? {
                Some(place) => self.named(place),
                None => Err(self.unexpected()),
            },
        }
    }

    fn call(&mut self, name: &[u8]) -> Result<()> {
        let function = self.name_number(name)?;
        self.advance()?;
        let mut arguments = 0;
        while !self.is_sign(b')') {
            if arguments > 0 {
                self.expect(b',')?;
            }
            match self.token.clone() {
                Token::Name(array)
                    if !is_keyword(&array) && self.source.rest().trim_ascii_start().starts_with(b"[]") =>
                {
                    let array = self.name_number(&array)?;
                    self.advance()?;
                    self.advance()?;
                    self.advance()?;
                    self.emit(Operation::Array(array));
                }
                _ => self.expression()?,
            }
            arguments += 1;
        }
        self.advance()?;
        self.emit(Operation::Call { function, arguments });
        self.assigns = false;
        Ok(())
    }

    /// The place of a name that has been read; the index of an element is on the stack then. `None` for keywords.
    fn place(&mut self, name: &[u8]) -> Result<Option<Place>> {
        if let Some(place) = special(name) {
            if place == Place::Last {
                self.extension("the 'last' keyword")?;
            }
            return Ok(Some(place));
        }
        if is_keyword(name) {
            return Ok(None);
        }
        let name = self.name_number(name)?;
        if !self.is_sign(b'[') {
            return Ok(Some(Place::Variable(name)));
        }
        self.advance()?;
        self.expression()?;
        self.expect(b']')?;
        Ok(Some(Place::Element(name)))
    }

    /// A place: its value, an assignment to it, or a step.
    fn named(&mut self, place: Place) -> Result<()> {
        self.assigns = false;
        let Token::Sign(sign) = self.token else {
            self.emit(Operation::Load(place));
            return Ok(());
        };
        let [first, second] = sign.to_be_bytes();
        let binary = match (first, second) {
            (b'+', b'+') | (b'-', b'-') => {
                self.emit(Operation::Step { place, negative: first == b'-', after: true });
                return self.advance();
            }
            (0, b'=') => None,
            (b'+', b'=') => Some(Binary::Add),
            (b'-', b'=') => Some(Binary::Subtract),
            (b'*', b'=') => Some(Binary::Multiply),
            (b'/', b'=') => Some(Binary::Divide),
            (b'%', b'=') => Some(Binary::Remainder),
            (b'^', b'=') => Some(Binary::Power),
            _ => {
                self.emit(Operation::Load(place));
                return Ok(());
            }
        };
        if binary.is_some() {
            self.emit(Operation::LoadKeeping(place));
        }
        self.advance()?;
        self.nested(|parser| parser.sum())?;
        if let Some(binary) = binary {
            self.emit(Operation::Compute(binary));
        }
        self.emit(Operation::Store(place));
        self.assigns = true;
        Ok(())
    }
}
