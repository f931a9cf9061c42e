//! `fbsplash`: show an image and a progress bar on a frame buffer (linux/fb.h; PPM: ppm(5)).

use crate::framebuffer::*;
use rbox_core::block::write_at;
use rbox_core::io::{Input, Output};
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::{AsFd, OwnedFd};

options! {
    "-s IMAGE [-c] [-d DEVICE] [-i CONFIGURATION] [-f FIFO]

Show IMAGE, a PPM of type P6, on a frame buffer.

  -c                Hide the cursor
  -d DEVICE         Frame buffer (/dev/fb0)
  -f FIFO           Read commands from FIFO: a number from 0 to 100 draws the bar, exit ends; -: standard input
  -i CONFIGURATION  Lines NAME=NUMBER: BAR_LEFT, BAR_TOP, BAR_WIDTH, BAR_HEIGHT, BAR_R, BAR_G, BAR_B, IMG_LEFT, IMG_TOP
  -s IMAGE          The image; -: standard input";
    CURSOR = "-c",
    DEVICE_NAME = "-d",
    COMMANDS = "-f",
    SETTINGS = "-i",
    IMAGE = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Pixels of an image or a screen in one direction at most.
const MOST: u64 = 32768;

/// The settings, in pixels and 0-255 for colors.
const LEFT: usize = 0;
const TOP: usize = 1;
const BAR_WIDTH: usize = 2;
const BAR_HEIGHT: usize = 3;
const RED: usize = 4;
const IMAGE_LEFT: usize = 7;
const IMAGE_TOP: usize = 8;
const NAMES: &str = "BAR_LEFT BAR_TOP BAR_WIDTH BAR_HEIGHT BAR_R BAR_G BAR_B IMG_LEFT IMG_TOP";

/// How a color is a pixel: bytes of one, then offset and length of red, green and blue.
#[derive(Clone, Copy)]
struct Format {
    bytes: usize,
    colors: [(u32, u32); 3],
}

/// The visible part of a frame buffer in memory.
struct Canvas {
    width: usize,
    height: usize,
    format: Format,
    pixels: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let image = args.value(IMAGE).ok_or_else(|| Error::misused("-s is needed"))?;
    let mut settings = [0u32, 0, 0, 0, 80, 80, 130, 0, 0];
    if let Some(path) = args.value(SETTINGS) {
        configure(&mut settings, &Input::open(path)?.read_to_end()?)?;
    }
    let device = args.value(DEVICE_NAME).unwrap_or(DEVICE);
    let (file, screen) = open_screen(device)?;
    let stride = line_length(&fixed(&file, device)?);
    let mut canvas = Canvas::of(&screen).ok_or_else(|| Error::parts(&[device, b": unknown format of pixels"]))?;
    let start = u64::from(screen.get(OFFSET_Y)) * u64::from(stride)
        + u64::from(screen.get(OFFSET_X)) * canvas.format.bytes as u64;
    let show = |canvas: &Canvas, rows: (usize, usize)| send(&file, canvas, (start, stride.into()), rows, device);
    canvas.draw_image(&mut env.open(image)?, settings[IMAGE_LEFT] as usize, settings[IMAGE_TOP] as usize)?;
    if args.has(CURSOR) {
        cursor(b"\x1b[?25l")?;
    }
    show(&canvas, (0, canvas.height))?;
    if let Some(path) = args.value(COMMANDS) {
        let (top, height) = (settings[TOP] as usize, settings[BAR_HEIGHT] as usize);
        let mut input = env.open(path)?;
        while let Some(line) = input.line()? {
            match line.trim_ascii() {
                b"exit" => break,
                word => {
                    if let Some(percent) = parse_decimal(word).filter(|percent| *percent <= 100) {
                        canvas.draw_bar(&settings, percent as usize);
                        show(&canvas, (top, top.saturating_add(height)))?;
                    }
                }
            }
        }
        if args.has(CURSOR) {
            cursor(b"\x1b[?25h")?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// Sends a sequence to the console that is shown.
fn cursor(sequence: &[u8]) -> Result<()> {
    let mut console = Output::open(b"/dev/tty0", true).map_err(|errno| Error::cannot("open", b"/dev/tty0", errno))?;
    console.write(sequence)?;
    console.flush()
}

fn configure(settings: &mut [u32; 9], content: &[u8]) -> Result<()> {
    for line in content.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        let Some((name, value)) = rbox_core::bytes::split_once(line, b'=').filter(|_| !line.starts_with(b"#")) else {
            continue;
        };
        let known = NAMES.split(' ').position(|known| known.as_bytes() == name.trim_ascii());
        let at = known.ok_or_else(|| Error::parts(&[b"unknown setting '", name, b"'"]))?;
        let most = if (RED..RED + 3).contains(&at) { 255 } else { MOST };
        let value = value.trim_ascii();
        settings[at] = parse_decimal(value).filter(|number| *number <= most).ok_or_else(|| invalid(value))? as u32;
    }
    Ok(())
}

/// Writes rows of the canvas to the frame buffer.
fn send(
    file: &OwnedFd,
    canvas: &Canvas,
    (start, stride): (u64, u64),
    (from, to): (usize, usize),
    path: &[u8],
) -> Result<()> {
    let length = canvas.width * canvas.format.bytes;
    for row in from..to.min(canvas.height) {
        let pixels = &canvas.pixels[row * length..][..length];
        write_at(file.as_fd(), start + row as u64 * stride, pixels).map_err(|errno| Error::on(path, errno))?;
    }
    Ok(())
}

impl Format {
    /// The pixel of a color.
    fn pixel(&self, color: [u8; 3]) -> [u8; 4] {
        let parts = self.colors.iter().zip(color).map(|(&(offset, length), color)| {
            let value = u32::from(color) << 8 >> (16 - length.min(16));
            value.checked_shl(offset).unwrap_or(0)
        });
        parts.fold(0, |pixel, part| pixel | part).to_le_bytes()
    }
}

impl Canvas {
    /// A black canvas of a screen's size. `None` for a screen whose pixels are no colors of 16, 24 or 32 bits.
    fn of(screen: &Screen) -> Option<Self> {
        let bytes = screen.get(DEPTH).div_ceil(8) as usize;
        let colors = [0, 1, 2].map(|at| (screen.get(COLORS[at]), screen.get(COLORS[at] + 4)));
        let (width, height) = (screen.get(WIDTH), screen.get(HEIGHT));
        let is_known = (2..=4).contains(&bytes)
            && colors.iter().all(|&(offset, length)| (1..=16).contains(&length) && offset < 32)
            && u64::from(width.max(height)) <= MOST;
        let (width, height) = (width as usize, height as usize);
        let mut pixels = Vec::new();
        let size = width * height * bytes;
        if !is_known || rbox_core::bytes::reserve(&mut pixels, size).is_err() {
            return None;
        }
        pixels.resize(size, 0);
        Some(Self { width, height, format: Format { bytes, colors }, pixels })
    }

    fn set(&mut self, x: usize, y: usize, color: [u8; 3]) {
        if x < self.width && y < self.height {
            let at = (y * self.width + x) * self.format.bytes;
            let pixel = self.format.pixel(color);
            self.pixels[at..at + self.format.bytes].copy_from_slice(&pixel[..self.format.bytes]);
        }
    }

    fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), color: [u8; 3]) {
        for row in y..y.saturating_add(height).min(self.height) {
            (x..x.saturating_add(width).min(self.width)).for_each(|column| self.set(column, row, color));
        }
    }

    /// Draws a PPM with its upper left pixel at a position; what does not fit is left out.
    fn draw_image(&mut self, input: &mut Input, left: usize, top: usize) -> Result<()> {
        let wrong = || Error::new("not a PPM file of type P6");
        let mut magic = [0; 2];
        read_exactly(input, &mut magic)?;
        if magic != *b"P6" {
            return Err(wrong());
        }
        let mut number = || header_number(input)?.filter(|number| (1..=MOST).contains(number)).ok_or_else(wrong);
        let (width, height, most) = (number()? as usize, number()? as usize, number()?);
        if most > 255 {
            return Err(Error::new("PPM file with colors of more than eight bits"));
        }
        let mut row = vec![0; width * 3];
        for y in 0..height {
            read_exactly(input, &mut row)?;
            for (x, color) in row.as_chunks::<3>().0.iter().enumerate() {
                let color = color.map(|value| (u64::from(value) * 255 / most).min(255) as u8);
                self.set(left + x, top + y, color);
            }
        }
        Ok(())
    }

    /// Draws the bar: a darker frame and rest, and what is done in the color.
    fn draw_bar(&mut self, settings: &[u32; 9], percent: usize) {
        let [left, top, width, height] = [LEFT, TOP, BAR_WIDTH, BAR_HEIGHT].map(|at| settings[at] as usize);
        let color = [0, 1, 2].map(|at| settings[RED + at] as u8);
        let darker = color.map(|value| value / 2);
        self.fill((left, top), (width, height), darker);
        let done = width.saturating_sub(2) * percent / 100;
        self.fill((left + 1, top + 1), (done, height.saturating_sub(2)), color);
    }
}

fn read_exactly(input: &mut Input, into: &mut [u8]) -> Result<()> {
    let mut done = 0;
    while done < into.len() {
        match input.read(&mut into[done..])? {
            0 => return Err(Error::new("the image ends too early")),
            count => done += count,
        }
    }
    Ok(())
}

/// The next number of a header, and the blank after it; comments begin with `#`.
fn header_number(input: &mut Input) -> Result<Option<u64>> {
    let (mut digits, mut byte) = (Vec::new(), [0]);
    loop {
        read_exactly(input, &mut byte)?;
        match byte[0] {
            b'#' => {
                while byte[0] != b'\n' {
                    read_exactly(input, &mut byte)?;
                }
            }
            b'0'..=b'9' if digits.len() < 20 => digits.push(byte[0]),
            byte if byte.is_ascii_whitespace() => {
                if !digits.is_empty() {
                    return Ok(parse_decimal(&digits));
                }
            }
            _ => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rbox_core::sys::device_block::SIZE;

    /// Four by three pixels of 16 bits: five of red, six of green, five of blue.
    fn canvas() -> Canvas {
        let mut screen = Screen([0; SIZE]);
        for (at, value) in [(WIDTH, 4), (HEIGHT, 3), (DEPTH, 16), (32, 11), (36, 5), (44, 5), (48, 6), (56, 0), (60, 5)]
        {
            screen.set(at, value);
        }
        Canvas::of(&screen).expect("a known format")
    }

    fn rows(canvas: &Canvas) -> Vec<u16> {
        canvas.pixels.as_chunks::<2>().0.iter().map(|pixel| u16::from_le_bytes(*pixel)).collect()
    }

    #[test]
    fn an_image_is_drawn_and_cut_at_the_edges() {
        let mut canvas = canvas();
        let image = b"P6 # comment\n2 2\n255\n\xff\0\0\0\xff\0\0\0\xff\xff\xff\xff".to_vec();
        canvas.draw_image(&mut Input::from_bytes(image), 3, 1).expect("an image");
        assert_eq!(rows(&canvas), [0, 0, 0, 0, 0, 0, 0, 0xf800, 0, 0, 0, 0x001f]);
        for bad in [
            &b"P5 1 1 255 x"[..],
            b"P6 0 1 255 xxx",
            b"P6 1 1 65535 xxx",
            b"P6 2 2 255 x",
            b"P6 x",
            b"",
            b"P6 99999 1 255 ",
        ] {
            assert!(canvas.draw_image(&mut Input::from_bytes(bad.to_vec()), 0, 0).is_err());
        }
    }

    #[test]
    fn the_bar_shows_what_is_done() {
        let (mut canvas, mut settings) = (canvas(), [0; 9]);
        configure(&mut settings, b"# bar\nBAR_WIDTH=4\nBAR_HEIGHT = 3\nBAR_R=255\nBAR_LEFT=0\n").expect("settings");
        canvas.draw_bar(&settings, 50);
        let (done, frame) = (0xf800, 0x7800);
        assert_eq!(rows(&canvas)[4..8], [frame, done, frame, frame]);
        canvas.draw_bar(&settings, 100);
        assert_eq!(rows(&canvas)[4..8], [frame, done, done, frame]);
        assert!(configure(&mut settings, b"BAR_X=1").is_err() && configure(&mut settings, b"BAR_R=256").is_err());
    }
}
