//! Expressions to instructions.

use rbox_core::error::Result;

use super::compile::Compiler;
use super::resolve::Place;
use super::tree::{Arithmetic, Expr};
use awk_machine::program::{Op, Operand, builtin};
use awk_machine::special;
use awk_machine::value::Value;

/// The instruction of an operator.
fn arithmetic(operator: Arithmetic) -> Op {
    match operator {
        Arithmetic::Add => Op::Add,
        Arithmetic::Subtract => Op::Subtract,
        Arithmetic::Multiply => Op::Multiply,
        Arithmetic::Divide => Op::Divide,
        Arithmetic::Modulo => Op::Modulo,
        Arithmetic::Power => Op::Power,
    }
}

impl Compiler<'_> {
    /// The slot of a constant.
    pub(super) fn constant(&mut self, value: Value) -> Operand {
        let found = self.constants.iter().position(|constant| match (constant, &value) {
            (Value::Num(one), Value::Num(other)) => one.to_bits() == other.to_bits(),
            (Value::Str(one), Value::Str(other)) => ***one == ***other,
            (Value::Uninit, Value::Uninit) => true,
            _ => false,
        });
        let index = found.unwrap_or_else(|| {
            self.constants.push(value);
            self.constants.len() - 1
        });
        ((self.names.globals.len() + index) as u32) << 1
    }

    fn number(&mut self, number: f64) -> Operand {
        self.constant(Value::Num(number))
    }

    /// Whether evaluating the expression changes nothing, so that variables may be read before or after it.
    pub(super) fn is_pure(expr: &Expr) -> bool {
        let all = |list: &[Expr]| list.iter().all(Self::is_pure);
        match expr {
            Expr::Number(_) | Expr::String(_) | Expr::Regex(_) | Expr::Variable(_) => true,
            Expr::Field(operand) | Expr::Negate(operand) | Expr::Plus(operand) | Expr::Not(operand) => {
                Self::is_pure(operand)
            }
            Expr::Element(_, list) | Expr::In(list, _) | Expr::Concat(list) | Expr::Group(list) => all(list),
            Expr::Arithmetic(_, left, right)
            | Expr::Compare(_, left, right)
            | Expr::Match(left, right, _)
            | Expr::And(left, right)
            | Expr::Or(left, right) => Self::is_pure(left) && Self::is_pure(right),
            Expr::Choose(condition, first, second) => {
                Self::is_pure(condition) && Self::is_pure(first) && Self::is_pure(second)
            }
            Expr::Builtin(function, list, _) => {
                let changes = matches!(
                    *function,
                    builtin::SUB
                        | builtin::GSUB
                        | builtin::SPLIT
                        | builtin::MATCH
                        | builtin::PATSPLIT
                        | builtin::ASORT
                        | builtin::ASORTI
                );
                !changes && all(list)
            }
            Expr::Assign(..) | Expr::Compound(..) | Expr::Step { .. } | Expr::Call(..) | Expr::Getline(..) => false,
        }
    }

    /// Whether the operand is a temporary of the frame.
    fn is_temp(&self, operand: Operand, above: u32) -> bool {
        operand & 1 == 1 && operand >> 1 >= above
    }

    /// Compiles an expression; its value is in the slot that is returned, until something assigns to that.
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Operand> {
        match expr {
            Expr::Number(_) | Expr::String(_) | Expr::Variable(_) => self.raw(expr),
            Expr::Group(list) if list.len() == 1 => self.expr(&list[0]),
            Expr::Assign(target, value) => self.assign(target, value),
            Expr::Compound(operator, target, value) => self.compound(*operator, target, value),
            Expr::Step { before, minus, target } => self.step(*before, *minus, target, true),
            Expr::Plus(operand) => {
                let operand = self.numeric(operand)?;
                let dest = self.temp();
                self.emit(Op::ToNumber, 0, dest, operand, 0);
                Ok(dest)
            }
            Expr::Getline(from, target, source) => self.getline(*from, target.as_deref(), source.as_deref()),
            expr => {
                let dest = self.temp();
                self.into(expr, dest)?;
                Ok(dest)
            }
        }
    }

    /// As `expr`, but a regular expression is itself, not whether the record matches it.
    pub(super) fn raw(&mut self, expr: &Expr) -> Result<Operand> {
        match expr {
            Expr::Number(number) => Ok(self.number(*number)),
            Expr::String(bytes) => Ok(self.constant(Value::text(bytes))),
            Expr::Regex(bytes) => {
                self.regexes.push(bytes.clone());
                let value = Value::Regex(self.regexes.len() as u32 - 1);
                Ok(self.constant(value))
            }
            Expr::Group(list) if list.len() == 1 => self.raw(&list[0]),
            Expr::Variable(place) => {
                if *place == Place::Global(special::NF) {
                    self.emit(Op::CountFields, 0, 0, 0, 0);
                }
                Ok(Self::slot(*place))
            }
            expr => self.expr(expr),
        }
    }

    /// As `expr`, where only the number counts: that of a field is made without its string.
    fn numeric(&mut self, expr: &Expr) -> Result<Operand> {
        let Expr::Field(number) = expr else { return self.expr(expr) };
        let number = self.expr(number)?;
        let dest = self.temp();
        self.emit(Op::FieldNumber, 0, dest, number, 0);
        Ok(dest)
    }

    /// As `expr`, in a slot that nothing else changes.
    pub(super) fn copied(&mut self, expr: &Expr) -> Result<Operand> {
        let top = self.top;
        let operand = self.expr(expr)?;
        if self.is_temp(operand, top) {
            return Ok(operand);
        }
        let dest = self.temp();
        self.emit(Op::Move, 0, dest, operand, 0);
        Ok(dest)
    }

    /// Two operands, evaluated from left to right.
    fn pair(&mut self, left: &Expr, right: &Expr, is_numeric: bool) -> Result<(Operand, Operand)> {
        let first = match (Self::is_pure(right), is_numeric) {
            (true, true) => self.numeric(left)?,
            (true, false) => self.expr(left)?,
            (false, _) => self.copied(left)?,
        };
        let second = if is_numeric { self.numeric(right)? } else { self.expr(right)? };
        Ok((first, second))
    }

    /// Compiles an expression into a slot, which is written last.
    fn into(&mut self, expr: &Expr, dest: Operand) -> Result<()> {
        let top = self.top;
        match expr {
            Expr::Arithmetic(operator, left, right) => {
                let (left, right) = self.pair(left, right, true)?;
                self.emit(arithmetic(*operator), 0, dest, left, right);
            }
            Expr::Compare(comparison, left, right) => {
                let (left, right) = self.pair(left, right, false)?;
                self.emit(Op::Compare, *comparison as u8, dest, left, right);
            }
            Expr::Concat(parts) => self.concat(parts, dest)?,
            Expr::Field(number) => {
                let number = self.expr(number)?;
                self.emit(Op::Field, 0, dest, number, 0);
            }
            Expr::Element(array, subscripts) => {
                let key = self.subscript(subscripts)?;
                self.emit(Op::Element, 0, dest, Self::slot(*array), key);
            }
            Expr::Negate(operand) => {
                let operand = self.numeric(operand)?;
                self.emit(Op::Negate, 0, dest, operand, 0);
            }
            Expr::Not(operand) => {
                let operand = self.expr(operand)?;
                self.emit(Op::Not, 0, dest, operand, 0);
            }
            Expr::Regex(_) => {
                let regex = self.raw(expr)?;
                self.emit(Op::MatchRecord, 0, dest, 0, regex);
            }
            Expr::Match(text, regex, negated) => {
                let text = if Self::is_pure(regex) { self.expr(text)? } else { self.copied(text)? };
                let regex = self.raw(regex)?;
                self.emit(Op::Match, u8::from(*negated), dest, text, regex);
            }
            Expr::In(subscripts, array) => {
                let key = self.subscript(subscripts)?;
                self.emit(Op::In, 0, dest, Self::slot(*array), key);
            }
            Expr::And(..) | Expr::Or(..) => self.truth(expr, dest)?,
            Expr::Choose(condition, first, second) => self.choose(condition, first, second, dest)?,
            Expr::Call(function, arguments, at) => self.call(*function, arguments, *at, dest)?,
            Expr::Builtin(function, arguments, at) => self.builtin(*function, arguments, *at, dest)?,
            Expr::Group(list) if list.len() == 1 => self.into(&list[0], dest)?,
            Expr::Group(_) => return Err(self.error("Unexpected token")),
            expr => {
                let value = self.expr(expr)?;
                self.emit(Op::Move, 0, dest, value, 0);
            }
        }
        self.top = top;
        Ok(())
    }

    /// The first two parts make a temporary, to which the others are appended.
    fn concat(&mut self, parts: &[Expr], dest: Operand) -> Result<()> {
        let (mut left, second) = self.pair(&parts[0], &parts[1], false)?;
        let middle = if parts.len() == 2 { dest } else { self.temp() };
        self.emit(Op::Concat, 0, middle, left, second);
        left = middle;
        for (index, part) in parts.iter().enumerate().skip(2) {
            let top = self.top;
            let right = self.expr(part)?;
            let target = if index + 1 == parts.len() { dest } else { left };
            self.emit(Op::Append, 0, target, left, right);
            self.top = top;
        }
        Ok(())
    }

    /// The key of an element.
    pub(super) fn subscript(&mut self, subscripts: &[Expr]) -> Result<Operand> {
        if let [subscript] = subscripts {
            return self.expr(subscript);
        }
        let first = self.consecutive(subscripts)?;
        let dest = self.temp();
        self.emit(Op::Subscript, 0, dest, first, subscripts.len() as u32);
        Ok(dest)
    }

    /// The values of a list in slots one after the other; the first of these.
    pub(super) fn consecutive(&mut self, list: &[Expr]) -> Result<Operand> {
        let first = self.top << 1 | 1;
        for expr in list {
            let dest = self.temp();
            self.into(expr, dest)?;
        }
        Ok(first)
    }

    /// Jumps, by the jumps added to `skips`, unless the condition is true.
    pub(super) fn condition(&mut self, expr: &Expr, skips: &mut Vec<usize>) -> Result<()> {
        let top = self.top;
        match expr {
            Expr::Group(list) if list.len() == 1 => self.condition(&list[0], skips)?,
            Expr::And(left, right) => {
                self.condition(left, skips)?;
                self.condition(right, skips)?;
            }
            Expr::Compare(comparison, left, right) => {
                let (left, right) = self.pair(left, right, false)?;
                skips.push(self.emit(Op::JumpUnless, *comparison as u8, left, right, 0));
            }
            Expr::Not(operand) => {
                let operand = self.expr(operand)?;
                skips.push(self.jump(Op::JumpTrue, operand));
            }
            expr => {
                let value = self.expr(expr)?;
                skips.push(self.jump(Op::JumpFalse, value));
            }
        }
        self.top = top;
        Ok(())
    }

    /// `&&` and `||`: 1 or 0.
    fn truth(&mut self, expr: &Expr, dest: Operand) -> Result<()> {
        let (left, right, op) = match expr {
            Expr::And(left, right) => (left, right, Op::JumpFalse),
            Expr::Or(left, right) => (left, right, Op::JumpTrue),
            _ => return self.into(expr, dest),
        };
        // The result may be a variable that the second operand has.
        let result = self.temp();
        let value = self.expr(left)?;
        self.emit(Op::Truth, 0, result, value, 0);
        let end = self.jump(op, result);
        let value = self.expr(right)?;
        self.emit(Op::Truth, 0, result, value, 0);
        self.land(end);
        self.emit(Op::Move, 0, dest, result, 0);
        Ok(())
    }

    fn choose(&mut self, condition: &Expr, first: &Expr, second: &Expr, dest: Operand) -> Result<()> {
        let mut skips = Vec::new();
        self.condition(condition, &mut skips)?;
        self.into(first, dest)?;
        let end = self.jump(Op::Jump, 0);
        skips.into_iter().for_each(|jump| self.land(jump));
        self.into(second, dest)?;
        self.land(end);
        Ok(())
    }

    /// An expression whose value is not used.
    pub(super) fn effect(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Step { before: _, minus, target } => {
                self.step(true, *minus, target, false)?;
            }
            Expr::Group(list) if list.len() == 1 => self.effect(&list[0])?,
            expr => {
                self.expr(expr)?;
            }
        }
        Ok(())
    }

    /// Stores a slot's value in a target.
    pub(super) fn store(&mut self, target: &Expr, value: Operand) -> Result<()> {
        match target {
            Expr::Variable(place) => {
                self.changing(*place);
                self.emit(Op::Move, 0, Self::slot(*place), value, 0);
                self.changed(*place);
            }
            Expr::Field(number) => {
                let number = self.expr(number)?;
                self.emit(Op::SetField, 0, number, value, 0);
            }
            Expr::Element(array, subscripts) => {
                let key = self.subscript(subscripts)?;
                self.emit(Op::SetElement, 0, value, Self::slot(*array), key);
            }
            _ => return Err(self.error("Unexpected token")),
        }
        Ok(())
    }

    /// Before an assignment to a variable: fields that were assigned to are joined by the OFS and the CONVFMT of now.
    fn changing(&mut self, place: Place) {
        if matches!(place, Place::Global(special::OFS | special::CONVFMT)) {
            self.emit(Op::Join, 0, 0, 0, 0);
        }
    }

    /// After an assignment to a variable: the machine looks at those that mean something to it.
    fn changed(&mut self, place: Place) {
        if let Place::Global(index) = place
            && matches!(
                index,
                special::NF
                    | special::FS
                    | special::RS
                    | special::CONVFMT
                    | special::OFMT
                    | special::IGNORECASE
                    | special::FIELDWIDTHS
                    | special::FPAT
            )
        {
            self.emit(Op::Changed, 0, index, 0, 0);
        }
    }

    fn assign(&mut self, target: &Expr, value: &Expr) -> Result<Operand> {
        match target {
            Expr::Variable(place) => {
                let slot = Self::slot(*place);
                // A special variable is written by one instruction, after its value is known.
                if matches!(place, Place::Global(index) if *index < special::COUNT) {
                    let value = self.expr(value)?;
                    self.store(target, value)?;
                    return Ok(slot);
                }
                if !self.extends(*place, value)? {
                    self.into(value, slot)?;
                }
                self.changed(*place);
                Ok(slot)
            }
            // The subscript is evaluated first, as mawk and gawk do.
            Expr::Element(array, subscripts) if !Self::is_pure(value) => {
                let key = match &subscripts[..] {
                    [subscript] => self.copied(subscript)?,
                    subscripts => self.subscript(subscripts)?,
                };
                let value = self.copied(value)?;
                self.emit(Op::SetElement, 0, value, Self::slot(*array), key);
                Ok(value)
            }
            Expr::Field(number) if !Self::is_pure(value) => {
                let number = self.copied(number)?;
                let value = self.copied(value)?;
                self.emit(Op::SetField, 0, number, value, 0);
                Ok(value)
            }
            target => {
                let value = self.copied(value)?;
                self.store(target, value)?;
                Ok(value)
            }
        }
    }

    /// `s = s x y`: x and y are added at the end of s, in place.
    fn extends(&mut self, place: Place, value: &Expr) -> Result<bool> {
        let Expr::Concat(parts) = value else { return Ok(false) };
        let Some((Expr::Variable(first), rest)) = parts.split_first() else { return Ok(false) };
        let is_plain = |part: &Expr| match part {
            Expr::Variable(other) => *other != place,
            Expr::String(_) | Expr::Number(_) => true,
            Expr::Field(number) => matches!(**number, Expr::Number(_)),
            _ => false,
        };
        if *first != place || !rest.iter().all(is_plain) {
            return Ok(false);
        }
        let slot = Self::slot(place);
        for part in rest {
            let part = self.expr(part)?;
            self.emit(Op::Append, 0, slot, slot, part);
        }
        Ok(true)
    }

    fn compound(&mut self, operator: Arithmetic, target: &Expr, value: &Expr) -> Result<Operand> {
        match target {
            Expr::Variable(place) => {
                let value = self.numeric(value)?;
                let slot = self.raw(target)?;
                self.emit(arithmetic(operator), 0, slot, slot, value);
                self.changed(*place);
                Ok(slot)
            }
            Expr::Element(array, subscripts) => {
                let key = match (&subscripts[..], Self::is_pure(value)) {
                    ([subscript], false) => self.copied(subscript)?,
                    _ => self.subscript(subscripts)?,
                };
                let value = self.numeric(value)?;
                let dest = self.temp();
                self.emit(Op::Move, 0, dest, value, 0);
                self.emit(Op::ElementArithmetic, operator as u8, dest, Self::slot(*array), key);
                Ok(dest)
            }
            Expr::Field(number) => {
                let number = self.copied(number)?;
                let value = self.numeric(value)?;
                let dest = self.temp();
                self.emit(Op::FieldNumber, 0, dest, number, 0);
                self.emit(arithmetic(operator), 0, dest, dest, value);
                self.emit(Op::SetField, 0, number, dest, 0);
                Ok(dest)
            }
            _ => Err(self.error("Unexpected token")),
        }
    }

    /// `++` and `--`; the value is the one before, or after, if it `is_used`.
    fn step(&mut self, before: bool, minus: bool, target: &Expr, is_used: bool) -> Result<Operand> {
        let op = if minus { Op::Subtract } else { Op::Add };
        let one = self.number(1.0);
        match target {
            Expr::Variable(place) => {
                let slot = self.raw(target)?;
                let mut result = slot;
                if !before {
                    result = self.temp();
                    self.emit(Op::ToNumber, 0, result, slot, 0);
                }
                self.emit(op, 0, slot, slot, one);
                self.changed(*place);
                if before && is_used {
                    result = self.temp();
                    self.emit(Op::Move, 0, result, slot, 0);
                }
                Ok(result)
            }
            Expr::Element(array, subscripts) => {
                let key = self.subscript(subscripts)?;
                let dest = self.temp();
                let x = u8::from(!before) | u8::from(minus) << 1;
                self.emit(Op::StepElement, x, dest, Self::slot(*array), key);
                Ok(dest)
            }
            Expr::Field(number) => {
                let number = self.copied(number)?;
                let (old, new) = (self.temp(), self.temp());
                self.emit(Op::FieldNumber, 0, old, number, 0);
                self.emit(op, 0, new, old, one);
                self.emit(Op::SetField, 0, number, new, 0);
                Ok(if before { new } else { old })
            }
            _ => Err(self.error("Unexpected token")),
        }
    }

    fn call(&mut self, function: u32, arguments: &[Expr], at: usize, dest: Operand) -> Result<()> {
        self.at = at;
        if arguments.len() > self.names.functions[function as usize].parameters {
            return Err(self.error("Too many arguments"));
        }
        let first = self.arguments(arguments, |_| true)?;
        self.emit(Op::Call, arguments.len() as u8, dest, first, function);
        Ok(())
    }

    /// Arguments in slots one after the other. A variable alone may be an array, where `may_be_array` says so.
    fn arguments(&mut self, arguments: &[Expr], may_be_array: impl Fn(usize) -> bool) -> Result<Operand> {
        let first = self.top << 1 | 1;
        for (index, argument) in arguments.iter().enumerate() {
            let dest = self.temp();
            match argument {
                Expr::Variable(_) if may_be_array(index) => {
                    let slot = self.raw(argument)?;
                    self.emit(Op::Pass, 0, dest, slot, 0);
                }
                argument => self.into(argument, dest)?,
            }
        }
        Ok(first)
    }

    fn builtin(&mut self, function: u8, arguments: &[Expr], at: usize, dest: Operand) -> Result<()> {
        self.at = at;
        self.check_arguments(function, arguments.len())?;
        match (function, arguments) {
            (builtin::LENGTH, []) => {
                let record = self.number(0.0);
                self.emit(Op::FieldLength, 0, dest, record, 0);
            }
            (builtin::LENGTH, [Expr::Field(number)]) => {
                let number = self.expr(number)?;
                self.emit(Op::FieldLength, 0, dest, number, 0);
            }
            (builtin::LENGTH, [argument]) => {
                let argument = self.expr(argument)?;
                self.emit(Op::Length, 0, dest, argument, 0);
            }
            (builtin::SUB | builtin::GSUB, _) => self.substitute(function, arguments, dest)?,
            _ => {
                // Which arguments are arrays, and which regular expressions are not matched now.
                let is_array = |index: usize| match function {
                    builtin::SPLIT | builtin::PATSPLIT => index == 1 || index == 3,
                    builtin::MATCH => index == 2,
                    builtin::ASORT | builtin::ASORTI => index < 2,
                    builtin::ISARRAY => true,
                    _ => false,
                };
                let is_regex = |index: usize| match function {
                    builtin::SPLIT | builtin::PATSPLIT => index == 2,
                    builtin::MATCH => index == 1,
                    builtin::GENSUB => index == 0,
                    _ => false,
                };
                let first = self.top << 1 | 1;
                for (index, argument) in arguments.iter().enumerate() {
                    if is_regex(index) {
                        let slot = self.temp();
                        let regex = self.raw(argument)?;
                        self.emit(Op::Move, 0, slot, regex, 0);
                    } else {
                        self.arguments(core::slice::from_ref(argument), |_| is_array(index))?;
                    }
                    self.top = (first >> 1) + index as u32 + 1;
                }
                self.emit(Op::Builtin, function, dest, first, arguments.len() as u32);
            }
        }
        Ok(())
    }

    /// `sub` and `gsub`: the replacement, the expression and the target's string are in slots one after the other; the
    /// target is assigned to if something was replaced. The record, when it is the target, is changed in place.
    fn substitute(&mut self, function: u8, arguments: &[Expr], dest: Operand) -> Result<()> {
        let (replacement, regex) = (self.temp(), self.temp());
        let value = self.raw(&arguments[0])?;
        self.emit(Op::Move, 0, regex, value, 0);
        self.into(&arguments[1], replacement)?;
        let target = match arguments.get(2) {
            Some(Expr::Group(list)) if list.len() == 1 => Some(&list[0]),
            target => target,
        };
        let Some(target) = target else {
            self.emit(Op::Builtin, function, dest, replacement, 2);
            return Ok(());
        };
        let (text, count) = (self.temp(), self.temp());
        self.into(target, text)?;
        self.emit(Op::Builtin, function, count, replacement, 3);
        if target.is_target() {
            let skip = self.jump(Op::JumpFalse, count);
            self.store(target, text)?;
            self.land(skip);
        }
        self.emit(Op::Move, 0, dest, count, 0);
        Ok(())
    }
}
