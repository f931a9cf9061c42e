//! Values by index, of which few may exist: the arrays of bc and dc.

use std::rc::Rc;

use crate::number::Number;

/// A number or, in dc, a string.
#[derive(Clone, Debug)]
pub enum Value {
    /// A number.
    Number(Number),
    /// A string.
    Text(Rc<[u8]>),
}

impl Default for Value {
    fn default() -> Self {
        Self::Number(Number::default())
    }
}

/// The most elements of a block; a full one is split.
const BLOCK: usize = 256;

/// An array: blocks of elements sorted by their indexes, so that neither an insertion nor a search costs much.
#[derive(Clone, Debug, Default)]
pub struct Array {
    blocks: Vec<Vec<(u32, Value)>>,
}

impl Array {
    /// The block that has, or would have, an index, and the position in it.
    fn find(&self, index: u32) -> (usize, Result<usize, usize>) {
        let block = self.blocks.partition_point(|block| block[0].0 <= index).saturating_sub(1);
        let at = self.blocks.get(block).map_or(Err(0), |block| block.binary_search_by_key(&index, |element| element.0));
        (block, at)
    }

    /// The element at an index; 0 where there is none.
    pub fn get(&self, index: u32) -> Value {
        match self.find(index) {
            (block, Ok(at)) => self.blocks[block][at].1.clone(),
            _ => Value::default(),
        }
    }

    /// Replaces an element.
    pub fn set(&mut self, index: u32, value: Value) {
        let (block, at) = match self.find(index) {
            (block, Ok(at)) => {
                self.blocks[block][at].1 = value;
                return;
            }
            (block, Err(at)) => (block, at),
        };
        if self.blocks.is_empty() {
            self.blocks.push(Vec::new());
        }
        let elements = &mut self.blocks[block];
        elements.insert(at, (index, value));
        if elements.len() > BLOCK {
            let rest = elements.split_off(BLOCK / 2);
            self.blocks.insert(block + 1, rest);
        }
    }

    /// One more than the greatest index.
    pub fn length(&self) -> u64 {
        self.blocks.last().and_then(|block| block.last()).map_or(0, |(last, _)| u64::from(*last) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_in_any_order() {
        let mut array = Array::default();
        for step in 0..5000u64 {
            let index = (step * 7919 % 5003) as u32;
            array.set(index, Value::Number(Number::from(step)));
            array.set(index, Value::Number(Number::from(u64::from(index))));
        }
        for step in 0..5000u64 {
            let index = step * 7919 % 5003;
            assert!(matches!(array.get(index as u32), Value::Number(number) if number.integer() == Some(index as i64)));
        }
        assert!(matches!(array.get(70_000), Value::Number(number) if number.is_zero()));
        assert_eq!(array.length(), 5003);
    }
}
