//! `lpr`: send files to a printer's queue (RFC 1179).

use rbox_core::bytes::base_name;
use rbox_core::io::{self, Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags, SeekFrom};
use rbox_core::sys::system::uname;
use rbox_core::sys::{fd, fs, process};
use rbox_core::text;
use rbox_core::text::Right;
use rbox_core::users::User;

use crate::printer::{agree, connect};
use crate::talk::Talk;

options! {
    "[-mhV] [-P QUEUE[@HOST[:PORT]]] [-U USER] [-J TITLE] [FILE]...

Print FILEs, or standard input.

  -P QUEUE  Queue and its server (default: $PRINTER, or lp@localhost)
  -U USER   Print as USER
  -J TITLE  Title of the job
  -m        Send mail when it is printed
  -h        Print a banner page
  -V        Report what is done";
    QUEUE = "-P",
    USER = "-U",
    TITLE = "-J",
    MAIL = "-m",
    BANNER = "-h",
    VERBOSE = "-V",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let own_name = || User::by_id(process::geteuid().as_raw()).map_or_else(|| b"nobody".to_vec(), |user| user.name);
    let user = args.value(USER).map_or_else(own_name, <[u8]>::to_vec);
    let title = args.value(TITLE).map(<[u8]>::to_vec);
    for word in [Some(&user), title.as_ref()].into_iter().flatten() {
        // A newline would begin another line of the control file.
        if word.iter().any(u8::is_ascii_control) {
            return Err(Error::new("a name has a control character"));
        }
    }
    let (queue, mut talk) = connect(env, args.value(QUEUE))?;
    talk.send(&text!("\x02", &queue, "\n"))?;
    agree(&mut talk, "the queue")?;
    let mut job = process::getpid().as_raw_pid() as u32 % 1000;
    env.for_each_input(args.operands(), &mut |env, input| {
        if args.has(VERBOSE) {
            env.report(&Error::new(text!("sending ", input.name(), " to ", &queue)));
        }
        job = (job + 1) % 1000;
        print(args, &mut talk, input, job, &user, title.as_deref())
    })
}

/// Sends one file: its control file first, then its data (RFC 1179, 6.2 and 6.3).
fn print(
    args: &Args<'_>,
    talk: &mut Talk,
    input: &mut Input,
    job: u32,
    user: &[u8],
    title: Option<&[u8]>,
) -> Result<()> {
    let (mut data, size) = sized(input)?;
    let host: Vec<u8> = uname().nodename().to_bytes().iter().take(31).copied().collect();
    let number = text!(Right(job, 3, b'0'), &host);
    let clean: Vec<u8> =
        base_name(input.name()).iter().map(|&byte| if byte.is_ascii_control() { b'?' } else { byte }).collect();
    let title = title.unwrap_or(&clean);
    let mut control = text!("H", &host, "\nP", user, "\nJ", title, "\n");
    if args.has(BANNER) {
        control.extend_from_slice(&text!("C", &host, "\nL", user, "\n"));
    }
    if args.has(MAIL) {
        control.extend_from_slice(&text!("M", user, "\n"));
    }
    // RFC 1179 7.19: printed as it is, with its control characters.
    control.extend_from_slice(&text!("ldfA", &number, "\nUdfA", &number, "\nN", &clean, "\n"));
    talk.send(&text!("\x02", control.len(), " cfA", &number, "\n"))?;
    agree(talk, "the job")?;
    talk.send(&text!(control, "\0"))?;
    agree(talk, "the control file")?;
    talk.send(&text!("\x03", size, " dfA", &number, "\n"))?;
    agree(talk, "the data")?;
    let mut left = size;
    while left > 0 {
        let content = data.fill()?;
        let count = content.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if count == 0 {
            return Err(Error::parts(&[input.name(), b": shorter than it was"]));
        }
        talk.send(&content[..count])?;
        data.consume(count);
        left -= count as u64;
    }
    talk.send(b"\0")?;
    agree(talk, "the data")
}

/// The input and its size, which is announced before the data: what is no file goes through one.
fn sized(input: &mut Input) -> Result<(Input, u64)> {
    let named = |errno| Error::on(b"temporary file", errno);
    if let Some(file) = input.fd() {
        let stat = fs::fstat(file).map_err(Error::from)?;
        let at = fs::seek(file, SeekFrom::Current(0));
        if let (FileType::RegularFile, Ok(at), true) =
            (FileType::from_raw_mode(stat.st_mode), at, input.buffered().is_empty())
        {
            let copy = fd::fcntl_dupfd_cloexec(file, 3).map_err(Error::from)?;
            return Ok((Input::from_fd(copy, input.name()), (stat.st_size as u64).saturating_sub(at)));
        }
    }
    let file = fs::open("/tmp", OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::from_raw_mode(0o600))
        .map_err(named)?;
    let copy = fd::fcntl_dupfd_cloexec(&file, 3).map_err(named)?;
    let mut output = Output::from_fd(copy);
    let size = io::copy(input, &mut output)?;
    output.flush()?;
    fs::seek(&file, SeekFrom::Start(0)).map_err(named)?;
    Ok((Input::from_fd(file, input.name()), size))
}
