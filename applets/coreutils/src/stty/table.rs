//! The settings of a terminal by their names: flags, special characters, and words that stand for several settings.

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::sys::termios::{ControlModes, InputModes, LocalModes, OutputModes, SpecialCodeIndex, Termios};

/// Which of the four words of flags a setting is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Control,
    Input,
    Output,
    Local,
}

/// One setting: bits of a word of flags.
#[derive(Clone, Copy)]
pub struct Flag {
    pub kind: Kind,
    pub bits: u32,
    /// The field that the bits are a value of; 0 for a flag that is on or off.
    pub field: u32,
    /// Another name of a setting, which is not printed.
    pub is_alias: bool,
}

const fn pack(kind: u64, bits: u32, field: u32) -> u64 {
    kind | (field as u64) << 4 | (bits as u64) << 24
}

const fn control(bits: ControlModes) -> u64 {
    pack(0, bits.bits(), 0)
}

const fn input(bits: InputModes) -> u64 {
    pack(1, bits.bits(), 0)
}

const fn output(bits: OutputModes) -> u64 {
    pack(2, bits.bits(), 0)
}

const fn local(bits: LocalModes) -> u64 {
    pack(3, bits.bits(), 0)
}

const fn size(bits: ControlModes) -> u64 {
    pack(0, bits.bits(), ControlModes::CSIZE.bits())
}

/// A value of a field of delays: the number in its name.
const fn delay(field: OutputModes, number: u32) -> u64 {
    pack(2, number << field.bits().trailing_zeros(), field.bits())
}

const ALIAS: u64 = 8;

/// All flags, in the order in which they are printed.
const FLAGS: Names = names! {
    "parenb" = control(ControlModes::PARENB), "parodd" = control(ControlModes::PARODD),
    "cmspar" = control(ControlModes::CMSPAR), "cs5" = size(ControlModes::CS5), "cs6" = size(ControlModes::CS6),
    "cs7" = size(ControlModes::CS7), "cs8" = size(ControlModes::CS8), "hupcl" = control(ControlModes::HUPCL),
    "hup" = ALIAS | control(ControlModes::HUPCL), "cstopb" = control(ControlModes::CSTOPB),
    "cread" = control(ControlModes::CREAD), "clocal" = control(ControlModes::CLOCAL),
    "crtscts" = control(ControlModes::CRTSCTS),
    "ignbrk" = input(InputModes::IGNBRK), "brkint" = input(InputModes::BRKINT), "ignpar" = input(InputModes::IGNPAR),
    "parmrk" = input(InputModes::PARMRK), "inpck" = input(InputModes::INPCK), "istrip" = input(InputModes::ISTRIP),
    "inlcr" = input(InputModes::INLCR), "igncr" = input(InputModes::IGNCR), "icrnl" = input(InputModes::ICRNL),
    "ixon" = input(InputModes::IXON), "ixoff" = input(InputModes::IXOFF), "tandem" = ALIAS | input(InputModes::IXOFF),
    "iuclc" = input(InputModes::IUCLC), "ixany" = input(InputModes::IXANY), "imaxbel" = input(InputModes::IMAXBEL),
    "iutf8" = input(InputModes::IUTF8),
    "opost" = output(OutputModes::OPOST), "olcuc" = output(OutputModes::OLCUC), "ocrnl" = output(OutputModes::OCRNL),
    "onlcr" = output(OutputModes::ONLCR), "onocr" = output(OutputModes::ONOCR), "onlret" = output(OutputModes::ONLRET),
    "ofill" = output(OutputModes::OFILL), "ofdel" = output(OutputModes::OFDEL),
    "nl1" = delay(OutputModes::NLDLY, 1), "nl0" = delay(OutputModes::NLDLY, 0),
    "cr3" = delay(OutputModes::CRDLY, 3), "cr2" = delay(OutputModes::CRDLY, 2),
    "cr1" = delay(OutputModes::CRDLY, 1), "cr0" = delay(OutputModes::CRDLY, 0),
    "tab3" = delay(OutputModes::TABDLY, 3), "tab2" = delay(OutputModes::TABDLY, 2),
    "tab1" = delay(OutputModes::TABDLY, 1), "tab0" = delay(OutputModes::TABDLY, 0),
    "bs1" = delay(OutputModes::BSDLY, 1), "bs0" = delay(OutputModes::BSDLY, 0),
    "vt1" = delay(OutputModes::VTDLY, 1), "vt0" = delay(OutputModes::VTDLY, 0),
    "ff1" = delay(OutputModes::FFDLY, 1), "ff0" = delay(OutputModes::FFDLY, 0),
    "isig" = local(LocalModes::ISIG), "icanon" = local(LocalModes::ICANON), "iexten" = local(LocalModes::IEXTEN),
    "echo" = local(LocalModes::ECHO), "echoe" = local(LocalModes::ECHOE), "crterase" = ALIAS | local(LocalModes::ECHOE),
    "echok" = local(LocalModes::ECHOK), "echonl" = local(LocalModes::ECHONL), "noflsh" = local(LocalModes::NOFLSH),
    "xcase" = local(LocalModes::XCASE), "tostop" = local(LocalModes::TOSTOP), "echoprt" = local(LocalModes::ECHOPRT),
    "prterase" = ALIAS | local(LocalModes::ECHOPRT), "echoctl" = local(LocalModes::ECHOCTL),
    "ctlecho" = ALIAS | local(LocalModes::ECHOCTL), "echoke" = local(LocalModes::ECHOKE),
    "crtkill" = ALIAS | local(LocalModes::ECHOKE), "flusho" = local(LocalModes::FLUSHO),
    "extproc" = local(LocalModes::EXTPROC),
};

fn unpack(number: u64) -> Flag {
    let kind = [Kind::Control, Kind::Input, Kind::Output, Kind::Local][number as usize & 3];
    Flag { kind, bits: (number >> 24) as u32, field: (number >> 4) as u32 & 0xf_ffff, is_alias: number & ALIAS != 0 }
}

/// All flags with their names.
pub fn flags() -> impl Iterator<Item = (&'static str, Flag)> {
    FLAGS.iter().map(|(name, number)| (name, unpack(number)))
}

/// The flag of that name.
pub fn flag(name: &[u8]) -> Option<Flag> {
    FLAGS.number_of(name).map(unpack)
}

impl Flag {
    /// What the terminal has in the field of the flag.
    pub fn is_set(self, state: &Termios) -> bool {
        let word = match self.kind {
            Kind::Control => state.control_modes.bits(),
            Kind::Input => state.input_modes.bits(),
            Kind::Output => state.output_modes.bits(),
            Kind::Local => state.local_modes.bits(),
        };
        let field = if self.field == 0 { self.bits } else { self.field };
        word & field == self.bits
    }

    /// Sets it, or takes it away.
    pub fn set(self, state: &mut Termios, on: bool) {
        let change = |word: u32| word & !(self.field | self.bits) | if on { self.bits } else { 0 };
        match self.kind {
            Kind::Control => state.control_modes = ControlModes::from_bits_retain(change(state.control_modes.bits())),
            Kind::Input => state.input_modes = InputModes::from_bits_retain(change(state.input_modes.bits())),
            Kind::Output => state.output_modes = OutputModes::from_bits_retain(change(state.output_modes.bits())),
            Kind::Local => state.local_modes = LocalModes::from_bits_retain(change(state.local_modes.bits())),
        }
    }
}

/// The special characters in the order in which they are printed; `discard` is GNU's name of `flush`.
pub const CHARACTERS: Names = names! {
    "intr" = 0, "quit" = 1, "erase" = 2, "kill" = 3, "eof" = 4, "eol" = 11, "eol2" = 16, "swtch" = 7, "start" = 8,
    "stop" = 9, "susp" = 10, "rprnt" = 12, "werase" = 14, "lnext" = 15, "flush" = 13,
};

/// Where the numbers of reads that do not wait for whole lines are among the special characters.
pub const TIME: u64 = 5;
pub const MIN: u64 = 6;

/// The special character with that number, which is its place in `struct termios` on most processors (termios.h of
/// asm-generic), and in the output of `-g` on all.
pub fn index(number: u64) -> Option<SpecialCodeIndex> {
    Some(match number {
        0 => SpecialCodeIndex::VINTR,
        1 => SpecialCodeIndex::VQUIT,
        2 => SpecialCodeIndex::VERASE,
        3 => SpecialCodeIndex::VKILL,
        4 => SpecialCodeIndex::VEOF,
        5 => SpecialCodeIndex::VTIME,
        6 => SpecialCodeIndex::VMIN,
        7 => SpecialCodeIndex::VSWTC,
        8 => SpecialCodeIndex::VSTART,
        9 => SpecialCodeIndex::VSTOP,
        10 => SpecialCodeIndex::VSUSP,
        11 => SpecialCodeIndex::VEOL,
        12 => SpecialCodeIndex::VREPRINT,
        13 => SpecialCodeIndex::VDISCARD,
        14 => SpecialCodeIndex::VWERASE,
        15 => SpecialCodeIndex::VLNEXT,
        16 => SpecialCodeIndex::VEOL2,
        _ => return None,
    })
}

/// The settings that a word means.
pub fn expansion(word: &[u8]) -> Option<&'static str> {
    Some(match word {
        b"evenp" | b"parity" => "parenb -parodd cs7",
        b"-evenp" | b"-parity" | b"-oddp" => "-parenb cs8",
        b"oddp" => "parenb parodd cs7",
        b"nl" => "-icrnl -onlcr",
        b"-nl" => "icrnl -inlcr -igncr onlcr -ocrnl -onlret",
        b"ek" => "erase ^? kill ^u",
        b"sane" => {
            "cread -ignbrk brkint -inlcr -igncr icrnl -ixoff -iuclc -ixany imaxbel -iutf8 opost -olcuc -ocrnl onlcr \
             -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0 isig icanon iexten echo echoe echok -echonl -noflsh \
             -xcase -tostop -echoprt echoctl echoke -flusho -extproc intr ^c quit ^\\ erase ^? kill ^u eof ^d eol ^- \
             eol2 ^- swtch ^- start ^q stop ^s susp ^z rprnt ^r werase ^w lnext ^v flush ^o min 1 time 0"
        }
        b"cooked" | b"-raw" => "brkint ignpar istrip icrnl ixon opost isig icanon",
        b"raw" | b"-cooked" => {
            "-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr -icrnl -ixon -ixoff -iuclc -ixany -imaxbel \
             -opost -isig -icanon -xcase min 1 time 0"
        }
        b"pass8" => "-parenb -istrip cs8",
        b"-pass8" => "parenb istrip cs7",
        b"litout" => "-parenb -istrip -opost cs8",
        b"-litout" => "parenb istrip opost cs7",
        b"cbreak" => "-icanon",
        b"-cbreak" => "icanon",
        b"decctlq" => "-ixany",
        b"-decctlq" => "ixany",
        b"tabs" => "tab0",
        b"-tabs" => "tab3",
        b"lcase" | b"LCASE" => "xcase iuclc olcuc",
        b"-lcase" | b"-LCASE" => "-xcase -iuclc -olcuc",
        b"crt" => "echoe echoctl echoke",
        b"dec" => "echoe echoctl echoke -ixany intr ^c erase ^? kill ^u",
        _ => return None,
    })
}
