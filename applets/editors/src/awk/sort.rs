//! The order of keys: PROCINFO["sorted_in"], asort() and asorti(), as in gawk.

use std::cmp::Ordering;
use std::rc::Rc;

use rbox_core::error::{Error, Result};

use awk_machine::machine::Machine;
use awk_machine::value::{Digits, Text, Value};

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

/// The keys of an array in the order of a name, which may be that of a function of the program.
pub fn keys_in_order(machine: &mut Machine<'_>, array: usize, order: &[u8]) -> Result<Vec<Rc<Text>>> {
    let keys = machine.arrays[array].keys();
    if order == b"@unsorted" {
        return Ok(keys);
    }
    let mut elements = Vec::with_capacity(keys.len());
    for key in keys {
        let value = machine.arrays[array].get_bytes(&key).cloned().unwrap_or_default();
        elements.push((key, value));
    }
    let order = match (named(order), function(machine, order)) {
        (Some((by, reversed)), _) => Order::By(by, reversed),
        (None, Some(function)) => Order::Function(function),
        (None, None) => return Err(Error::new("Unknown order of keys")),
    };
    let sorted = merge_sort(machine, &elements, order)?;
    Ok(sorted.into_iter().map(|index| Rc::clone(&elements[index].0)).collect())
}

fn function(machine: &Machine<'_>, name: &[u8]) -> Option<usize> {
    machine.code.function_names.iter().position(|function| function == name)
}

/// The elements' indexes in order. A function of the program may be wrong about the order, or change what it likes.
fn merge_sort(machine: &mut Machine<'_>, elements: &[Element], order: Order) -> Result<Vec<usize>> {
    let count = elements.len();
    let mut from: Vec<usize> = (0..count).collect();
    let mut to = from.clone();
    let mut width = 1;
    while width < count {
        for start in (0..count).step_by(2 * width) {
            let (middle, end) = (count.min(start + width), count.min(start + 2 * width));
            let (mut low, mut high) = (start, middle);
            for place in &mut to[start..end] {
                let is_high = low == middle
                    || high < end && is_after(machine, order, &elements[from[low]], &elements[from[high]])?;
                let next = if is_high { &mut high } else { &mut low };
                *place = from[*next];
                *next += 1;
            }
        }
        core::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    Ok(from)
}

fn is_after(machine: &mut Machine<'_>, order: Order, one: &Element, other: &Element) -> Result<bool> {
    match order {
        Order::By(by, reversed) => {
            let order = compare(by, one, other, &machine.convfmt);
            Ok(if reversed { order.is_lt() } else { order.is_gt() })
        }
        Order::Function(function) => {
            let (key, other_key) = (Value::Input(Rc::clone(&one.0)), Value::Input(Rc::clone(&other.0)));
            let result = machine.call(function, &[key, one.1.clone(), other_key, other.1.clone()])?;
            Ok(result.number() > 0.0)
        }
    }
}

type Element = (Rc<Text>, Value);

fn compare(by: By, one: &Element, other: &Element, format: &[u8]) -> Ordering {
    let numbers = |one: f64, other: f64| one.total_cmp(&other);
    match by {
        By::KeyString => one.0[..].cmp(&other.0[..]),
        By::KeyNumber => {
            numbers(awk_machine::value::prefix_number(&one.0), awk_machine::value::prefix_number(&other.0))
                .then_with(|| one.0[..].cmp(&other.0[..]))
        }
        By::ValueType => match (one.1.as_number(), other.1.as_number()) {
            (Some(one), Some(other)) => numbers(one, other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => strings(one, other, format),
        },
        By::ValueString => strings(one, other, format),
        By::ValueNumber => numbers(one.1.number(), other.1.number()).then_with(|| strings(one, other, format)),
    }
    .then_with(|| one.0[..].cmp(&other.0[..]))
}

fn strings(one: &Element, other: &Element, format: &[u8]) -> Ordering {
    let (mut first, mut second) = (Digits::default(), Digits::default());
    one.1.bytes(format, &mut first).cmp(other.1.bytes(format, &mut second))
}
