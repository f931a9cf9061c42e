//! `less`: show files a screen at a time, in both directions (BusyBox's keys and options, and the daily ones of less(1)).
//!
//! A regular file is read where it is looked at: its size makes no difference. A stream is kept in memory. Text is UTF-8.
//! Unlike BusyBox, `-R` obeys colours instead of removing them, as less(1) and those who call it (git, systemd) have it.

mod command;
mod prompt;
mod view;

use rbox_core::io::Input;
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::sys::{AsRawFd, OwnedFd, fs};
use rbox_core::term::screen::{Manner, Screen};
use rbox_core::text;

use crate::pager::files::{copy_all, open, or_standard_input, terminal};
use crate::pager::row::Raw;
use crate::pager::search::Pattern;
use crate::pager::source::Source;

options! {
    "[-EFhIiKMmNnqRrSsX~] [-e] [-f] [-p PATTERN] [-x N] [+CMD] [FILE]...

View FILE, or standard input, one screenful at a time. The key h lists the keys.

  -E, --QUIT-AT-EOF          Quit once the end of a file is reached
  -e, --quit-at-eof          Quit when the end of a file is reached a second time
  -F, --quit-if-one-screen   Quit if the entire file fits on the first screen
  -h, --keys                 Show the list of keys first
  -I, --IGNORE-CASE          Ignore case in all searches
  -i, --ignore-case          Ignore case in searches for patterns without upper case
  -M, --LONG-PROMPT          Display a status line with line numbers and percentage
  -m, --long-prompt          Same as -M
  -N, --LINE-NUMBERS         Prefix each line with its number
  -n, --line-numbers         Do not count lines: no numbers in the status line
  -R, --RAW-CONTROL-CHARS    Obey color escape codes in the input
  -r, --raw-control-chars    Obey all control characters in the input
  -S, --chop-long-lines      Truncate long lines
  -s, --squeeze-blank-lines  Show one empty line for several
  -X, --no-init              Leave the text on the screen at the end
  -K, --quit-on-intr         Quit on Ctrl-C, with status 2
  -q, --quiet                Do not ring the bell
  -f, --force                Open devices and show binary files without a question
  -p, --pattern=PATTERN      Start at the first line that matches
  -x, --tabs=N               Set tab stops every N columns (8)
  -~, --tilde                Suppress ~s displayed past the end

+CMD presses the keys CMD at the start: +G, +/PATTERN, +25g. The variable LESS contains options.";
    QUIT_AT_END = "-E",
    QUIT_AT_SECOND_END = "-e",
    QUIT_IF_ONE_SCREEN = "-F",
    KEYS = "-h",
    FOLD_ALWAYS = "-I",
    FOLD = "-i",
    STATUS = "-M",
    STATUS_TOO = "-m",
    NUMBERS = "-N",
    NO_COUNT = "-n",
    COLOURS = "-R",
    RAW = "-r",
    CHOP = "-S",
    SQUEEZE = "-s",
    NO_INIT = "-X",
    QUIT_ON_INTERRUPT = "-K",
    QUIET = "-q",
    FORCE = "-f",
    PATTERN = "-p",
    TABS = "-x",
    NO_TILDES = "-~",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// What the options say; most can be changed by a key.
#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    quit_at_end: bool,
    quit_at_second_end: bool,
    quit_if_one_screen: bool,
    fold_always: bool,
    fold: bool,
    status: bool,
    numbers: bool,
    no_count: bool,
    raw: Raw,
    chop: bool,
    squeeze: bool,
    no_init: bool,
    quit_on_interrupt: bool,
    quiet: bool,
    force: bool,
    tab: usize,
    no_tildes: bool,
}

impl Settings {
    fn apply(&mut self, args: &Args<'_>) -> Result<()> {
        if let Some(word) = args.value(TABS) {
            self.tab = rbox_core::number::parse_in_range(word, 1, 100)? as usize;
        }
        match args.last_of(&[COLOURS, RAW]) {
            Some(RAW) => self.raw = Raw::All,
            Some(_) => self.raw = Raw::Colours,
            None => {}
        }
        self.quit_at_end |= args.has(QUIT_AT_END);
        self.quit_at_second_end |= args.has(QUIT_AT_SECOND_END);
        self.quit_if_one_screen |= args.has(QUIT_IF_ONE_SCREEN);
        self.fold_always |= args.has(FOLD_ALWAYS);
        self.fold |= args.has(FOLD);
        self.status |= args.has(STATUS) || args.has(STATUS_TOO);
        self.numbers |= args.has(NUMBERS);
        self.no_count |= args.has(NO_COUNT);
        self.chop |= args.has(CHOP);
        self.squeeze |= args.has(SQUEEZE);
        self.no_init |= args.has(NO_INIT);
        self.quit_on_interrupt |= args.has(QUIT_ON_INTERRUPT);
        self.quiet |= args.has(QUIET);
        self.force |= args.has(FORCE);
        self.no_tildes |= args.has(NO_TILDES);
        Ok(())
    }
}

/// A file of the list, and where it was left.
struct Entry {
    name: Vec<u8>,
    top: u64,
}

/// What was searched for.
struct Search {
    pattern: Pattern,
    is_backward: bool,
}

/// The program at work.
///
/// What most of it uses is first: short offsets make short code. Without `repr` the compiler would put vectors there.
#[repr(C)]
struct Less<'e> {
    env: &'e mut Env,
    source: Box<Source>,
    screen: Box<Screen>,
    /// The offset of the row at the top.
    top: u64,
    settings: Settings,
    files: Vec<Entry>,
    current: usize,
    /// Columns that are not shown, on the left.
    left: usize,
    /// How it ends.
    ended: Option<ExitStatus>,
    /// Whether what the search has found is highlighted.
    highlights: bool,
    /// Whether the file's name has been shown.
    is_named: bool,
    /// Whether the end was there before the last key.
    was_at_end: bool,
    /// What the last row says instead of the prompt, until the next key.
    message: Vec<u8>,
    /// The marks a to z, A to Z, and where the last jump began, each a file and an offset.
    marks: Vec<Option<(usize, u64)>>,
    /// Lines of half a page, once set.
    half: usize,
    /// The file that is looked at, while the list of keys is shown.
    help: Option<(Box<Source>, u64)>,
    search: Option<Search>,
    filter: Option<Pattern>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // less(1): the options of LESS are read before those of the command line.
    let variable = env.vars.get("LESS").unwrap_or_default().to_vec();
    let mut words: Vec<Vec<u8>> = Vec::new();
    for word in rbox_core::bytes::words(&variable) {
        words.push(text!(if matches!(word[0], b'-' | b'+') { "" } else { "-" }, word));
    }
    let mut all: Vec<&[u8]> = vec![b"less"];
    for word in &words {
        all.push(word);
    }
    let before = Args::parse(USAGE, Grammar::Permuted, &all).map_err(|error| error.context("LESS"))?;
    let mut settings = Settings { tab: 8, ..Settings::default() };
    settings.apply(&before)?;
    settings.apply(args)?;
    let (mut pressed, mut files) = (Vec::new(), Vec::new());
    for operand in before.operands().iter().chain(args.operands()) {
        match operand.strip_prefix(b"+") {
            // `++CMD` is for every file; one is the same here.
            Some(keys) => pressed = keys.strip_prefix(b"+").unwrap_or(keys).to_vec(),
            None => files.push(*operand),
        }
    }
    let files = or_standard_input(env, files)?;
    if args.has(KEYS) {
        pressed = b"h".to_vec();
    }
    if let Some(pattern) = args.value(PATTERN).or(before.value(PATTERN)) {
        pressed = text!("/", pattern);
    }
    match terminal(env) {
        Some(terminal) => show(env, settings, &files, &pressed, terminal),
        // POSIX XCU more: where standard output is no terminal, the files are copied.
        None => copy_all(env, &files),
    }
}

/// Shows files on a terminal.
fn show(env: &mut Env, settings: Settings, files: &[&[u8]], pressed: &[u8], terminal: Option<OwnedFd>) -> Outcome {
    let number = terminal.as_ref().map_or(0, |file| file.as_raw_fd());
    let mut status = ExitStatus::SUCCESS;
    let mut opened = None;
    let mut entries: Vec<Entry> = Vec::new();
    for name in files {
        // What cannot be opened is reported before the screen is drawn, and is no part of the list.
        match if opened.is_none() { open(env, name, number).map(Some) } else { reachable(name).map(|()| None) } {
            Ok(source) => {
                opened = opened.or(source);
                entries.push(Entry { name: name.to_vec(), top: 0 });
            }
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    let Some(mut source) = opened else { return Ok(status) };
    if settings.quit_if_one_screen
        && entries.len() == 1
        && let Some(rows) = view::whole(&mut source, &settings)
    {
        env.stdout.write(&rows)?;
        return Ok(status);
    }
    let Some(screen) = Screen::open(terminal, if settings.no_init { Manner::Whole } else { Manner::Alternate }) else {
        return Err(Error::new("standard output is no terminal"));
    };
    let mut less = Less::new(env, settings, screen, entries, source);
    less.warn_of_binary();
    less.press_first(pressed);
    less.go_on()
}

/// Whether a file can be opened when its turn comes.
fn reachable(name: &[u8]) -> Result<()> {
    if name == b"-" {
        return Ok(());
    }
    fs::access(name, fs::Access::READ_OK).map_err(|errno| Error::cannot("open", name, errno))
}

impl<'e> Less<'e> {
    fn new(env: &'e mut Env, settings: Settings, screen: Screen, files: Vec<Entry>, source: Source) -> Less<'e> {
        Less {
            env,
            settings,
            screen: Box::new(screen),
            files,
            current: 0,
            source: Box::new(source),
            top: 0,
            left: 0,
            search: None,
            highlights: true,
            filter: None,
            marks: vec![None; 53],
            message: Vec::new(),
            is_named: false,
            half: 0,
            help: None,
            was_at_end: false,
            ended: None,
        }
    }

    /// Shows a message in the last row until the next key.
    #[inline(never)]
    fn tell(&mut self, message: &[u8]) {
        self.message = message.to_vec();
    }

    /// Obeys keys until one of them ends it.
    #[inline(never)]
    fn go_on(&mut self) -> Outcome {
        while self.ended.is_none() {
            self.draw()?;
            if self.ended.is_some() {
                break;
            }
            let key = self.key()?;
            self.source.set_patience(100);
            self.message.clear();
            self.is_named = true;
            self.obey(key)?;
        }
        if let Some(error) = self.source.failed.take() {
            return Err(error);
        }
        Ok(self.ended.unwrap_or_default())
    }

    /// Goes to another file of the list.
    fn go_to_file(&mut self, index: usize) {
        // The list of keys is left first.
        if let Some((source, top)) = self.help.take() {
            (self.source, self.top) = (source, top);
        }
        let name = self.files[index].name.clone();
        let number = self.screen.number();
        // Standard input is read once.
        let opened = if name == b"-" && index == self.current { return } else { open(self.env, &name, number) };
        match opened {
            Ok(source) => {
                self.files[self.current].top = self.top;
                *self.source = source;
                (self.current, self.top, self.left) = (index, self.files[index].top, 0);
                self.is_named = false;
                self.was_at_end = false;
                self.warn_of_binary();
            }
            Err(error) => self.tell(error.message()),
        }
    }

    /// less(1): asks before it shows a file whose beginning is no text.
    fn warn_of_binary(&mut self) {
        self.source.set_patience(100);
        let start = self.source.bytes(0, 512);
        let is_control = |byte: &&u8| **byte < 8 || matches!(byte, 14..=26 | 28..32 | 127);
        if self.settings.force || !start.contains(&0) && start.iter().filter(is_control).count() * 10 <= start.len() {
            return;
        }
        let name = self.files[self.current].name.clone();
        self.message = text!("\"", name, "\" may be a binary file.  See it anyway? ");
        // The answer decides between this file and none.
        let answer = self.draw().and_then(|()| self.key());
        self.message.clear();
        if !matches!(answer, Ok(rbox_core::term::keys::Key::Char('y' | 'Y' | '\r' | ' '))) {
            match self.files.len() {
                1 => self.ended = Some(ExitStatus::SUCCESS),
                _ => {
                    *self.source = Source::new(Input::from_bytes(Vec::new()), -1);
                    self.tell(b"Skipped");
                }
            }
        }
    }
}

/// What the fuzz target feeds: keys, and after a newline the file.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    use rbox_core::term::keys::Key;
    let (keys, text) = rbox_core::bytes::split_once(data, 0xff).unwrap_or((data, b"one\ntwo\n"));
    let is_harmless = |byte: &&u8| !matches!(byte, b'!' | b'v' | b'e' | b's' | 26);
    let keys: Vec<Key> = keys.iter().filter(is_harmless).take(200).map(|&byte| Key::Char(byte.into())).collect();
    let mut env = rbox_core::testing::env(b"less");
    let settings = Settings { tab: 8, force: true, raw: Raw::Colours, ..Settings::default() };
    let entries = vec![Entry { name: b"-".to_vec(), top: 0 }];
    let source = Source::new(Input::from_bytes(text.to_vec()), -1);
    let screen = Screen::memory(&keys, 6, 20);
    let _ = Less::new(&mut env, settings, screen, entries, source).go_on();
}

#[cfg(test)]
mod tests {
    use super::*;
    use rbox_core::term::keys::Key;

    /// The rows that are shown after keys were pressed, without the last one, and the offset of the first of them.
    fn shown(text: &[u8], settings: Settings, keys: &str) -> (Vec<String>, u64) {
        shown_on(text, settings, keys, 6, 20)
    }

    /// The same on a screen of another size.
    fn shown_on(text: &[u8], settings: Settings, keys: &str, rows: usize, columns: usize) -> (Vec<String>, u64) {
        let keys: Vec<Key> = keys.chars().map(Key::Char).collect();
        let mut env = rbox_core::testing::env(b"less");
        let entries = vec![Entry { name: b"f".to_vec(), top: 0 }];
        let source = Source::new(Input::from_bytes(text.to_vec()), -1);
        let mut less = Less::new(&mut env, settings, Screen::memory(&keys, rows, columns), entries, source);
        while less.ended.is_none() {
            less.draw().expect("memory");
            let key = less.key().expect("memory");
            less.obey(key).expect("memory");
        }
        assert!(less.top <= less.source.size());
        let rows = less.screen.shown().iter().map(|row| String::from_utf8_lossy(row).into_owned());
        (rows.take(5).collect(), less.top)
    }

    const SETTINGS: Settings = Settings {
        quit_at_end: false,
        quit_at_second_end: false,
        quit_if_one_screen: false,
        fold_always: false,
        fold: false,
        status: false,
        numbers: false,
        no_count: false,
        raw: Raw::Colours,
        chop: false,
        squeeze: false,
        no_init: false,
        quit_on_interrupt: false,
        quiet: false,
        force: false,
        tab: 8,
        no_tildes: false,
    };

    #[test]
    fn rows_of_a_long_line_are_gone_through_in_both_directions() {
        let text = [&[b'a'; 50][..], b"\nb\n", &[b'c'; 90]].concat();
        assert_eq!(shown(&text, SETTINGS, "j").1, 20);
        assert_eq!(shown(&text, SETTINGS, "jjjj").1, 53);
        assert_eq!(shown(&text, SETTINGS, "Gk").1, 51);
        assert_eq!(shown(&text, SETTINGS, "Gkkk").1, 20);
    }

    #[test]
    fn random_keys_end_and_stay_within_the_text() {
        let mut random = rbox_core::testing::Random::new(9);
        let keys = b" bjkdugGFpnN/?&m'aZh=-SNsRM:npxd\r\x1bu()<>0123456789abc\x0c";
        for _ in 0..300 {
            let text = random.bytes(300);
            let keys: String = (0..40).map(|_| keys[random.below(keys.len())] as char).collect();
            let settings = Settings { squeeze: random.below(2) == 0, chop: random.below(2) == 0, ..SETTINGS };
            shown_on(&text, settings, &keys, 2 + random.below(6), 1 + random.below(20));
        }
    }
}
