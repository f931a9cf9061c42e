//! `wget`: fetch files by HTTP (RFC 9110, 9112) and FTP (RFC 959, 2428).

mod ftp;
mod http;
pub mod link;
mod progress;
mod url;

#[cfg(fuzzing)]
pub use url::fuzz;

use rbox_core::bytes::join_path;
use rbox_core::daemon::pause;
use rbox_core::escape::percent_decoded;
use rbox_core::io::Output;
use rbox_core::net::sockets;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{self, Mode, OFlags, ftruncate};
use rbox_core::term::{Shown, clean};
use rbox_core::text;

use link::Link;
pub use progress::Progress;
use url::{Scheme, Url};

options! {
    "[-cqS] [--spider] [-O FILE] [-o LOG] [-P DIR] [-T SEC] [-t N] [-U AGENT] [-Y on|off] URL...

Fetch files by HTTP, HTTPS or FTP. HTTPS needs the program ssl_client.

  -O, --output-document=FILE  Save to FILE; - is standard output
  -P, --directory-prefix=DIR  Save to DIR
  -c, --continue          Go on with a file that was fetched in part
  -o, --output-file=LOG   Write messages to LOG
  -q, --quiet             Print no messages
  -S, --server-response   Print the server's answers
  -n[v|c|H|p]             Print no progress (-nv); -nc, -nH and -np change nothing
      --no-verbose        Print no progress
      --spider            Only find out whether the file exists
  -T, --timeout=SEC       Give up after SEC seconds without data (900)
  -t, --tries=N           Try to connect N times (1; 0: without end)
  -U, --user-agent=TEXT   Call the client TEXT (Wget)
  -Y, --proxy=on|off      Use $http_proxy and $https_proxy (on)
      --header=LINE       Send LINE, such as NAME: VALUE, with the request
      --post-data=TEXT    Send TEXT by POST
      --post-file=FILE    Send the contents of FILE by POST
      --no-check-certificate  Accept any certificate of HTTPS
      --passive-ftp       Ignored: connections for data are always passive
      --no-clobber        Ignored: a file is replaced only with -O";
    OUTPUT = "-O",
    PREFIX = "-P",
    CONTINUE = "-c",
    LOG = "-o",
    QUIET = "-q",
    ANSWERS = "-S",
    SPIDER = "--spider",
    TIMEOUT = "-T",
    TRIES = "-t",
    SHORT = "-n",
    NO_VERBOSE = "--no-verbose",
    AGENT = "-U",
    PROXY = "-Y",
    HEADER = "--header",
    POST_DATA = "--post-data",
    POST_FILE = "--post-file",
    UNCHECKED = "--no-check-certificate",
    "--passive-ftp" => ignored,
    "--no-clobber" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What is asked of a server.
struct Job<'a> {
    args: &'a Args<'a>,
    /// Seconds.
    timeout: u64,
    /// How often a connection is tried.
    tries: u64,
    /// Print no messages but the names of files.
    is_brief: bool,
    /// What is sent by POST.
    body: Option<Vec<u8>>,
    log: Output,
    /// Bytes of the file that are there already.
    before: u64,
    /// The file of -O has what an earlier URL gave.
    is_begun: bool,
}

/// Where a file goes.
enum Target {
    Standard,
    File(Output),
    Nowhere,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let urls = args.operands_between(1, usize::MAX)?.to_vec();
    let timeout = args.value(TIMEOUT).map_or(Ok(900), |word| parse_in_range(word, 0, 1 << 31))?;
    let body = match (args.value(POST_DATA), args.value(POST_FILE)) {
        (Some(data), _) => Some(data.to_vec()),
        (None, Some(path)) => Some(env.open(path)?.read_to_end()?),
        (None, None) => None,
    };
    if !matches!(args.value(PROXY), None | Some(b"on" | b"off")) {
        return Err(Error::misused("-Y takes on or off"));
    }
    for line in args.values(HEADER).chain(args.value(AGENT)) {
        // A second line would be a header that the caller has not seen.
        if line.contains(&b'\n') || line.contains(&b'\r') {
            return Err(Error::misused("a header is one line"));
        }
    }
    let tries = match args.value(TRIES).map_or(Ok(1), |word| parse_in_range(word, 0, 1 << 31))? {
        0 => u64::MAX,
        tries => tries,
    };
    let mut is_brief = args.has(NO_VERBOSE);
    for word in args.values(SHORT) {
        is_brief |= match word {
            b"v" => true,
            b"c" | b"H" | b"p" => false,
            _ => return Err(Error::misused("-n is followed by v, c, H or p")),
        };
    }
    let log = match args.value(LOG) {
        Some(path) => Output::open(path, true).map_err(|errno| Error::cannot("open", path, errno))?,
        None => Output::standard(2),
    };
    let mut job = Job { args, timeout, tries, is_brief, body: None, log, before: 0, is_begun: false };
    let mut status = ExitStatus::SUCCESS;
    for url in urls {
        (job.body, job.before) = (body.clone(), 0);
        if let Err(error) = Url::parse(url).and_then(|url| job.fetch(env, url)) {
            if error.is_output() {
                return Err(error);
            }
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

impl Job<'_> {
    fn say(&mut self, text: &[u8]) -> Result<()> {
        if self.args.has(QUIET) { Ok(()) } else { self.log_line(text) }
    }

    fn log_line(&mut self, text: &[u8]) -> Result<()> {
        let line = clean(text, b"", Shown::Caret);
        let result = self.log.write(&text!(line, "\n")).and_then(|()| self.log.flush());
        self.logged(result)
    }

    /// A file is fetched although nobody reads of it.
    fn logged(&self, result: Result<()>) -> Result<()> {
        if self.args.has(LOG) { result } else { Ok(()) }
    }

    /// Prints a line of a server's answer.
    fn show_answer(&mut self, line: &[u8]) -> Result<()> {
        if self.args.has(ANSWERS) { self.log_line(&text!("  ", line)) } else { Ok(()) }
    }

    /// Connects to the host of a URL, and tries again as often as -t says.
    fn connect(&mut self, url: &Url) -> Result<Link> {
        let mut tried = 1;
        loop {
            match self.connect_once(url) {
                Err(error) if tried < self.tries => self.say(&text!(error.message(), "; trying again"))?,
                result => return result,
            }
            pause(tried.min(10) * 1000);
            tried += 1;
        }
    }

    fn connect_once(&mut self, url: &Url) -> Result<Link> {
        Link::to_host(&url.host, url.port, self.timeout, |to, failure| {
            if let Some(error) = failure {
                self.say(error.message())?;
            }
            self.say(&text!("Connecting to ", url.host_and_port(), " (", sockets::text(to), ")"))
        })
    }

    fn fetch(&mut self, env: &mut Env, url: Url) -> Result<()> {
        let path = self.path(&url);
        if self.args.has(CONTINUE)
            && !self.is_begun
            && let Some(path) = &path
        {
            self.before = fs::stat(&path[..]).map_or(0, |stat| stat.st_size as u64);
        }
        match url.scheme {
            Scheme::Ftp => ftp::fetch(self, env, &url, path.as_deref()),
            Scheme::Http | Scheme::Https => http::fetch(self, env, url, path.as_deref()),
        }
    }

    /// The file that a URL is saved to; `None` is standard output.
    fn path(&self, url: &Url) -> Option<Vec<u8>> {
        match self.args.value(OUTPUT) {
            Some(b"-") => None,
            Some(path) => Some(path.to_vec()),
            None => {
                // What a server may choose is one name, without a way to another directory.
                let name: Vec<u8> = percent_decoded(&url.file_name())
                    .iter()
                    .map(|&byte| if byte == b'/' { b'_' } else { byte })
                    .collect();
                let prefix = self.args.value(PREFIX);
                Some(prefix.map_or_else(|| name.clone(), |directory| join_path(directory, &name)))
            }
        }
    }

    /// Opens the file: a new one, unless -O names it or it is continued.
    fn open(&mut self, path: Option<&[u8]>) -> Result<Target> {
        if self.args.has(SPIDER) {
            self.say(b"remote file exists")?;
            return Ok(Target::Nowhere);
        }
        let Some(path) = path else {
            self.say(b"writing to stdout")?;
            return Ok(Target::Standard);
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let flags = match (self.before, self.args.has(OUTPUT)) {
            (0, true) if self.is_begun => flags | OFlags::APPEND,
            (0, true) => flags | OFlags::TRUNC,
            (0, false) if self.args.has(CONTINUE) => flags | OFlags::TRUNC,
            (0, false) => flags | OFlags::EXCL,
            _ => flags | OFlags::APPEND,
        };
        let failed = |errno| Error::cannot("open", path, errno);
        let file = fs::open(path, flags, Mode::from_raw_mode(0o666)).map_err(failed)?;
        self.is_begun = self.args.has(OUTPUT);
        if self.before > 0 {
            ftruncate(&file, self.before).map_err(failed)?;
        }
        self.say(&text!("saving to '", path, "'"))?;
        Ok(Target::File(Output::from_fd(file)))
    }

    /// Copies a body of `length` bytes, or up to the end of the connection, in chunks or not.
    fn copy(
        &mut self,
        env: &mut Env,
        link: &mut Link,
        target: Target,
        body: &mut Body,
        path: Option<&[u8]>,
    ) -> Result<()> {
        let mut output = match target {
            Target::Nowhere => return Ok(()),
            Target::Standard => None,
            Target::File(output) => Some(output),
        };
        let whole = body.length().map(|length| self.before + length);
        let name = path.map_or(&b"-"[..], rbox_core::bytes::base_name);
        let is_shown = !self.args.has(QUIET) && !self.is_brief;
        let mut progress = is_shown.then(|| Progress::new(name, self.before, whole));
        let stdout = &mut env.stdout;
        let mut write = |content: &[u8]| match &mut output {
            Some(output) => output.write(content).map_err(|error| saved(error, path)),
            None => stdout.write(content),
        };
        while let Some(most) = body.next(link)? {
            let content = link.fill()?;
            if content.is_empty() {
                match body {
                    Body::ToEnd => break,
                    _ => return Err(Error::new("connection closed prematurely")),
                }
            }
            let count = content.len().min(usize::try_from(most).unwrap_or(usize::MAX));
            write(&content[..count])?;
            link.consume(count);
            body.took(count as u64);
            if let Some(progress) = &mut progress {
                let result = progress.add(count as u64, &mut self.log);
                self.logged(result)?;
            }
        }
        match &mut output {
            Some(output) => output.flush().map_err(|error| saved(error, path))?,
            None => stdout.flush()?,
        }
        if let Some(progress) = &mut progress {
            let result = progress.end(&mut self.log);
            self.logged(result)?;
        }
        match path {
            Some(path) => self.say(&text!("'", path, "' saved")),
            None => self.say(b"written to stdout"),
        }
    }
}

/// An error of the file, with its name.
fn saved(error: Error, path: Option<&[u8]>) -> Error {
    Error::on(path.unwrap_or_default(), error.errno().unwrap_or(Errno::IO))
}

/// How long what follows is.
enum Body {
    Length(u64),
    /// Chunks, of which the current one has so many bytes left; `None` before the first.
    Chunks(Option<u64>),
    ToEnd,
}

impl Body {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(*length),
            _ => None,
        }
    }

    /// How many bytes may be taken next; `None` when there are no more.
    fn next(&mut self, link: &mut Link) -> Result<Option<u64>> {
        match self {
            Self::Length(0) => Ok(None),
            Self::Length(left) => Ok(Some(*left)),
            Self::ToEnd => Ok(Some(u64::MAX)),
            Self::Chunks(Some(left)) if *left > 0 => Ok(Some(*left)),
            Self::Chunks(left) => {
                let mut budget = link::HEAD;
                // The end of the chunk before (RFC 9112, 7.1).
                if left.is_some() && link.line(&mut budget)?.is_none_or(|line| !line.is_empty()) {
                    return Err(Error::new("a chunk is longer than it says"));
                }
                let line = link.line(&mut budget)?.unwrap_or_default();
                let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
                let length = rbox_core::number::parse_radix(digits, 16);
                let length = length.ok_or_else(|| Error::new("bad length of a chunk"))?;
                *left = Some(length);
                Ok((length > 0).then_some(length))
            }
        }
    }

    fn took(&mut self, count: u64) {
        match self {
            Self::Length(left) | Self::Chunks(Some(left)) => *left -= count,
            Self::Chunks(None) | Self::ToEnd => {}
        }
    }
}
