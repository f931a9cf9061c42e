//! The conversation with a client.

use core::net::SocketAddr;

use rbox_core::bytes::find_byte;
use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::files::current_directory;
use rbox_core::io::{read, write_all};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags, SeekFrom, sendfile};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs, process};
use rbox_core::syslog::{DAEMON_INFO, Log};
use rbox_core::term::{Shown, clean};
use rbox_core::text;
use rbox_core::time::Moment;
use rbox_core::tty::wait_readable;
use rbox_core::users::{self, Expiry, User};

use crate::netascii::Netascii;

use super::command::{extended_port, parse, path_of_list, port};
use super::data::Data;
use super::list;

/// The longest line of a client, in bytes.
const LONGEST: usize = 8192;
/// Logins that may fail, and milliseconds after each.
const MOST_FAILURES: u32 = 3;
const FAILURE_PAUSE: u64 = 2000;

pub struct Session {
    pub local: SocketAddr,
    pub peer: SocketAddr,
    pub directory: Option<Vec<u8>>,
    pub writes: bool,
    pub verbosity: usize,
    pub log_verbosity: usize,
    pub log: Option<Log>,
    pub anonymous: Option<Vec<u8>>,
    idle: u64,
    end: u64,
    buffer: Vec<u8>,
    user: Vec<u8>,
    failures: u32,
    is_logged_in: bool,
    data: Data,
    /// Where the next transfer starts.
    restart: u64,
    /// TYPE A: lines end with CR LF on the wire (RFC 959, 3.1.1.1).
    is_text: bool,
    /// The file that RNFR named.
    old_name: Option<Vec<u8>>,
}

/// What a command leads to: a reply, or the end.
enum Done {
    Reply(u16),
    Text(u16, Vec<u8>),
    /// Lines that are a whole reply.
    Lines(Vec<u8>),
    Quit,
}

use Done::{Lines, Quit, Reply, Text};

impl Session {
    pub fn new(local: SocketAddr, peer: SocketAddr, directory: Option<Vec<u8>>) -> Self {
        Self {
            local,
            peer,
            directory,
            writes: false,
            verbosity: 0,
            log_verbosity: 0,
            log: None,
            anonymous: None,
            idle: 0,
            end: 0,
            buffer: Vec::new(),
            user: Vec::new(),
            failures: 0,
            is_logged_in: false,
            data: Data::None,
            restart: 0,
            is_text: false,
            old_name: None,
        }
    }

    /// Milliseconds without a command, and of the whole session.
    pub fn set_limits(&mut self, idle: u64, whole: u64) {
        (self.idle, self.end) = (idle, uptime_milliseconds() + whole);
    }

    /// Leaves all but the directory behind, and becomes the user.
    pub fn enter(&mut self, user: Option<&User>) -> Result<()> {
        let home = user.map(|user| user.home.clone());
        if let Some(directory) = self.directory.as_ref().or(home.as_ref()) {
            process::chdir(directory).map_err(|errno| Error::on(directory, errno))?;
        }
        if self.directory.is_some() {
            match process::chroot(c".") {
                // Whoever has no right to it serves what the rights of files allow.
                Err(Errno::PERM) => {}
                result => result.map_err(|errno| Error::on("chroot", errno))?,
            }
        }
        if let Some(user) = user
            && process::geteuid().is_root()
        {
            users::become_user(user)?;
        }
        self.is_logged_in = true;
        Ok(())
    }

    pub fn serve(mut self, env: &mut Env) -> Outcome {
        self.reply(env, 220, b"Operation successful")?;
        loop {
            let Some(line) = self.read_line(env)? else { return Ok(ExitStatus::SUCCESS) };
            let (verb, operand) = parse(&line);
            let shown = if verb == b"PASS" { &b"PASS"[..] } else { &line };
            self.note(env, 2, shown);
            let done = self.obey(env, &verb, &operand)?;
            match done {
                Reply(code) => self.reply(env, code, reason(code))?,
                Text(code, text) => self.reply(env, code, &text)?,
                Lines(lines) => self.send(&lines)?,
                Quit => {
                    self.reply(env, 221, reason(221))?;
                    return Ok(ExitStatus::SUCCESS);
                }
            }
        }
    }

    fn note(&self, env: &mut Env, level: usize, line: &[u8]) {
        let line = clean(line, b"", Shown::Caret);
        if self.verbosity >= level {
            env.report(&Error::new(&line));
        }
        if let Some(log) = self.log.as_ref().filter(|_| self.log_verbosity >= level) {
            log.send(DAEMON_INFO, b"ftpd", &line);
        }
    }

    fn reply(&mut self, env: &mut Env, code: u16, text: &[u8]) -> Result<()> {
        let line = text!(u32::from(code), " ", text);
        self.note(env, if code >= 500 { 1 } else { 2 }, &line);
        self.send(&text!(line, "\r\n"))
    }

    fn send(&self, lines: &[u8]) -> Result<()> {
        write_all(fd::borrow(1), lines).map_err(|_| Error::silent(ExitStatus::FAILURE))
    }

    /// The next line; `None` at the end, which is told where a limit is its reason.
    fn read_line(&mut self, env: &mut Env) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(at) = find_byte(b'\n', &self.buffer) {
                let line = self.buffer.drain(..=at).collect::<Vec<u8>>();
                return Ok(Some(line[..at].to_vec()));
            }
            if self.buffer.len() > LONGEST {
                self.reply(env, 500, b"Line is too long")?;
                return Ok(None);
            }
            let left = self.end.saturating_sub(uptime_milliseconds()).min(self.idle);
            if left == 0 || !wait_readable(fd::borrow(0), Some(left)) {
                self.reply(env, 421, b"Timeout")?;
                return Ok(None);
            }
            let mut chunk = [0; 2048];
            match read(fd::borrow(0), &mut chunk) {
                Ok(count) if count > 0 => self.buffer.extend_from_slice(&chunk[..count]),
                _ => return Ok(None),
            }
        }
    }

    fn obey(&mut self, env: &mut Env, verb: &[u8], operand: &[u8]) -> Result<Done> {
        match verb {
            b"QUIT" => return Ok(Quit),
            b"USER" => return Ok(self.take_user(operand)),
            b"PASS" => return self.take_password(env, operand),
            b"FEAT" => return Ok(Lines(FEATURES.as_bytes().to_vec())),
            b"SYST" => return Ok(Text(215, b"UNIX Type: L8".to_vec())),
            b"NOOP" | b"ALLO" | b"OPTS" => return Ok(Reply(200)),
            _ if !self.is_logged_in => return Ok(Text(530, b"Please login with USER and PASS".to_vec())),
            _ => {}
        }
        // No name holds it, and calls of the system would end there.
        if operand.contains(&0) {
            return Ok(Reply(501));
        }
        let renamed = if verb == b"RNTO" { self.old_name.take() } else { None };
        self.old_name = None;
        Ok(match verb {
            b"TYPE" => {
                self.is_text = matches!(operand, b"A" | b"a" | b"A N");
                Reply(if self.is_text || matches!(operand, b"I" | b"i" | b"L 8" | b"L8") { 200 } else { 504 })
            }
            b"MODE" => Reply(if operand.eq_ignore_ascii_case(b"S") { 200 } else { 504 }),
            b"STRU" => Reply(if operand.eq_ignore_ascii_case(b"F") { 200 } else { 504 }),
            b"PWD" | b"XPWD" => working_directory(),
            b"CWD" | b"XCWD" => done(process::chdir(operand), 250),
            b"CDUP" | b"XCUP" => done(process::chdir(b".."), 250),
            b"HELP" => Lines(b"214-Commands:\r\n ABOR ALLO APPE CDUP CWD DELE EPRT EPSV FEAT HELP LIST MDTM MKD MLSD MLST MODE NLST NOOP\r\n PASS PASV PORT PWD QUIT REST RETR RMD RNFR RNTO SIZE STAT STOR STOU STRU SYST TYPE USER\r\n214 Ok\r\n".to_vec()),
            b"PASV" => self.passive(false),
            b"EPSV" => self.passive(true),
            b"PORT" => self.active(port(operand)),
            b"EPRT" => self.active(extended_port(operand)),
            b"REST" => self.restart_at(operand),
            b"ABOR" => {
                self.data = Data::None;
                Reply(226)
            }
            b"LIST" | b"NLST" => {
                let option = if verb == b"LIST" { b"-l" } else { b"-1" };
                match list::by_ls(env, option, path_of_list(operand)) {
                    Ok(lines) => self.send_list(env, &lines)?,
                    Err(errno) => failed(errno),
                }
            }
            b"MLSD" => match list::facts_of_directory(operand) {
                Ok(lines) => self.send_list(env, &lines)?,
                Err(errno) => failed(errno),
            },
            b"MLST" => match list::facts_of_file(operand) {
                Ok(line) => Lines(text!("250-Listing\r\n ", line, "\r\n250 End\r\n")),
                Err(errno) => failed(errno),
            },
            b"STAT" if operand.is_empty() => Lines(text!("211-Server status\r\n Connected to ", rbox_core::net::addr::text(self.peer.ip()), "\r\n211 Ok\r\n")),
            b"STAT" => match list::by_ls(env, b"-l", path_of_list(operand)) {
                Ok(lines) => {
                    let lines = lines.split_inclusive(|&byte| byte == b'\n').map(|line| text!(" ", line));
                    Lines(text!("213-Status\r\n", lines.collect::<Vec<_>>().concat(), "213 Ok\r\n"))
                }
                Err(errno) => failed(errno),
            },
            b"SIZE" => match regular(operand) {
                Ok(stat) => Text(213, text!(stat.st_size as u64)),
                Err(errno) => failed(errno),
            },
            b"MDTM" => match regular(operand) {
                Ok(stat) => Text(213, list::date(&stat)),
                Err(errno) => failed(errno),
            },
            b"RETR" => self.retrieve(env, operand)?,
            b"STOR" | b"APPE" | b"STOU" | b"DELE" | b"RMD" | b"XRMD" | b"MKD" | b"XMKD" | b"RNFR" | b"RNTO" if !self.writes => Text(550, b"Permission denied".to_vec()),
            b"STOR" => self.store(env, operand, OFlags::empty())?,
            b"APPE" => self.store(env, operand, OFlags::APPEND)?,
            b"STOU" => self.store_unique(env)?,
            b"DELE" => done(fs::unlink(operand), 250),
            b"RMD" | b"XRMD" => done(fs::rmdir(operand), 250),
            b"MKD" | b"XMKD" => match fs::mkdir(operand, Mode::from_raw_mode(0o777)) {
                Ok(()) => Text(257, text!(quoted(operand), " created")),
                Err(errno) => failed(errno),
            },
            b"RNFR" => match fs::lstat(operand) {
                Ok(_) => {
                    self.old_name = Some(operand.to_vec());
                    Reply(350)
                }
                Err(errno) => failed(errno),
            },
            b"RNTO" => match renamed {
                Some(old) => done(fs::rename(&old, operand), 250),
                None => Text(503, b"Use RNFR first".to_vec()),
            },
            _ => Reply(500),
        })
    }

    fn take_user(&mut self, operand: &[u8]) -> Done {
        if self.is_logged_in {
            return Reply(230);
        }
        self.user = operand.to_vec();
        Text(331, b"Please specify password".to_vec())
    }

    fn take_password(&mut self, env: &mut Env, password: &[u8]) -> Result<Done> {
        if self.is_logged_in {
            return Ok(Reply(230));
        }
        let user = if matches!(&self.user[..], b"anonymous" | b"ftp") && self.anonymous.is_some() {
            self.anonymous.as_deref().and_then(User::by_name)
        } else {
            let user = User::by_name(&self.user);
            let hash = user.as_ref().map(users::password_hash);
            // An account without a password is open at a terminal, not to the network.
            let is_right = users::verify(password, hash.as_deref().filter(|hash| !hash.is_empty()));
            let today = (Moment::now().seconds / 86_400) as u64;
            user.filter(|user| is_right && Expiry::of(&user.name).refusal(today).is_none())
        };
        if let Some(user) = user {
            self.enter(Some(&user))?;
            return Ok(Reply(230));
        }
        self.failures += 1;
        pause(FAILURE_PAUSE);
        if self.failures < MOST_FAILURES {
            return Ok(Reply(530));
        }
        self.reply(env, 530, reason(530))?;
        Ok(Quit)
    }

    fn passive(&mut self, extended: bool) -> Done {
        let SocketAddr::V4(local) = self.local else {
            return match Data::listen(self.local) {
                Ok((data, port)) if extended => {
                    self.data = data;
                    Text(229, text!("EPSV ok (|||", u32::from(port), "|)"))
                }
                Ok(_) => Text(522, b"Use EPSV".to_vec()),
                Err(_) => Reply(425),
            };
        };
        let Ok((data, port)) = Data::listen(self.local) else { return Reply(425) };
        self.data = data;
        if extended {
            return Text(229, text!("EPSV ok (|||", u32::from(port), "|)"));
        }
        let [a, b, c, d] = local.ip().octets();
        let [high, low] = port.to_be_bytes();
        Text(227, text!("PASV ok (", a, ",", b, ",", c, ",", d, ",", high, ",", low, ")"))
    }

    /// RFC 2577 3: only to the client itself, and to no port of the system.
    fn active(&mut self, to: Option<SocketAddr>) -> Done {
        match to.filter(|to| to.ip().to_canonical() == self.peer.ip() && to.port() >= 1024) {
            Some(to) => {
                self.data = Data::Active(to);
                Reply(200)
            }
            None => Reply(501),
        }
    }

    fn restart_at(&mut self, operand: &[u8]) -> Done {
        match parse_decimal(operand) {
            Some(offset) if i64::try_from(offset).is_ok() => {
                self.restart = offset;
                Reply(350)
            }
            _ => Reply(501),
        }
    }

    /// Announces a transfer and opens its connection; `Err` is the reply where there is none.
    fn begin(&mut self, env: &mut Env, text: &[u8]) -> Result<core::result::Result<OwnedFd, Done>> {
        if matches!(self.data, Data::None) {
            return Ok(Err(Text(425, b"Use PASV, EPSV, PORT or EPRT first".to_vec())));
        }
        self.reply(env, 150, text)?;
        let limit = self.end.saturating_sub(uptime_milliseconds()).min(self.idle);
        let data = core::mem::replace(&mut self.data, Data::None);
        Ok(data.open(self.local, self.peer, limit).map_err(|_| Reply(425)))
    }

    fn send_list(&mut self, env: &mut Env, lines: &[u8]) -> Result<Done> {
        Ok(match self.begin(env, b"Directory listing")? {
            Ok(connection) => Reply(if write_all(connection.as_fd(), lines).is_ok() { 226 } else { 426 }),
            Err(reply) => reply,
        })
    }

    fn retrieve(&mut self, env: &mut Env, name: &[u8]) -> Result<Done> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = regular(name).and_then(|stat| Ok((fs::open(name, flags, Mode::empty())?, stat)));
        let (file, stat) = match opened {
            Ok(opened) => opened,
            Err(errno) => return Ok(failed(errno)),
        };
        let mut offset = core::mem::take(&mut self.restart);
        if self.is_text && offset > 0 {
            // What the client has is longer than the same lines here.
            return Ok(Text(550, b"No restart of a text".to_vec()));
        }
        let kind = if self.is_text { "ASCII" } else { "BINARY" };
        let connection = match self
            .begin(env, &text!("Opening ", kind, " connection for ", name, " (", stat.st_size as u64, " bytes)"))?
        {
            Ok(connection) => connection,
            Err(reply) => return Ok(reply),
        };
        if self.is_text {
            return Ok(Reply(self.send_text(&connection, &file)));
        }
        loop {
            match sendfile(&connection, &file, Some(&mut offset), 1 << 20) {
                Ok(0) => return Ok(Reply(226)),
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return Ok(Reply(426)),
            }
            if uptime_milliseconds() >= self.end {
                return Ok(Reply(426));
            }
        }
    }

    /// Sends lines; the result is the code of the reply.
    fn send_text(&self, connection: &OwnedFd, file: &OwnedFd) -> u16 {
        let (mut text, mut buffer, mut lines) = (Netascii::default(), vec![0; 64 * 1024], Vec::new());
        while uptime_milliseconds() < self.end {
            lines.clear();
            match read(file.as_fd(), &mut buffer) {
                Ok(0) => return 226,
                Ok(count) => text.encode(&buffer[..count], &mut lines),
                Err(_) => return 451,
            }
            if write_all(connection.as_fd(), &lines).is_err() {
                break;
            }
        }
        426
    }

    fn store(&mut self, env: &mut Env, name: &[u8], how: OFlags) -> Result<Done> {
        let restart = core::mem::take(&mut self.restart);
        let truncates = restart == 0 && how.is_empty();
        let how = how | OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match fs::open(name, how, Mode::from_raw_mode(0o666)) {
            Ok(file) => file,
            Err(errno) => return Ok(failed(errno)),
        };
        let is_regular =
            fs::fstat(&file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
        let placed = match (is_regular, truncates) {
            (false, _) => Err(Errno::ACCESS),
            (true, true) => fs::ftruncate(&file, 0),
            (true, false) => fs::seek(&file, SeekFrom::Start(restart)).map(drop),
        };
        match placed {
            Ok(()) => self.receive(env, &file, b"Ok to send data"),
            Err(errno) => Ok(failed(errno)),
        }
    }

    /// RFC 959 4.1.3: a name that is not there yet.
    fn store_unique(&mut self, env: &mut Env) -> Result<Done> {
        for number in 0..1000u32 {
            let name = text!("uniq.", uptime_milliseconds(), ".", number);
            let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            match fs::open(&name, how, Mode::from_raw_mode(0o666)) {
                Ok(file) => return self.receive(env, &file, &text!("FILE: ", &name)),
                Err(Errno::EXIST) => {}
                Err(errno) => return Ok(failed(errno)),
            }
        }
        Ok(Reply(451))
    }

    fn receive(&mut self, env: &mut Env, file: &OwnedFd, text: &[u8]) -> Result<Done> {
        let connection = match self.begin(env, text)? {
            Ok(connection) => connection,
            Err(reply) => return Ok(reply),
        };
        let mut buffer = vec![0; 64 * 1024];
        let (mut text, mut lines) = (self.is_text.then(Netascii::default), Vec::new());
        loop {
            match read(connection.as_fd(), &mut buffer) {
                Ok(count) => {
                    lines.clear();
                    let content = match &mut text {
                        Some(text) => {
                            text.decode(&buffer[..count], &mut lines);
                            if count == 0 {
                                text.end(&mut lines);
                            }
                            &lines
                        }
                        None => &buffer[..count],
                    };
                    let written = write_all(file.as_fd(), content);
                    if count == 0 && written.is_ok() {
                        return Ok(Reply(226));
                    }
                    if let Err(errno) = written {
                        return Ok(Text(
                            if errno == Errno::NOSPC { 452 } else { 451 },
                            rbox_core::sys::error_text(errno).into_bytes(),
                        ));
                    }
                }
                Err(_) => return Ok(Reply(426)),
            }
            if uptime_milliseconds() >= self.end {
                return Ok(Reply(426));
            }
        }
    }
}

/// RFC 2389: what is there beyond RFC 959.
const FEATURES: &str = "211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n MLST type*;size*;modify*;UNIX.mode*;\r\n PASV\r\n REST STREAM\r\n SIZE\r\n UTF8\r\n211 Ok\r\n";

fn reason(code: u16) -> &'static [u8] {
    match code {
        230 => b"Login successful",
        350 => b"Ok, go on",
        425 => b"Can't open a data connection",
        426 => b"Transfer was broken off",
        451 => b"Local error",
        500 => b"Unknown command",
        501 => b"Bad parameter",
        504 => b"Not implemented for that parameter",
        530 => b"Login failed",
        _ => b"Operation successful",
    }
}

fn done(result: core::result::Result<(), Errno>, code: u16) -> Done {
    result.map_or_else(failed, |()| Reply(code))
}

fn failed(errno: Errno) -> Done {
    Text(550, rbox_core::sys::error_text(errno).into_bytes())
}

fn regular(name: &[u8]) -> core::result::Result<fs::Stat, Errno> {
    let stat = fs::stat(name)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        FileType::Directory => Err(Errno::ISDIR),
        _ => Err(Errno::ACCESS),
    }
}

fn working_directory() -> Done {
    current_directory().map_or_else(failed, |directory| Text(257, quoted(&directory)))
}

/// RFC 959, Appendix II: a quote in a path is doubled.
fn quoted(path: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in path {
        match byte {
            b'"' => out.extend_from_slice(b"\"\""),
            // A newline would end the reply (RFC 2640, 3.1).
            b'\n' => out.push(0),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
    out
}
