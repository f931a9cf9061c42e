//! `setfont` and `loadfont`: the font of the console: PSF 1, PSF 2, or 256 glyphs of 8 dots a row without a header.

use crate::keymap::open_console;
use rbox_core::bytes;
use rbox_core::io::Input;
use rbox_core::number::{parse_c, parse_radix};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs, virtual_terminal};

options! {
    "[-m MAP] [-C TTY] FONT | loadfont < FONT

Load FONT, and the characters of its glyphs, into the console.

  -m MAP  Load the screen map MAP too: 256 bytes or 16-bit numbers, or lines
          BYTE CHARACTER with numbers as 65, 0101, 0x41 or U+0041
  -C TTY  Use TTY, not the current console";
    MAP = "-m",
    CONSOLE = "-C",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The most that a font may hold: 512 glyphs of 32 by 32 dots and their characters are far below.
const LARGEST: usize = 1 << 20;

/// Rows of each glyph that the kernel takes, whatever the font's height.
const ROWS: usize = 32;

/// A font, as the kernel takes it.
#[derive(Debug, PartialEq, Eq)]
struct Font {
    width: u32,
    height: u32,
    count: u32,
    glyphs: Vec<u8>,
    /// Characters and the glyphs that stand for them.
    map: Vec<[u16; 2]>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut input = if env.name == b"loadfont" {
        args.operands_between(0, 0)?;
        env.take_stdin()
    } else {
        let path = args.operands_between(1, 1)?[0];
        Input::operand(&find(path, "/usr/share/consolefonts/", " .psf .psfu .fnt"))?
    };
    let font = parse(&read(&mut input)?).ok_or_else(|| Error::new("bad font file"))?;
    let map = match args.value(MAP) {
        Some(word) => {
            let path = find(word, "/usr/share/consoletrans/", " .acm");
            let map = screen_map(&read(&mut Input::operand(&path)?)?);
            Some(map.ok_or_else(|| Error::on(path, Errno::INVAL))?)
        }
        None => None,
    };
    let console = open(args)?;
    virtual_terminal::set_font(console.as_fd(), font.width, font.height, font.count, &font.glyphs)
        .map_err(|errno| Error::on("KDFONTOP", errno))?;
    if !font.map.is_empty() {
        virtual_terminal::set_unicode_map(console.as_fd(), &font.map)
            .map_err(|errno| Error::on("PIO_UNIMAP", errno))?;
    }
    if let Some(map) = map {
        let failed = |errno| Error::on("PIO_UNISCRNMAP", errno);
        virtual_terminal::set_screen_map(console.as_fd(), &map).map_err(failed)?;
        // console_codes(4): select the user mapping.
        fd::write(console.as_fd(), b"\x1b(K").map_err(failed)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// Reads a whole file, or one byte more than `LARGEST` at least.
fn read(input: &mut Input) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let part = input.fill()?;
        if part.is_empty() || content.len() > LARGEST {
            return Ok(content);
        }
        content.extend_from_slice(part);
        let count = part.len();
        input.consume(count);
    }
}

/// A name without a slash that is no file here is looked for in the system's directory.
fn find(name: &[u8], directory: &str, endings: &str) -> Vec<u8> {
    if !name.contains(&b'/') && name != b"-" && fs::stat(name).is_err() {
        for ending in endings.split(' ') {
            let path = [directory.as_bytes(), name, ending.as_bytes()].concat();
            if fs::stat(&path).is_ok() {
                return path;
            }
        }
    }
    name.to_vec()
}

fn open(args: &Args<'_>) -> Result<OwnedFd> {
    let Some(path) = args.value(CONSOLE) else { return open_console() };
    let file = fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    file.map_err(|errno| Error::cannot("open", path, errno))
}

fn parse(content: &[u8]) -> Option<Font> {
    match content {
        [0x36, 0x04, mode, height, rest @ ..] => psf1(*mode, (*height).into(), rest),
        [0x72, 0xb5, 0x4a, 0x86, ..] => psf2(content),
        // Without a header: the height of the glyphs follows from the length.
        _ if content.len().is_multiple_of(256) => font(8, (content.len() / 256) as u32, 256, content),
        _ => None,
    }
}

/// The character that each byte is shown as: 256 bytes, 256 numbers of 16 bits in the machine's order, or lines
/// `BYTE CHARACTER`, with comments after `#`; bytes without a line are shown as themselves.
fn screen_map(content: &[u8]) -> Option<[u16; 256]> {
    let mut map = core::array::from_fn(|byte| byte as u16);
    match content.len() {
        256 => map.iter_mut().zip(content).for_each(|(slot, byte)| *slot = (*byte).into()),
        512 => {
            let pairs = content.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
            map.iter_mut().zip(pairs).for_each(|(slot, number)| *slot = number);
        }
        _ => {
            for line in content.split(|byte| *byte == b'\n') {
                let mut words = bytes::words(line).take_while(|word| !word.starts_with(b"#"));
                let Some(byte) = words.next() else { continue };
                *map.get_mut(usize::from(character(byte)?))? = character(words.next()?)?;
            }
        }
    }
    Some(map)
}

/// A number as in C, or `U+` and hexadecimal digits.
fn character(word: &[u8]) -> Option<u16> {
    match word.strip_prefix(b"U+") {
        Some(digits) => u16::try_from(parse_radix(digits, 16)?).ok(),
        None => u16::try_from(parse_c(word)?).ok(),
    }
}

/// Gives each glyph its rows.
fn font(width: u32, height: u32, count: u32, dots: &[u8]) -> Option<Font> {
    let in_range = (1..=32).contains(&width) && (1..=32).contains(&height) && (1..=512).contains(&count);
    if !in_range {
        return None;
    }
    let row = width.div_ceil(8) as usize;
    let size = row * height as usize;
    let dots = dots.get(..size * count as usize)?;
    let mut glyphs = vec![0; row * ROWS * count as usize];
    for (glyph, dots) in glyphs.chunks_exact_mut(row * ROWS).zip(dots.chunks_exact(size)) {
        glyph[..size].copy_from_slice(dots);
    }
    Some(Font { width, height, count, glyphs, map: Vec::new() })
}

/// Linux's first format: a mode, the height, the glyphs, and for each its characters in UTF-16, ended by 0xffff.
fn psf1(mode: u8, height: u32, rest: &[u8]) -> Option<Font> {
    let count = if mode & 1 != 0 { 512 } else { 256 };
    let mut font = font(8, height, count, rest)?;
    if mode & 6 == 0 {
        return Some(font);
    }
    let mut words =
        rest[height as usize * count as usize..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    for glyph in 0..count as u16 {
        let mut in_sequence = false;
        for word in words.by_ref() {
            match word {
                0xffff => break,
                // What follows are sequences of characters, which the kernel cannot show.
                0xfffe => in_sequence = true,
                _ if !in_sequence => font.map.push([word, glyph]),
                _ => {}
            }
        }
    }
    within_limits(font)
}

/// The second format: a header of seven numbers, the glyphs, and for each its characters in UTF-8, ended by 0xff.
fn psf2(content: &[u8]) -> Option<Font> {
    let number = |at: usize| Some(u32::from_le_bytes(content.get(at * 4..at * 4 + 4)?.try_into().ok()?));
    let (head, flags, count, size) = (number(2)? as usize, number(3)?, number(4)?, number(5)?);
    let (height, width) = (number(6)?, number(7)?);
    let dots = content.get(head..)?;
    let mut font = font(width, height, count, dots)?;
    if size != width.div_ceil(8) * height {
        return None;
    }
    if flags & 1 == 0 {
        return Some(font);
    }
    let table = dots.get(size as usize * count as usize..)?;
    for (glyph, characters) in table.split(|&byte| byte == 0xff).take(count as usize).enumerate() {
        // Sequences follow the first 0xfe.
        let single = characters.split(|&byte| byte == 0xfe).next().unwrap_or_default();
        let known = core::str::from_utf8(single).unwrap_or_default().chars();
        font.map.extend(known.filter_map(|character| Some([u16::try_from(u32::from(character)).ok()?, glyph as u16])));
    }
    within_limits(font)
}

/// The kernel counts the pairs in 16 bits.
fn within_limits(mut font: Font) -> Option<Font> {
    font.map.truncate(u16::MAX.into());
    Some(font)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::Random;

    use super::*;

    #[test]
    fn fonts_have_three_forms() {
        let raw = parse(&[1; 256 * 16]).expect("a raw font");
        assert_eq!((raw.width, raw.height, raw.count, raw.glyphs.len()), (8, 16, 256, 256 * 32));
        assert_eq!((raw.glyphs[15], raw.glyphs[16]), (1, 0));

        let mut old = vec![0x36, 4, 2, 8];
        old.extend([7; 256 * 8]);
        old.extend(b"A\0\xfe\xffB\0\xff\xffC\0D\0\xff\xff");
        let old = parse(&old).expect("a PSF 1 font");
        assert_eq!((old.height, old.map), (8, vec![[0x41, 0], [0x43, 1], [0x44, 1]]));

        let mut new = vec![0x72, 0xb5, 0x4a, 0x86];
        for number in [0u32, 32, 1, 2, 20, 10, 12] {
            new.extend(number.to_le_bytes());
        }
        new.extend([9; 40]);
        new.extend("é".bytes());
        new.extend(b"\xffZ\xfeab\xff");
        let new = parse(&new).expect("a PSF 2 font");
        assert_eq!((new.width, new.height, new.glyphs.len()), (12, 10, 2 * 64));
        assert_eq!(new.map, vec![[0xe9, 0], [0x5a, 1]]);
        assert_eq!((new.glyphs[19], new.glyphs[20], new.glyphs[64]), (9, 0, 9));
    }

    #[test]
    fn screen_maps_have_three_forms() {
        assert_eq!(screen_map(&[7; 256]).map(|map| map[200]), Some(7));
        assert_eq!(screen_map(&[1; 512]).map(|map| map[255]), Some(0x0101));
        let map = screen_map(b"# CP437\n0x80\tU+00c7 # C cedilla\n\n0101 66\n").expect("a map in text");
        assert_eq!((map[0x80], map[0x41], map[0x42]), (0xc7, 0x42, 0x42));
        assert_eq!((screen_map(b"256 65\n"), screen_map(b"65\n"), screen_map(b"A B\n")), (None, None, None));
    }

    #[test]
    fn any_bytes_are_looked_at_without_a_panic() {
        let mut random = Random::new(11);
        for round in 0..3000 {
            let head: &[u8] =
                if round % 2 == 0 { b"\x72\xb5\x4a\x86\0\0\0\0\x20\0\0\0\x01\0\0\0" } else { b"\x36\x04" };
            parse(&[head, &random.bytes(400)].concat());
        }
        assert!(parse(b"").is_none() && parse(b"\x36\x04").is_none() && parse(b"x").is_none());
    }
}
