//! Parameter expansion (XCU 2.6.2) and bash's additions to it.

use super::fields::{Fields, Mode};
use super::pattern::width;
use super::value::{change_case, characters, replace, slice, trim};
use crate::state::array::Array;
use crate::state::slot::Special;
use crate::state::{Fail, Shell};
use crate::syntax::ast::{Arith, Param, ParamName, ParamOp, Word};
use crate::syntax::copied::Copied;
use crate::syntax::parser::{BAD_SUBSTITUTION, SyntaxError, parse_document};
use crate::syntax::quote;
use crate::syntax::symbols::Sym;
use crate::syntax::symbols::split_subscript;
use rbox_core::escape;
use rbox_core::text;
use std::rc::Rc;

impl Shell {
    /// Expands one parameter into the fields.
    pub fn expand_param(&mut self, param: &Param, fields: &mut Fields) -> Result<(), Fail> {
        let quoted = param.quoted;
        if let ParamOp::Bad(_) = param.op {
            return Err(self.bad_substitution());
        }
        if let ParamOp::Indirect(op) = &param.op {
            return self.expand_indirect(&param.name, op, quoted, fields);
        }
        match &param.name {
            ParamName::Special(operator @ (b'@' | b'*')) => {
                return self.expand_list(
                    &param.op,
                    quoted,
                    *operator,
                    Rc::clone(&self.parameters.positional),
                    None,
                    fields,
                );
            }
            ParamName::All(name, operator) => return self.expand_array(&param.op, quoted, *name, *operator, fields),
            ParamName::Element(name, subscript) => {
                let key = self.read_key(*name, subscript)?;
                let value = self.element(*name, &key);
                let result = self.operate(&param.name, &param.op, value, quoted, fields)?;
                return self.add_result(result, quoted, fields);
            }
            _ => {}
        }
        if matches!(param.op, ParamOp::Plain)
            && let ParamName::Var(name) = param.name
        {
            let name = self.resolve(name);
            self.value(name);
            let slot = &self.variables[name.index()];
            if slot.set {
                if quoted {
                    fields.quoted(&slot.value);
                } else {
                    fields.split(&slot.value, &self.computed.ifs, self.computed.utf8);
                }
                return Ok(());
            }
        }
        if let ParamOp::Names(operator) = param.op {
            let names = self.names_with_prefix(&param.name);
            self.add_list(&names, operator, quoted, fields);
            return Ok(());
        }
        let value = self.parameter(&param.name);
        let result = self.operate(&param.name, &param.op, value, quoted, fields)?;
        self.add_result(result, quoted, fields)
    }

    /// `${!x}` and what is done with the value of the parameter that it names.
    fn expand_indirect(
        &mut self,
        name: &ParamName,
        op: &ParamOp,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Fail> {
        if let ParamName::Var(name) = *name
            && self.slot(name).special == Special::Reference
        {
            // `${!x}` of a reference is the name that it holds.
            let target = self.slot(name).value.copied();
            self.add(&target, quoted, fields);
            return Ok(());
        }
        let held = match name {
            ParamName::Element(name, subscript) => {
                let key = self.read_key(*name, subscript)?;
                self.element(*name, &key)
            }
            _ => self.parameter(name),
        };
        let target = self.indirect(name, held)?;
        match &target {
            ParamName::Special(operator @ (b'@' | b'*')) => {
                self.expand_list(op, quoted, *operator, Rc::clone(&self.parameters.positional), None, fields)
            }
            ParamName::All(name, operator) => self.expand_array(op, quoted, *name, *operator, fields),
            _ => {
                let value = match &target {
                    ParamName::Element(name, subscript) => {
                        let key = self.read_key(*name, subscript)?;
                        self.element(*name, &key)
                    }
                    _ => self.parameter(&target),
                };
                let inner = self.operate(&target, op, value, quoted, fields)?;
                self.add_result(inner, quoted, fields)
            }
        }
    }

    /// BusyBox speaks of syntax when it expands, and of the line that it has read up to.
    fn bad_substitution(&mut self) -> Fail {
        let fail =
            self.syntax_error(&SyntaxError { line: self.location.read_line, message: BAD_SUBSTITUTION.copied() });
        if self.options.bash {
            self.status = 1;
        }
        fail
    }

    fn add_result(&mut self, result: Option<Vec<u8>>, quoted: bool, fields: &mut Fields) -> Result<(), Fail> {
        if let Some(text) = result {
            self.add(&text, quoted, fields);
        }
        Ok(())
    }

    /// A parameter's value; `None` when it is unset.
    fn parameter(&mut self, name: &ParamName) -> Option<Vec<u8>> {
        match name {
            ParamName::Var(name) => self.value(*name).map(<[u8]>::to_vec),
            ParamName::Positional(0) => Some(self.invocation.arg0.copied()),
            ParamName::Positional(number) => self.parameters.positional.get(*number as usize - 1).cloned(),
            ParamName::Element(name, _) | ParamName::All(name, _) => self.value(*name).map(<[u8]>::copied),
            ParamName::Special(operator) => match operator {
                b'#' => Some(text!(self.parameters.positional.len())),
                b'?' => Some(text!(self.status)),
                b'$' => Some(text!(i64::from(self.invocation.pid))),
                b'!' => self.flow.background.map(|pid| text!(i64::from(pid))),
                b'-' => Some(self.options.flags()),
                _ => {
                    let separator = self.first_of_ifs().copied();
                    if self.parameters.positional.is_empty() { None } else { Some(self.joined(*operator, &separator)) }
                }
            },
        }
    }

    /// The first character of IFS, which joins `$*`.
    fn first_of_ifs(&self) -> &[u8] {
        let length = if self.computed.ifs.is_empty() { 0 } else { width(&self.computed.ifs, self.computed.utf8) };
        &self.computed.ifs[..length]
    }

    fn joined(&self, operator: u8, first_of_ifs: &[u8]) -> Vec<u8> {
        let separator = if operator == b'*' { first_of_ifs } else { b" " };
        let mut text = Vec::new();
        for (number, value) in self.parameters.positional.iter().enumerate() {
            if number > 0 {
                text.extend_from_slice(separator);
            }
            text.extend_from_slice(value);
        }
        text
    }

    /// `${a[@]}` and `${a[*]}`.
    fn expand_array(
        &mut self,
        op: &ParamOp,
        quoted: bool,
        name: Sym,
        operator: u8,
        fields: &mut Fields,
    ) -> Result<(), Fail> {
        let array = self.array(name).unwrap_or_default();
        if matches!(op, ParamOp::Keys) {
            self.add_list(&array.keys(), operator, quoted, fields);
            return Ok(());
        }
        if let ParamOp::Transform(operator @ (b'A' | b'a' | b'K' | b'k')) = *op {
            self.describe_array(name, &array, operator, quoted, fields);
            return Ok(());
        }
        let values = Rc::new(array.values());
        self.expand_list(op, quoted, operator, values, Some(&array), fields)
    }

    /// `${a[@]@A}`, `@a`, `@K`, keys and quoted values in one text, and `@k`, each a field.
    fn describe_array(&mut self, name: Sym, array: &Array, operator: u8, quoted: bool, fields: &mut Fields) {
        let name = self.resolve(name);
        let (keys, values) = (array.keys(), array.values());
        let (mut text, mut all) = (Vec::new(), Vec::new());
        for (key, value) in keys.into_iter().zip(values) {
            match operator {
                b'K' => text.extend_from_slice(&[&key[..], b" ", &quote::double(&value), b" "].concat()),
                b'k' => all.extend([key, value]),
                _ => all.push(crate::state::declaration::attributes(self.slot(name))[1..].copied()),
            }
        }
        match operator {
            b'A' if !array.is_empty() => text = crate::state::declaration::declaration(self, name),
            b'K' if !array.associative => drop(text.pop()),
            b'a' | b'k' => return self.add_list(&all, b'@', quoted, fields),
            _ => {}
        }
        self.add(&text, quoted, fields);
    }

    /// `$@` and `$*` (XCU 2.5.2), and all elements of an array.
    fn expand_list(
        &mut self,
        op: &ParamOp,
        quoted: bool,
        operator: u8,
        all: Rc<Vec<Vec<u8>>>,
        array: Option<&Array>,
        fields: &mut Fields,
    ) -> Result<(), Fail> {
        let values = match op {
            ParamOp::Plain => all,
            ParamOp::Transform(b'A') => {
                let words: Vec<Vec<u8>> = all.iter().map(|value| quote::single(value)).collect();
                let text = [b"set -- ", &words.join(&b' ')[..]].concat();
                self.add(if all.is_empty() { b"" } else { &text }, quoted, fields);
                return Ok(());
            }
            ParamOp::Length => {
                self.add(&text!(all.len()), quoted, fields);
                return Ok(());
            }
            ParamOp::Default(kind, colon, word) => {
                let separated = all.len() > 1 && !(operator == b'*' && self.computed.ifs.is_empty());
                let empty = all.iter().all(|value| value.is_empty()) && !separated;
                // bash takes no parameters for unset ones; for BusyBox $@ and $* are always set.
                let missing = (all.is_empty() && self.options.bash) || (*colon && empty);
                if quoted && (!self.options.bash || operator == b'*') {
                    // Unlike `"$@"` alone, as in BusyBox.
                    fields.quoted(b"");
                }
                match kind {
                    b'+' if missing => return Ok(()),
                    b'+' => return self.expand_inner(word, quoted, fields),
                    _ if !missing => all,
                    b'-' => return self.expand_inner(word, quoted, fields),
                    b'?' => return Err(self.missing(&[operator], *colon, word)?),
                    _ => return Err(self.error(&[&[operator], b": bad variable name"])),
                }
            }
            ParamOp::Slice(offset, length) => {
                let offset = self.arith(offset)?;
                // `${@:0}` begins with $0; the offset into an array is an index.
                let mut list = Vec::new();
                let mut start = offset;
                match array {
                    Some(array) if offset < 0 => start = array.next_index().wrapping_add(offset),
                    Some(_) => {}
                    None => {
                        list.push(self.invocation.arg0.copied());
                        list.extend(all.iter().cloned());
                        start = if offset < 0 { (list.len() as i64).wrapping_add(offset) } else { offset };
                    }
                }
                if let Some(array) = array {
                    list = if start < 0 { Vec::new() } else { array.values_from(start) };
                    start = 0;
                }
                let count = list.len() as i64;
                let start = if start < 0 { count } else { start.min(count) };
                let length = match length {
                    Some(length) => self.arith(length)?.clamp(0, count),
                    None => count,
                };
                let end = (start + length).min(count);
                Rc::new(list[start as usize..end as usize].to_vec())
            }
            op => {
                let mut values = Vec::new();
                for value in all.iter() {
                    let name = ParamName::Special(operator);
                    let mut unused = Fields::new(Mode::One);
                    values.push(self.operate(&name, op, Some(value.copied()), true, &mut unused)?.unwrap_or_default());
                }
                Rc::new(values)
            }
        };
        self.add_list(&values, operator, quoted, fields);
        Ok(())
    }

    fn add_list(&mut self, values: &[Vec<u8>], operator: u8, quoted: bool, fields: &mut Fields) {
        if fields.mode != Mode::Split || (quoted && operator == b'*') {
            // XCU 2.5.2 leaves open how $@ is joined where there is no splitting: BusyBox does it as with $*, bash by blanks.
            let blank = operator == b'@' && self.options.bash;
            let separator = if blank { b" ".copied() } else { self.first_of_ifs().copied() };
            for (number, value) in values.iter().enumerate() {
                if number > 0 {
                    self.add(&separator, quoted, fields);
                }
                self.add(value, quoted, fields);
            }
            if quoted && operator == b'*' {
                fields.quoted(b"");
            }
            return;
        }
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
                fields.separate();
            }
            self.add(value, quoted, fields);
        }
    }

    /// The word of `${x-word}`: unquoted text in it is split like the value would be.
    fn expand_inner(&mut self, word: &Word, quoted: bool, fields: &mut Fields) -> Result<(), Fail> {
        match word {
            Word::Literal(text) => self.add(text, quoted, fields),
            Word::Parts(parts) | Word::Declaration(parts) => {
                for part in parts {
                    match part {
                        crate::syntax::ast::Part::Literal(text) => self.add(text, quoted, fields),
                        other => self.expand_parts(std::slice::from_ref(other), fields)?,
                    }
                }
                if quoted {
                    fields.quoted(b"");
                }
            }
        }
        Ok(())
    }

    /// Applies the operation. `None`: the fields have the result already.
    fn operate(
        &mut self,
        name: &ParamName,
        op: &ParamOp,
        value: Option<Vec<u8>>,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<Option<Vec<u8>>, Fail> {
        if let ParamOp::Default(kind, colon, word) = op {
            let missing = value.as_ref().is_none_or(|value| *colon && value.is_empty());
            return match (kind, missing) {
                (b'+', true) => Ok(Some(Vec::new())),
                (b'+', false) | (b'-', true) => {
                    self.expand_inner(word, quoted, fields)?;
                    Ok(None)
                }
                (_, false) => Ok(value),
                (b'=', true) => {
                    let ParamName::Var(variable) = name else {
                        let text = self.parameter_text(name);
                        return Err(self.error(&[&text, b": bad variable name"]));
                    };
                    let text = self.expand_one(word)?;
                    self.set(*variable, &text)?;
                    Ok(Some(text))
                }
                _ => {
                    let text = self.parameter_text(name);
                    Err(self.missing(&text, *colon, word)?)
                }
            };
        }
        let Some(value) = value else {
            if self.options.nounset && !matches!(name, ParamName::Special(b'@' | b'*')) {
                let text = self.parameter_text(name);
                return Err(self.fatal(&[&text, b": parameter not set"]));
            }
            // An unset parameter has no parts, so nothing after the name is expanded. Its attributes are shown.
            return Ok(Some(match op {
                ParamOp::Length => b"0".copied(),
                ParamOp::Transform(b'a') => self.describe_variable(name, b"", b'a'),
                _ => Vec::new(),
            }));
        };
        Ok(Some(match op {
            ParamOp::Plain => value,
            ParamOp::Length => text!(characters(&value, self.computed.utf8)),
            ParamOp::Trim(suffix, longest, wanted) => {
                let wanted = self.pattern_text(wanted)?;
                trim(value, &wanted, *suffix, *longest, self.pattern_flags())
            }
            ParamOp::Slice(offset, length) => {
                let offset = self.arith(offset)?;
                let length = match length {
                    Some(length) => Some(self.arith(length)?),
                    None => None,
                };
                slice(&value, offset, length, self.computed.utf8)
            }
            ParamOp::Replace(anchor, all, wanted, word) => {
                let wanted = self.pattern_text(wanted)?;
                let text = self.expand_one(word)?;
                replace(&value, &wanted, &text, (*anchor, *all), self.pattern_flags())
            }
            ParamOp::Case(kind, all, wanted) => {
                let wanted = match wanted {
                    Some(wanted) => self.pattern_text(wanted)?,
                    None => b"?".copied(),
                };
                change_case(&value, *kind, *all, &wanted, self.pattern_flags())
            }
            ParamOp::Transform(operator) => match operator {
                b'Q' | b'K' | b'k' if self.options.bash => quote::single(&value),
                b'A' | b'a' => self.describe_variable(name, &value, *operator),
                b'P' => {
                    let mut shown = self.show_prompt(&value);
                    // What encloses text without width is for the line editor.
                    shown.retain(|byte| !matches!(byte, 1 | 2));
                    shown
                }
                b'Q' => escape::single_quoted(&value),
                b'U' => change_case(&value, b'^', true, b"?", self.pattern_flags()),
                b'L' => change_case(&value, b',', true, b"?", self.pattern_flags()),
                b'u' => change_case(&value, b'^', false, b"?", self.pattern_flags()),
                b'E' => escape::dollar_single(&value),
                _ => return Err(self.bad_substitution()),
            },
            ParamOp::Default(..) | ParamOp::Indirect(_) | ParamOp::Names(_) | ParamOp::Keys | ParamOp::Bad(_) => {
                return Err(self.bad_substitution());
            }
        }))
    }

    /// `${x@A}`, the command that makes the variable, and `${x@a}`, its attributes.
    fn describe_variable(&mut self, name: &ParamName, value: &[u8], operator: u8) -> Vec<u8> {
        let (ParamName::Var(name) | ParamName::Element(name, _) | ParamName::All(name, _)) = name else {
            return Vec::new();
        };
        let name = self.resolve(*name);
        let attributes = crate::state::declaration::attributes(self.slot(name));
        let plain = attributes == b"--";
        if operator == b'a' {
            return if plain { Vec::new() } else { attributes[1..].copied() };
        }
        let start = if plain { Vec::new() } else { [b"declare ", &attributes[..], b" "].concat() };
        [&start[..], self.symbols.name(name), b"=", &quote::single(value)].concat()
    }

    /// The error of `${x?word}`.
    fn missing(&mut self, name: &[u8], colon: bool, word: &Word) -> Result<Fail, Fail> {
        let message = self.expand_one(word)?;
        Ok(if !message.is_empty() {
            self.fatal(&[name, b": ", &message])
        } else if colon {
            self.fatal(&[name, b": parameter not set or null"])
        } else {
            self.fatal(&[name, b": parameter not set"])
        })
    }

    fn parameter_text(&self, name: &ParamName) -> Vec<u8> {
        match name {
            ParamName::Var(name) => self.symbols.name(*name).copied(),
            ParamName::Positional(number) => text!(*number),
            ParamName::Special(operator) => vec![*operator],
            ParamName::Element(name, _) | ParamName::All(name, _) => self.symbols.name(*name).copied(),
        }
    }

    /// What `${!x}` reads: the parameter that the value of `x` names.
    fn indirect(&mut self, name: &ParamName, held: Option<Vec<u8>>) -> Result<ParamName, Fail> {
        let Some(target) = held else {
            if !self.options.bash {
                return Err(self.bad_substitution());
            }
            let text = self.parameter_text(name);
            return Err(self.fatal(&[&text, b": invalid indirect expansion"]));
        };
        if crate::syntax::symbols::is_name(&target) {
            return Ok(ParamName::Var(self.intern(&target)));
        }
        if let (name, Some(subscript)) = split_subscript(&target)
            && crate::syntax::symbols::is_name(name)
            && self.options.bash
        {
            let name = self.intern(name);
            return Ok(match subscript {
                [operator @ (b'@' | b'*')] => ParamName::All(name, *operator),
                text => ParamName::Element(
                    name,
                    Arith::new(parse_document(text, self).unwrap_or(Word::Literal(text.into()))),
                ),
            });
        }
        match &target[..] {
            [operator @ (b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-')] => Ok(ParamName::Special(*operator)),
            digits => match rbox_core::number::parse_decimal(digits) {
                Some(number) => Ok(ParamName::Positional(number.min(u64::from(u32::MAX)) as u32)),
                None if self.options.bash => Err(self.fatal(&[digits, b": invalid variable name"])),
                None => Err(self.bad_substitution()),
            },
        }
    }

    fn names_with_prefix(&self, name: &ParamName) -> Vec<Vec<u8>> {
        let prefix = self.parameter_text(name);
        let mut all = Vec::new();
        for name in self.names(|slot| slot.set || slot.array.is_some()) {
            let text = self.symbols.name(name);
            if text.starts_with(&prefix) {
                all.push(text.copied());
            }
        }
        all
    }
}
