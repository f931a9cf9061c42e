//! The order of keys: PROCINFO["sorted_in"], asort() and asorti(), as in gawk.

use std::cmp::Ordering;
use std::rc::Rc;

use rbox_core::error::{Error, Result};

use crate::machine::Machine;
use crate::value::{Digits, Text, Value};

/// What keys are sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    KeyString,
    KeyNumber,
    ValueType,
    ValueString,
    ValueNumber,
}

/// How keys are sorted.
#[derive(Clone, Copy)]
enum Order {
    /// Whether reversed.
    By(By, bool),
    /// A function of the program.
    Function(usize),
}

/// The order of a name, and whether it is reversed. `None` for no order.
fn named(name: &[u8]) -> Option<(By, bool)> {
    let name = name.strip_prefix(b"@")?;
    let (name, reversed) = match name.strip_suffix(b"_desc") {
        Some(name) => (name, true),
        None => (name.strip_suffix(b"_asc")?, false),
    };
    let by = match name {
        b"ind_str" => By::KeyString,
        b"ind_num" => By::KeyNumber,
        b"val_type" => By::ValueType,
        b"val_str" => By::ValueString,
        b"val_num" => By::ValueNumber,
        _ => return None,
    };
    Some((by, reversed))
}

impl Machine<'_> {
    /// The keys of an array in the order of a name, which may be that of a function of the program.
    pub(crate) fn keys_in_order(&mut self, array: usize, order: &[u8]) -> Result<Vec<Rc<Text>>> {
        let keys = self.arrays[array].keys();
        if order == b"@unsorted" {
            return Ok(keys);
        }
        let mut elements = Vec::with_capacity(keys.len());
        for key in keys {
            let value = self.arrays[array].get_bytes(&key).cloned().unwrap_or_default();
            elements.push((key, value));
        }
        let order = match (named(order), self.function(order)) {
            (Some((by, reversed)), _) => Order::By(by, reversed),
            (None, Some(function)) => Order::Function(function),
            (None, None) => return Err(Error::new("Unknown order of keys")),
        };
        let elements = self.merge_sort(elements, order)?;
        Ok(elements.into_iter().map(|(key, _)| key).collect())
    }

    fn function(&self, name: &[u8]) -> Option<usize> {
        self.code.function_names.iter().position(|function| function == name)
    }

    /// A function of the program may be wrong about the order, or change what it likes.
    fn merge_sort(&mut self, mut elements: Vec<Element>, order: Order) -> Result<Vec<Element>> {
        if elements.len() < 2 {
            return Ok(elements);
        }
        let upper = elements.split_off(elements.len() / 2);
        let mut lower = self.merge_sort(elements, order)?.into_iter().peekable();
        let mut upper = self.merge_sort(upper, order)?.into_iter().peekable();
        let mut merged = Vec::with_capacity(lower.len() + upper.len());
        while let (Some(one), Some(other)) = (lower.peek(), upper.peek()) {
            let is_after = self.is_after(order, one, other)?;
            merged.extend(if is_after { upper.next() } else { lower.next() });
        }
        merged.extend(lower);
        merged.extend(upper);
        Ok(merged)
    }

    fn is_after(&mut self, order: Order, one: &Element, other: &Element) -> Result<bool> {
        match order {
            Order::By(by, reversed) => {
                let order = compare(by, one, other, &self.convfmt);
                Ok(if reversed { order.is_lt() } else { order.is_gt() })
            }
            Order::Function(function) => {
                let (key, other_key) = (Value::Input(Rc::clone(&one.0)), Value::Input(Rc::clone(&other.0)));
                let result = self.call(function, &[key, one.1.clone(), other_key, other.1.clone()])?;
                Ok(result.number() > 0.0)
            }
        }
    }
}

type Element = (Rc<Text>, Value);

fn compare(by: By, one: &Element, other: &Element, format: &[u8]) -> Ordering {
    let numbers = |one: f64, other: f64| one.total_cmp(&other);
    match by {
        By::KeyString => one.0.cmp(&other.0),
        By::KeyNumber => numbers(crate::value::prefix_number(&one.0), crate::value::prefix_number(&other.0))
            .then_with(|| one.0.cmp(&other.0)),
        By::ValueType => match (one.1.as_number(), other.1.as_number()) {
            (Some(one), Some(other)) => numbers(one, other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => strings(one, other, format),
        },
        By::ValueString => strings(one, other, format),
        By::ValueNumber => numbers(one.1.number(), other.1.number()).then_with(|| strings(one, other, format)),
    }
    .then_with(|| one.0.cmp(&other.0))
}

fn strings(one: &Element, other: &Element, format: &[u8]) -> Ordering {
    let (mut first, mut second) = (Digits::default(), Digits::default());
    one.1.bytes(format, &mut first).cmp(other.1.bytes(format, &mut second))
}

impl Text {
    fn cmp(&self, other: &Text) -> Ordering {
        (**self).cmp(&**other)
    }
}
