//! Random numbers: from the kernel, or from a file that makes them repeatable (`--random-source`).

use crate::error::{Error, Result};
use crate::io::Input;
use crate::sys::rand::{GetRandomFlags, getrandom};

/// A source of random bytes and numbers.
#[derive(Debug)]
pub struct Random {
    file: Option<Input>,
    buffer: Vec<u8>,
    at: usize,
    /// What is left of the bytes that were taken: a number, evenly distributed from 0 to `most`.
    number: u64,
    most: u64,
}

impl Random {
    /// The source that `--random-source` names, or else the kernel.
    pub fn open(file: Option<&[u8]>) -> Result<Self> {
        let file = file.map(Input::open).transpose()?;
        Ok(Self { file, buffer: Vec::new(), at: 0, number: 0, most: 0 })
    }

    /// Fills a buffer.
    pub fn fill(&mut self, mut into: &mut [u8]) -> Result<()> {
        while !into.is_empty() {
            let length = match &mut self.file {
                Some(file) => match file.read(into)? {
                    0 => return Err(Error::parts(&[file.name(), b": end of file"])),
                    length => length,
                },
                None => getrandom(&mut *into, GetRandomFlags::empty())?,
            };
            into = &mut into[length..];
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8> {
        if self.at == self.buffer.len() {
            // A file may hold no more than what is needed.
            let mut buffer = core::mem::take(&mut self.buffer);
            buffer.resize(if self.file.is_some() { 1 } else { 4096 }, 0);
            self.fill(&mut buffer)?;
            (self.buffer, self.at) = (buffer, 0);
        }
        self.at += 1;
        Ok(self.buffer[self.at - 1])
    }

    /// A number below `count`, which is not 0, each as likely as the next. What randomness it does not need is kept for
    /// the next one, in GNU's way: the same file gives the same numbers.
    pub fn below(&mut self, count: u64) -> Result<u64> {
        loop {
            if self.most > u64::MAX >> 8 && self.most < count - 1 {
                (self.number, self.most) = (0, 0);
            }
            while self.most < count - 1 {
                self.number = self.number << 8 | u64::from(self.byte()?);
                self.most = self.most << 8 | 0xff;
            }
            // Of `most + 1` numbers the last ones, less than `count`, would make some results more likely.
            let spare = (self.most - (count - 1)) % count;
            let result = self.number % count;
            if self.number <= self.most - spare {
                self.number /= count;
                self.most = (self.most - (count - 1)) / count;
                return Ok(result);
            }
            (self.number, self.most) = (result, spare - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_below_their_limit_and_evenly_spread() {
        let mut random = Random::open(None).expect("the kernel");
        let mut counts = [0u32; 6];
        for _ in 0..6000 {
            counts[random.below(6).expect("a number") as usize] += 1;
        }
        assert!(counts.iter().all(|count| (700..1300).contains(count)), "{counts:?}");
        assert_eq!(random.below(1).ok(), Some(0));
        assert!(random.below(u64::MAX).is_ok_and(|number| number < u64::MAX));
    }
}
