//! `fbset`: print and set the mode of a frame buffer (fbset(8), fb.modes(5), linux/fb.h).

use crate::framebuffer::*;
use rbox_core::bytes::words;
use rbox_core::io::Input;
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::device_block::{Exchange, exchange};
use rbox_core::{push, text};

options! {
    "[OPTIONS] [MODE]

Print the mode of a frame buffer, or set it: MODE of the mode file, or what the options say.

-fb DEVICE (/dev/fb0), -db FILE (/etc/fb.modes), -s or --show: print the mode after it is set; -i: print information
about the device; -n or --test: set nothing; -a: for all virtual consoles; -match: virtual resolution as the screen's;
-g XRES YRES VXRES VYRES DEPTH; -t PIXCLOCK LEFT RIGHT UPPER LOWER HSLEN VSLEN; -xres N, -yres N, -vxres N, -vyres N,
-depth N, -pixclock N, -left N, -right N, -upper N, -lower N, -hslen N, -vslen N; -accel, -laced, -double, -extsync,
-bcast: true or false; -hsync, -vsync, -csync: low or high; -rgba R,G,B,A: bits of the colors"
}

/// The applet. Its options are words.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// FB_ACTIVATE_ALL: for all virtual consoles.
const ALL: u32 = 64;
/// FB_ACTIVATE_TEST
const TEST: u32 = 2;

/// What the words ask for besides fields of the mode.
#[derive(Default)]
struct Request {
    sets: bool,
    shows: bool,
    describes: bool,
    matches: bool,
    activate: u32,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let all = args.operands();
    let (mut device, mut table, mut mode) = (DEVICE, &b"/etc/fb.modes"[..], None);
    let mut changes = Vec::new();
    let mut rest = all;
    while let [word, after @ ..] = rest {
        rest = after;
        let Some(name) = word.strip_prefix(b"-") else {
            mode = Some(*word);
            continue;
        };
        let name = name.strip_prefix(b"-").unwrap_or(name);
        let count = arguments(name).ok_or_else(|| Error::usage_because(&[b"unknown option: ", word]))?;
        let missing = || Error::usage_because(&[word, b" needs ", &text!(count), b" words"]);
        let (values, after) = after.split_at_checked(count).ok_or_else(missing)?;
        rest = after;
        match name {
            b"fb" => device = values[0],
            b"db" => table = values[0],
            _ => changes.push((name, values)),
        }
    }
    let (file, mut screen) = open_screen(device)?;
    let mut request = Request::default();
    if let Some(mode) = mode {
        apply_mode(&mut screen, &mut Input::open(table)?, mode)?;
        request.sets = true;
    }
    for (name, values) in changes {
        apply(&mut screen, &mut request, name, values)?;
    }
    if request.matches {
        screen.set(VIRTUAL_WIDTH, screen.get(WIDTH));
        screen.set(VIRTUAL_HEIGHT, screen.get(HEIGHT));
    }
    if request.sets {
        screen.set(ACTIVATE, request.activate);
        exchange(file.as_fd(), Exchange::SetScreen, &mut screen.0).map_err(|errno| Error::on(device, errno))?;
    }
    if request.shows || !request.sets {
        env.stdout.write(&show(&screen))?;
    }
    if request.describes {
        let fixed = fixed(&file, device)?;
        let end = fixed[..16].iter().position(|&byte| byte == 0).unwrap_or(16);
        let name = rbox_core::term::clean(&fixed[..end], b"", rbox_core::term::Shown::Caret);
        let mut lines = text!("Frame buffer device information:\n\tName        : ", name);
        push!(lines, "\n\tLineLength  : ", line_length(&fixed), "\n");
        env.stdout.write(&lines)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// How many words follow an option.
fn arguments(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"s" | b"show" | b"i" | b"info" | b"n" | b"test" | b"a" | b"all" | b"match" => 0,
        b"g" => 5,
        b"t" => 7,
        b"fb" | b"db" | b"rgba" => 1,
        _ if field(name).is_some() || flag(name).is_some() => 1,
        _ => return None,
    })
}

/// The field that an option, or a line of the mode file, sets to a number.
fn field(name: &[u8]) -> Option<usize> {
    let timing = |at: usize| Some(TIMINGS + 4 * at);
    match name {
        b"xres" => Some(WIDTH),
        b"yres" => Some(HEIGHT),
        b"vxres" => Some(VIRTUAL_WIDTH),
        b"vyres" => Some(VIRTUAL_HEIGHT),
        b"depth" => Some(DEPTH),
        b"pixclock" => timing(0),
        b"left" => timing(1),
        b"right" => timing(2),
        b"upper" => timing(3),
        b"lower" => timing(4),
        b"hslen" => timing(5),
        b"vslen" => timing(6),
        _ => None,
    }
}

/// The field and the bits that an option, or a line of the mode file, sets or clears.
fn flag(name: &[u8]) -> Option<(usize, u32)> {
    match name {
        b"hsync" => Some((SYNC, 1)),
        b"vsync" => Some((SYNC, 2)),
        b"extsync" => Some((SYNC, 4)),
        b"csync" => Some((SYNC, 8)),
        b"bcast" => Some((SYNC, 16)),
        b"laced" => Some((VMODE, 1)),
        b"double" => Some((VMODE, 2)),
        b"accel" => Some((ACCELERATION, 1)),
        _ => None,
    }
}

fn number(word: &[u8]) -> Result<u32> {
    parse_decimal(word).and_then(|number| u32::try_from(number).ok()).ok_or_else(|| invalid(word))
}

fn apply(screen: &mut Screen, request: &mut Request, name: &[u8], values: &[&[u8]]) -> Result<()> {
    match name {
        b"s" | b"show" => request.shows = true,
        b"i" | b"info" => request.describes = true,
        b"n" | b"test" => request.activate |= TEST,
        b"a" | b"all" => request.activate |= ALL,
        b"match" => (request.matches, request.sets) = (true, true),
        _ => {
            request.sets = true;
            set(screen, name, values)?;
        }
    }
    Ok(())
}

/// Sets a field by an option's name, which is mostly that of a line of the mode file too.
fn set(screen: &mut Screen, name: &[u8], values: &[&[u8]]) -> Result<()> {
    let mut fill = |first: usize, values: &[&[u8]]| {
        values.iter().enumerate().try_for_each(|(at, word)| number(word).map(|value| screen.set(first + 4 * at, value)))
    };
    match name {
        b"g" | b"geometry" => {
            fill(WIDTH, &values[..4])?;
            return fill(DEPTH, &values[4..5]);
        }
        b"t" | b"timings" => return fill(TIMINGS, &values[..7]),
        b"rgba" => {
            // `8/16` or `8`: the bits, and their offset.
            for (part, at) in values[0].split(|&byte| byte == b',').zip(COLORS) {
                let (length, offset) =
                    rbox_core::bytes::split_once(part, b'/').map_or((part, None), |(a, b)| (a, Some(b)));
                screen.set(at + 4, number(length)?);
                if let Some(offset) = offset {
                    screen.set(at, number(offset)?);
                }
            }
            return Ok(());
        }
        _ => {}
    }
    if let Some(at) = field(name) {
        screen.set(at, number(values[0])?);
    } else if let Some((at, bits)) = flag(name) {
        let is_on = match values[0] {
            b"true" | b"high" | b"1" | b"yes" | b"on" => true,
            b"false" | b"low" | b"0" | b"no" | b"off" => false,
            word => return Err(Error::parts(&[b"invalid value '", word, b"'"])),
        };
        let before = screen.get(at);
        screen.set(at, if is_on { before | bits } else { before & !bits });
    } else {
        return Err(Error::parts(&[b"unknown setting '", name, b"'"]));
    }
    Ok(())
}

/// Finds a mode in a file of modes and sets its fields.
fn apply_mode(screen: &mut Screen, input: &mut Input, wanted: &[u8]) -> Result<()> {
    let (mut is_inside, mut is_found) = (false, false);
    while let Some(line) = input.line()? {
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let fields: Vec<&[u8]> = words(line).collect();
        match fields[..] {
            [] => {}
            [b"endmode", ..] if is_found => return Ok(()),
            [b"endmode", ..] => is_inside = false,
            [b"mode", ..] => {
                let rest = line.trim_ascii_start()[4..].trim_ascii();
                let name = rest.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(rest);
                (is_inside, is_found) = (true, name == wanted);
                if is_found {
                    // What the mode does not name has its usual value.
                    [SYNC, VMODE].into_iter().for_each(|at| screen.set(at, 0));
                }
            }
            [name, ref values @ ..] if is_found => {
                let needed = match name {
                    b"geometry" => 5,
                    b"timings" => 7,
                    _ => 1,
                };
                if values.len() < needed {
                    return Err(Error::parts(&[b"mode '", wanted, b"': '", name, b"' needs more words"]));
                }
                set(screen, name, values)?;
            }
            _ if is_inside => {}
            _ => return Err(Error::parts(&[b"line outside of a mode: '", line.trim_ascii(), b"'"])),
        }
    }
    Err(Error::parts(&[b"unknown video mode '", wanted, b"'"]))
}

/// The mode as the mode file has it.
fn show(screen: &Screen) -> Vec<u8> {
    let timing = |at: usize| u64::from(screen.get(TIMINGS + 4 * at));
    let (width, height) = (screen.get(WIDTH), screen.get(HEIGHT));
    let mut lines = text!("\nmode \"", width, "x", height);
    if timing(0) > 0 {
        // Hertz of pixels, lines and pictures.
        let pixels = 1_000_000_000_000 / timing(0);
        let columns = u64::from(width) + timing(1) + timing(2) + timing(5);
        let mut rows = u64::from(height) + timing(3) + timing(4) + timing(6);
        if screen.get(VMODE) & 1 != 0 {
            rows /= 2;
        }
        if screen.get(VMODE) & 2 != 0 {
            rows *= 2;
        }
        let pictures = rbox_core::number::ratio(pixels, 1000, (columns * rows).max(1));
        push!(lines, "-", (pictures + 500) / 1000, "\"\n\t# D: ", thousandths(pixels / 1000), " MHz, H: ");
        push!(lines, thousandths(pixels / columns.max(1)), " kHz, V: ", thousandths(pictures), " Hz\n");
    } else {
        push!(lines, "\"\n");
    }
    push!(lines, "\tgeometry ", width, " ", height, " ", screen.get(VIRTUAL_WIDTH), " ", screen.get(VIRTUAL_HEIGHT));
    push!(lines, " ", screen.get(DEPTH), "\n\ttimings");
    (0..7).for_each(|at| push!(lines, " ", timing(at)));
    let is_on = |name: &[u8]| flag(name).is_some_and(|(at, bits)| screen.get(at) & bits != 0);
    push!(lines, "\n\taccel ", if is_on(b"accel") { "true" } else { "false" }, "\n");
    for name in ["hsync", "vsync", "csync"] {
        if is_on(name.as_bytes()) {
            push!(lines, "\t", name, " high\n");
        }
    }
    for name in ["extsync", "bcast", "laced", "double"] {
        if is_on(name.as_bytes()) {
            push!(lines, "\t", name, " true\n");
        }
    }
    lines.extend_from_slice(b"\trgba ");
    for at in COLORS {
        push!(lines, screen.get(at + 4), "/", screen.get(at), ",");
    }
    lines.pop();
    lines.extend_from_slice(b"\nendmode\n\n");
    lines
}

fn thousandths(number: u64) -> Vec<u8> {
    text!(number / 1000, ".", rbox_core::text::Right(number % 1000, 3, b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rbox_core::sys::device_block::SIZE;

    const MODES: &[u8] = b"# comment\nmode \"other\"\n geometry 1 1 1 1 1\nendmode\nmode \"1024x768-76\"
    geometry 1024 768 1024 1536 16\n timings 12714 128 32 16 4 128 4 # fast\n hsync high\n laced false\n rgba 5/11,6/5,5/0,0/0
endmode\n";

    #[test]
    fn a_mode_of_the_file_is_set_and_printed() {
        let mut screen = Screen([0; SIZE]);
        apply_mode(&mut screen, &mut Input::from_bytes(MODES.to_vec()), b"1024x768-76").expect("it is there");
        let expected = "\nmode \"1024x768-76\"\n\t# D: 78.653 MHz, H: 59.949 kHz, V: 75.694 Hz\n\tgeometry 1024 768 1024 1536 16\n\
                        \ttimings 12714 128 32 16 4 128 4\n\taccel false\n\thsync high\n\trgba 5/11,6/5,5/0,0/0\nendmode\n\n";
        assert_eq!(String::from_utf8(show(&screen)).expect("ASCII"), expected);
        for wanted in [&b"none"[..], b"12"] {
            assert!(apply_mode(&mut screen, &mut Input::from_bytes(MODES.to_vec()), wanted).is_err());
        }
        let bad = b"mode \"x\"\ntimings 1 2\nendmode\n".to_vec();
        assert!(apply_mode(&mut screen, &mut Input::from_bytes(bad), b"x").is_err());
    }

    #[test]
    fn options_set_fields() {
        let (mut screen, mut request) = (Screen([0; SIZE]), Request::default());
        apply(&mut screen, &mut request, b"g", &[b"640", b"480", b"640", b"960", b"32"]).expect("numbers");
        apply(&mut screen, &mut request, b"laced", &[b"true"]).expect("a word");
        apply(&mut screen, &mut request, b"upper", &[b"7"]).expect("a number");
        assert_eq!(
            [WIDTH, HEIGHT, VIRTUAL_HEIGHT, DEPTH, VMODE, TIMINGS + 12].map(|at| screen.get(at)),
            [640, 480, 960, 32, 1, 7]
        );
        assert!(apply(&mut screen, &mut request, b"upper", &[b"x"]).is_err());
        assert!(apply(&mut screen, &mut request, b"hsync", &[b"maybe"]).is_err());
        assert_eq!((arguments(b"t"), arguments(b"vsync"), arguments(b"nope")), (Some(7), Some(1), None));
    }
}
