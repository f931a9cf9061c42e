//! `tac`: print the lines of files, the last one first (GNU coreutils), with GNU's `-b` and `-s`.

use rbox_core::bytes::find_byte_back;
use rbox_core::files::kind;
use rbox_core::io::{CHUNK, Input};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType, SeekFrom};
use rbox_core::sys::{Errno, fd};

options! {
    "[-b] [-s SEPARATOR] [FILE]...

Print the lines of each FILE, or of standard input, in reverse order.

  -b, --before               SEPARATOR precedes its line
  -s, --separator=SEPARATOR  Separate lines by SEPARATOR (newline)";
    BEFORE = "-b",
    SEPARATOR = "-s",
}

/// The applet. It keeps all that it reads, so it runs in a child.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let separator = args.value(SEPARATOR).unwrap_or(b"\n");
    if separator.is_empty() {
        return Err(Error::new("separator cannot be empty"));
    }
    env.for_each_input(args.operands(), &mut |env, input: &mut Input| {
        if let Some((start, end)) = bounds(input) {
            return Backwards { input, separator, is_before: args.has(BEFORE), start }.print(env, end);
        }
        let content = input.read_to_end()?;
        print_reversed(env, &content, separator, args.has(BEFORE))
    })
}

/// Where a regular file, of which nothing was read yet, is read from, and its end.
fn bounds(input: &Input) -> Option<(u64, u64)> {
    let file = input.fd()?;
    let stat = fs::fstat(file).ok()?;
    // Files in /proc and /sys say that they are empty.
    if kind(&stat) != FileType::RegularFile || stat.st_size == 0 || !input.buffered().is_empty() {
        return None;
    }
    let start = fs::seek(file, SeekFrom::Current(0)).ok()?;
    Some((start, (stat.st_size as u64).max(start)))
}

/// A file that is read from its end, block by block, in bounded memory.
struct Backwards<'a> {
    input: &'a Input,
    separator: &'a [u8],
    is_before: bool,
    /// Where the first part begins.
    start: u64,
}

impl Backwards<'_> {
    fn print(&self, env: &mut Env, file_end: u64) -> Result<()> {
        // A separator may reach into the block that follows.
        let overlap = self.separator.len() as u64 - 1;
        let mut buffer = vec![0; CHUNK + overlap as usize];
        // Where the part ends that has not been printed, and the bound of the separators that are still looked for.
        let (mut end, mut limit, mut at) = (file_end, file_end, file_end);
        while at > self.start {
            let from = self.start.max(at.saturating_sub(CHUNK as u64));
            let block = self.read(&mut buffer, from, (at + overlap).min(limit))?;
            at = from;
            let mut search = block;
            while let Some(found) = find_back(search, self.separator) {
                limit = from + found as u64;
                search = &block[..found];
                let first = if self.is_before { limit } else { limit + self.separator.len() as u64 };
                match block.get((first - from) as usize..(end - from) as usize) {
                    Some(part) => env.stdout.write(part)?,
                    None => self.print_range(env, first, end)?,
                }
                end = first;
            }
        }
        self.print_range(env, self.start, end)
    }

    fn print_range(&self, env: &mut Env, mut from: u64, end: u64) -> Result<()> {
        let mut buffer = vec![0; CHUNK];
        while from < end {
            let length = buffer.len().min((end - from) as usize);
            let part = self.read(&mut buffer[..length], from, end)?;
            if part.is_empty() {
                // The file has become shorter.
                return Ok(());
            }
            env.stdout.write(part)?;
            from += part.len() as u64;
        }
        Ok(())
    }

    /// Reads what is between two offsets, as much as the buffer holds.
    fn read<'a>(&self, buffer: &'a mut [u8], from: u64, to: u64) -> Result<&'a [u8]> {
        let wanted = buffer.len().min(to.saturating_sub(from) as usize);
        let mut length = 0;
        while let Some(file) = self.input.fd().filter(|_| length < wanted) {
            match fd::pread(file, &mut buffer[length..wanted], from + length as u64) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on(self.input.name(), errno)),
            }
        }
        Ok(&buffer[..length])
    }
}

fn print_reversed(env: &mut Env, content: &[u8], separator: &[u8], is_before: bool) -> Result<()> {
    // Where the part ends that has not been printed, and where a separator is still looked for.
    let (mut end, mut limit) = (content.len(), content.len());
    while let Some(at) = find_back(&content[..limit], separator) {
        let start = if is_before { at } else { at + separator.len() };
        env.stdout.write(&content[start..end])?;
        (end, limit) = (start, at);
    }
    env.stdout.write(&content[..end])
}

/// The last offset of `needle`.
fn find_back(hay: &[u8], needle: &[u8]) -> Option<usize> {
    if let [byte] = needle {
        return find_byte_back(*byte, hay);
    }
    let (&last, front) = needle.split_last()?;
    let mut end = hay.len();
    loop {
        let at = find_byte_back(last, &hay[..end])?;
        if hay[..at].ends_with(front) {
            return Some(at - front.len());
        }
        end = at;
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn lines_come_in_reverse() {
        let tac = |words: &[&str], stdin: &str| try_call(APPLET, words, stdin.as_bytes()).stdout;
        assert_eq!(tac(&["tac"], "a\nb\nc\n"), "c\nb\na\n");
        assert_eq!(tac(&["tac"], "a\n\nb"), "b\na\n");
        assert_eq!(tac(&["tac", "-s", ","], "a,b,c"), "cb,a,");
        assert_eq!(tac(&["tac", "-bs", "::"], "a::b::c"), "::c::ba");
        assert_eq!(tac(&["tac"], ""), "");
    }
}
