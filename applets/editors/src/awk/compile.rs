//! The syntax tree to instructions: rules, functions and statements. Expressions are in `generate`.

use rbox_core::error::{Error, Result};

use super::parser::Program;
use super::resolve::{Names, Place};
use super::tree::{Comparison, Expr, From, Node, Pattern, Rule, Statement, To};
use awk_machine::program::{Code, Function, Instr, Op, Operand, builtin};
use awk_machine::script::Script;
use awk_machine::special;
use awk_machine::value::Value;

/// A loop or `switch`, and the jumps out of it that wait for its end.
struct Loop {
    breaks: Vec<usize>,
    continues: Vec<usize>,
    is_switch: bool,
}

/// The state of compiling.
pub struct Compiler<'a> {
    script: &'a Script,
    pub(super) names: &'a Names,
    pub(super) instrs: Vec<Instr>,
    offsets: Vec<u32>,
    pub(super) constants: Vec<Value>,
    pub(super) regexes: Vec<Vec<u8>>,
    ranges: usize,
    /// The next free slot of the frame.
    pub(super) top: u32,
    /// The most slots that the frame needs.
    frame: u32,
    loops: Vec<Loop>,
    /// The offset of what is compiled.
    pub(super) at: usize,
}

/// Compiles a program.
pub fn compile(script: &Script, program: &Program) -> Result<Code> {
    let mut compiler = Compiler {
        script,
        names: &program.names,
        instrs: Vec::new(),
        offsets: Vec::new(),
        constants: Vec::new(),
        regexes: Vec::new(),
        ranges: 0,
        top: 0,
        frame: 0,
        loops: Vec::new(),
        at: 0,
    };
    let rules = &program.rules;
    let begin = compiler.rules(rules, |pattern| matches!(pattern, Pattern::Begin))?;
    let begin_file = compiler.rules(rules, |pattern| matches!(pattern, Pattern::BeginFile))?;
    let main = compiler.rules(rules, is_main)?;
    let end_file = compiler.rules(rules, |pattern| matches!(pattern, Pattern::EndFile))?;
    let end = compiler.rules(rules, |pattern| matches!(pattern, Pattern::End))?;
    let frame = compiler.frame as usize;
    let functions = compiler.functions()?;
    let has = |kind: fn(&Pattern) -> bool| rules.iter().any(|rule| kind(&rule.pattern));
    let has_file_rules = has(|pattern| matches!(pattern, Pattern::BeginFile | Pattern::EndFile));
    let mut slots = vec![Value::Uninit; program.names.globals.len()];
    slots.append(&mut compiler.constants);
    let terminator = special::RT << 1;
    let uses_terminator = compiler.instrs.iter().any(|instr| [instr.a, instr.b, instr.c].contains(&terminator));
    Ok(Code {
        instrs: compiler.instrs,
        offsets: compiler.offsets,
        slots,
        globals: program.names.globals.clone(),
        functions,
        function_names: program.names.functions.iter().map(|function| function.name.clone()).collect(),
        regexes: compiler.regexes,
        ranges: compiler.ranges,
        frame,
        begin,
        main,
        end,
        begin_file,
        end_file,
        reads_input: has_file_rules || has(|pattern| is_main(pattern) || matches!(pattern, Pattern::End)),
        has_main: has(is_main),
        has_file_rules,
        uses_terminator,
    })
}

fn is_main(pattern: &Pattern) -> bool {
    matches!(pattern, Pattern::Always | Pattern::When(_) | Pattern::Range(..))
}

impl Compiler<'_> {
    /// An error at what is compiled.
    pub(super) fn error(&self, message: &str) -> Error {
        self.script.error(self.at, message.as_bytes())
    }

    /// Adds an instruction, and returns its index.
    pub(super) fn emit(&mut self, op: Op, x: u8, a: u32, b: u32, c: u32) -> usize {
        self.instrs.push(Instr { op, x, a, b, c });
        self.offsets.push(u32::try_from(self.at).unwrap_or(u32::MAX));
        self.instrs.len() - 1
    }

    /// Adds a jump whose target is set by `land`.
    pub(super) fn jump(&mut self, op: Op, a: Operand) -> usize {
        self.emit(op, 0, a, 0, 0)
    }

    /// Lets a jump lead to the next instruction.
    pub(super) fn land(&mut self, jump: usize) {
        self.instrs[jump].c = self.instrs.len() as u32;
    }

    /// A free slot of the frame.
    pub(super) fn temp(&mut self) -> Operand {
        self.top += 1;
        self.frame = self.frame.max(self.top);
        (self.top - 1) << 1 | 1
    }

    /// The slot of a variable.
    pub(super) fn slot(place: Place) -> Operand {
        match place {
            Place::Global(index) => index << 1,
            Place::Local(index) => index << 1 | 1,
        }
    }

    /// The rules of one kind, one after the other; the index of the first instruction.
    fn rules(&mut self, rules: &[Rule], is_kind: fn(&Pattern) -> bool) -> Result<usize> {
        let start = self.instrs.len();
        for rule in rules.iter().filter(|rule| is_kind(&rule.pattern)) {
            self.at = rule.at;
            self.top = 0;
            let mut skips = Vec::new();
            match &rule.pattern {
                Pattern::When(condition) => self.condition(condition, &mut skips)?,
                Pattern::Range(first, last) => self.range(first, last, &mut skips)?,
                _ => {}
            }
            match &rule.action {
                Some(action) => self.block(action)?,
                None => {
                    self.emit(Op::WriteRecord, 0, 0, 0, 0);
                    self.emit(Op::EndWrite, 1, 0, 0, 0);
                }
            }
            skips.into_iter().for_each(|jump| self.land(jump));
        }
        self.emit(Op::End, 0, 0, 0, 0);
        Ok(start)
    }

    /// POSIX XCU awk, Pattern Ranges: one record may both begin and end a range.
    fn range(&mut self, first: &Expr, last: &Expr, skips: &mut Vec<usize>) -> Result<()> {
        let number = self.ranges as u32;
        self.ranges += 1;
        let begun = self.temp();
        self.emit(Op::RangeBegun, 0, begun, number, 0);
        let is_begun = self.jump(Op::JumpTrue, begun);
        self.condition(first, skips)?;
        self.emit(Op::SetRange, 1, 0, number, 0);
        self.land(is_begun);
        let mut goes_on = Vec::new();
        self.condition(last, &mut goes_on)?;
        self.emit(Op::SetRange, 0, 0, number, 0);
        goes_on.into_iter().for_each(|jump| self.land(jump));
        Ok(())
    }

    fn functions(&mut self) -> Result<Vec<Function>> {
        let mut functions = Vec::new();
        for function in &self.names.functions {
            let start = self.instrs.len();
            (self.top, self.frame) = (function.parameters as u32, function.parameters as u32);
            self.block(function.body.as_deref().unwrap_or_default())?;
            let nothing = self.constant(Value::Uninit);
            self.emit(Op::Return, 0, nothing, 0, 0);
            functions.push(Function { start, parameters: function.parameters, frame: self.frame as usize });
        }
        Ok(functions)
    }

    fn block(&mut self, nodes: &[Node]) -> Result<()> {
        for node in nodes {
            self.at = node.at;
            self.statement(&node.statement)?;
        }
        Ok(())
    }

    /// Compiles a statement; the temporaries it needs are free after it.
    fn statement(&mut self, statement: &Statement) -> Result<()> {
        let top = self.top;
        let result = self.statement_inside(statement);
        self.top = top;
        result
    }

    fn statement_inside(&mut self, statement: &Statement) -> Result<()> {
        match statement {
            Statement::Expr(expr) => self.effect(expr),
            Statement::Print(list, to) => self.print(list, to.as_ref()),
            Statement::Printf(list, to) => {
                let first = self.consecutive(list)?;
                self.redirect(to.as_ref())?;
                self.emit(Op::Printf, 0, 0, first, list.len() as u32);
                self.emit(Op::EndWrite, 0, 0, 0, 0);
                Ok(())
            }
            Statement::If(condition, then, other) => self.conditional(condition, then, other.as_deref()),
            Statement::While(condition, body) => self.repeat(None, Some(condition), None, body),
            Statement::For(first, condition, last, body) => {
                self.repeat(first.as_deref(), condition.as_ref(), last.as_deref(), body)
            }
            Statement::Do(body, condition) => self.do_loop(body, condition),
            Statement::ForIn(target, array, body) => self.for_in(target, *array, body),
            Statement::Switch(value, cases) => self.switch(value, cases),
            Statement::Block(nodes) => self.block(nodes),
            Statement::Delete(array, subscripts) => {
                let array = Self::slot(*array);
                match subscripts {
                    Some(subscripts) => {
                        let key = self.subscript(subscripts)?;
                        self.emit(Op::Delete, 0, array, key, 0);
                    }
                    None => {
                        self.emit(Op::Clear, 0, array, 0, 0);
                    }
                }
                Ok(())
            }
            Statement::Next => self.plain(Op::Next),
            Statement::NextFile => self.plain(Op::NextFile),
            Statement::Exit(status) => {
                let value = self.optional(status.as_ref())?;
                self.emit(Op::Exit, u8::from(status.is_some()), value, 0, 0);
                Ok(())
            }
            Statement::Return(value) => {
                let value = self.optional(value.as_ref())?;
                self.emit(Op::Return, 0, value, 0, 0);
                Ok(())
            }
            Statement::Break => {
                let jump = self.jump(Op::Jump, 0);
                if let Some(last) = self.loops.last_mut() {
                    last.breaks.push(jump);
                }
                Ok(())
            }
            Statement::Continue => {
                let jump = self.jump(Op::Jump, 0);
                if let Some(last) = self.loops.iter_mut().rev().find(|one| !one.is_switch) {
                    last.continues.push(jump);
                }
                Ok(())
            }
        }
    }

    fn plain(&mut self, op: Op) -> Result<()> {
        self.emit(op, 0, 0, 0, 0);
        Ok(())
    }

    fn optional(&mut self, value: Option<&Expr>) -> Result<Operand> {
        match value {
            Some(value) => self.expr(value),
            None => Ok(self.constant(Value::Uninit)),
        }
    }

    /// `print`: the list is evaluated before anything is written, unless evaluating it cannot be seen.
    fn print(&mut self, list: &[Expr], to: Option<&(To, Expr)>) -> Result<()> {
        let is_simple =
            list.iter().all(|part| matches!(part, Expr::Field(number) if matches!(**number, Expr::Number(_))));
        let mut operands = Vec::new();
        if list.iter().any(|part| !Self::is_pure(part)) {
            // A variable that a later part assigns to is printed as it was.
            let first = self.consecutive(list)?;
            operands.extend((0..list.len() as u32).map(|index| first + 2 * index));
        } else if !is_simple {
            for part in list {
                operands.push(self.expr(part)?);
            }
        }
        self.redirect(to)?;
        if list.is_empty() {
            self.emit(Op::WriteRecord, 0, 0, 0, 0);
        }
        for (index, part) in list.iter().enumerate() {
            if index > 0 {
                self.emit(Op::WriteSeparator, 0, 0, 0, 0);
            }
            match (part, operands.get(index)) {
                (_, Some(&operand)) => self.emit(Op::Write, 0, operand, 0, 0),
                (Expr::Field(number), None) => {
                    let number = self.expr(number)?;
                    self.emit(Op::WriteField, 0, number, 0, 0)
                }
                _ => continue,
            };
        }
        self.emit(Op::EndWrite, 1, 0, 0, 0);
        Ok(())
    }

    fn redirect(&mut self, to: Option<&(To, Expr)>) -> Result<()> {
        if let Some((to, target)) = to {
            let target = self.expr(target)?;
            self.emit(Op::Redirect, *to as u8, 0, target, 0);
        }
        Ok(())
    }

    fn conditional(&mut self, condition: &Expr, then: &Statement, other: Option<&Statement>) -> Result<()> {
        let mut skips = Vec::new();
        self.condition(condition, &mut skips)?;
        self.statement(then)?;
        let Some(other) = other else {
            skips.into_iter().for_each(|jump| self.land(jump));
            return Ok(());
        };
        let end = self.jump(Op::Jump, 0);
        skips.into_iter().for_each(|jump| self.land(jump));
        self.statement(other)?;
        self.land(end);
        Ok(())
    }

    fn begin_loop(&mut self, is_switch: bool) {
        self.loops.push(Loop { breaks: Vec::new(), continues: Vec::new(), is_switch });
    }

    /// Lets `continue` lead to the next instruction.
    fn land_continues(&mut self) {
        let continues = self.loops.last_mut().map(|last| core::mem::take(&mut last.continues)).unwrap_or_default();
        continues.into_iter().for_each(|jump| self.land(jump));
    }

    /// Ends the loop: `break` leads to the next instruction.
    fn end_loop(&mut self) {
        let breaks = self.loops.pop().map(|last| last.breaks).unwrap_or_default();
        breaks.into_iter().for_each(|jump| self.land(jump));
    }

    /// `while` and `for`..
    fn repeat(
        &mut self,
        first: Option<&Statement>,
        condition: Option<&Expr>,
        last: Option<&Statement>,
        body: &Statement,
    ) -> Result<()> {
        if let Some(first) = first {
            self.statement(first)?;
        }
        self.begin_loop(false);
        let start = self.instrs.len() as u32;
        let mut ends = Vec::new();
        let top = self.top;
        if let Some(condition) = condition {
            self.condition(condition, &mut ends)?;
        }
        self.top = top;
        self.statement(body)?;
        self.land_continues();
        if let Some(last) = last {
            self.statement(last)?;
        }
        self.emit(Op::Jump, 0, 0, 0, start);
        ends.into_iter().for_each(|jump| self.land(jump));
        self.end_loop();
        Ok(())
    }

    fn do_loop(&mut self, body: &Statement, condition: &Expr) -> Result<()> {
        self.begin_loop(false);
        let start = self.instrs.len() as u32;
        self.statement(body)?;
        self.land_continues();
        let mut ends = Vec::new();
        self.condition(condition, &mut ends)?;
        self.emit(Op::Jump, 0, 0, 0, start);
        ends.into_iter().for_each(|jump| self.land(jump));
        self.end_loop();
        Ok(())
    }

    fn for_in(&mut self, target: &Expr, array: Place, body: &Statement) -> Result<()> {
        self.emit(Op::Keys, 0, Self::slot(array), 0, 0);
        self.begin_loop(false);
        let start = self.instrs.len() as u32;
        let key = self.temp();
        let end = self.jump(Op::NextKey, key);
        self.store(target, key)?;
        self.statement(body)?;
        self.land_continues();
        self.emit(Op::Jump, 0, 0, 0, start);
        self.land(end);
        self.end_loop();
        self.emit(Op::EndKeys, 0, 0, 0, 0);
        Ok(())
    }

    fn switch(&mut self, value: &Expr, cases: &[(Option<Expr>, Vec<Node>)]) -> Result<()> {
        let value = self.copied(value)?;
        let mut jumps = Vec::new();
        for (case, _) in cases {
            let Some(case) = case else {
                jumps.push(None);
                continue;
            };
            let result = self.temp();
            let operand = self.raw(case)?;
            if matches!(case, Expr::Regex(_)) {
                self.emit(Op::Match, 0, result, value, operand);
            } else {
                self.emit(Op::Compare, Comparison::Equal as u8, result, value, operand);
            }
            jumps.push(Some(self.jump(Op::JumpTrue, result)));
        }
        let otherwise = self.jump(Op::Jump, 0);
        self.begin_loop(true);
        let has_default = jumps.contains(&None);
        for ((_, nodes), jump) in cases.iter().zip(jumps) {
            self.land(jump.unwrap_or(otherwise));
            self.block(nodes)?;
        }
        if !has_default {
            self.land(otherwise);
        }
        self.end_loop();
        Ok(())
    }

    /// `getline`: what was read is assigned if something was.
    pub(super) fn getline(&mut self, from: From, target: Option<&Expr>, source: Option<&Expr>) -> Result<Operand> {
        let source = match source {
            Some(source) => self.expr(source)?,
            None => 0,
        };
        let (result, text) = (self.temp(), self.temp());
        self.emit(Op::Getline, from as u8 | u8::from(target.is_some()) << 2, result, source, text);
        if let Some(target) = target {
            let zero = self.constant(Value::Num(0.0));
            let skip = self.emit(Op::JumpUnless, Comparison::Greater as u8, result, zero, 0);
            self.store(target, text)?;
            self.land(skip);
        }
        Ok(result)
    }

    /// The number of arguments of a function of the language, checked.
    pub(super) fn check_arguments(&self, function: u8, count: usize) -> Result<()> {
        use builtin::*;
        let (least, most) = match function {
            LENGTH | SRAND => (0, 1),
            SUBSTR => (2, 3),
            INDEX | ATAN2 | LSHIFT | RSHIFT => (2, 2),
            SPLIT | PATSPLIT => (2, 4),
            SUB | GSUB => (2, 3),
            MATCH => (2, 3),
            SPRINTF => (1, usize::MAX),
            AND | OR | XOR => (2, usize::MAX),
            RAND | SYSTIME => (0, 0),
            FFLUSH => (0, 1),
            GENSUB => (3, 4),
            STRFTIME => (0, 3),
            MKTIME | CLOSE => (1, 2),
            ASORT | ASORTI => (1, 3),
            _ => (1, 1),
        };
        if count < least {
            return Err(self.error("Too few arguments"));
        }
        if count > most { Err(self.error("Too many arguments")) } else { Ok(()) }
    }
}
