//! What is served: the settings, and what is done with a request.

use core::net::SocketAddr;

use rbox_core::io::read_file;
use rbox_core::net::sockets;
use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::sys::fs::{FileType, Stat};
use rbox_core::time::{Moment, Zone, format};
use rbox_core::{syslog, text};

use super::config::{Config, LARGEST};
use super::connection::Connection;
use super::request::{Field, Request};
use super::response::{self, Extra, encoded, error};
use super::{auth, body, cgi, proxy};

pub struct Site {
    pub config: Config,
    pub realm: Vec<u8>,
    /// 0-2: nothing, each answer, each request as well.
    pub verbosity: usize,
    /// Messages go to the system log, not to standard error.
    pub to_log: bool,
    /// The soft and hard limits of descriptors that programs get.
    pub limits: rbox_core::sys::process::Rlimit,
    /// This process serves one connection, and may wait.
    pub is_child: bool,
    date: (i64, Vec<u8>),
    zone: Zone,
}

/// What is to be done for a request.
#[derive(PartialEq, Eq)]
pub enum Handled {
    /// The answer is ready to be sent.
    Answered,
    /// It takes time: a child must do it.
    Slow,
    /// It has been answered, and the connection is at its end.
    Closed,
}

impl Site {
    pub fn new(realm: &[u8], verbosity: usize, to_log: bool) -> Self {
        use rbox_core::sys::process::{Resource, getrlimit};
        Self {
            config: Config::default(),
            realm: realm.iter().filter(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n')).copied().collect(),
            verbosity,
            to_log,
            limits: getrlimit(Resource::Nofile),
            is_child: false,
            date: (0, Vec::new()),
            zone: Zone::utc(),
        }
    }

    /// Now, as RFC 9110 5.6.7 has it.
    pub fn date(&mut self) -> &[u8] {
        let now = Moment::now();
        if self.date.0 != now.seconds {
            self.date = (now.seconds, format(b"%a, %d %b %Y %H:%M:%S GMT", now, &self.zone));
        }
        &self.date.1
    }

    pub fn log(&self, env: &mut Env, peer: Option<SocketAddr>, message: &[u8]) {
        let line = rbox_core::term::clean(message, b"", rbox_core::term::Shown::Caret);
        let line = peer.map_or_else(|| line.clone(), |peer| text!(sockets::text(peer), ": ", &line));
        if self.to_log {
            syslog::log(syslog::DAEMON_INFO, b"httpd", &line);
        } else {
            env.report(&Error::new(line));
        }
    }

    /// Answers the request whose head is given.
    pub fn handle(&mut self, env: &mut Env, connection: &mut Connection, head: &[u8]) -> Handled {
        let mut request = match Request::parse(head) {
            Ok(request) => request,
            Err(status) => {
                (connection.closing, connection.is_sending) = (true, true);
                error(connection, self, status, false, &Extra::default());
                return Handled::Answered;
            }
        };
        // Nobody reads the body of a request for a file, and what follows it is not known to be a request.
        connection.is_sending = request.length.is_some_and(|length| length > 0) || request.is_chunked();
        connection.closing = self.is_child || connection.is_sending || !request.keeps_alive();
        if self.verbosity > 1 && !self.is_child {
            self.log(env, connection.peer, &text!("url:", request.target));
        }
        let own = self.directory_config(&request.path, env);
        let outer = own.map(|own| core::mem::replace(&mut self.config, own));
        let handled = self.route(env, connection, &mut request);
        if let Some(outer) = outer {
            self.config = outer;
        }
        handled
    }

    /// The settings that hold in the directory of a path: those of httpd.conf in it and above it are added.
    fn directory_config(&self, path: &[u8], env: &mut Env) -> Option<Config> {
        let mut config = None;
        for (at, _) in path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/') {
            let file = text!(&path[1..at], "/httpd.conf");
            let is_small = |stat: Stat| is_regular(&stat) && stat.st_size as u64 <= LARGEST;
            if !fs::stat(&file).is_ok_and(is_small) {
                continue;
            }
            let mut merged = config.unwrap_or_else(|| self.config.clone());
            match read_file(&file) {
                Ok(content) => {
                    for error in merged.add(&content, &path[..at]) {
                        self.log(env, None, error.context(&file).message());
                    }
                }
                // What may not be read forbids all.
                Err(_) => drop(merged.add(b"D:*", &path[..at])),
            }
            config = Some(merged);
        }
        config
    }

    fn route(&mut self, env: &mut Env, connection: &mut Connection, request: &mut Request<'_>) -> Handled {
        let is_head = request.is_head();
        if rbox_core::bytes::base_name(&request.path) == b"httpd.conf"
            || !self.config.allows(connection.peer.map(|peer| peer.ip()))
        {
            return self.fail(connection, 403, is_head);
        }
        let mut user = None;
        if self.config.has_logins() {
            let logins = self.config.logins(&request.path);
            if !logins.is_empty() {
                if !self.is_child && auth::is_slow(&logins) {
                    return Handled::Slow;
                }
                user = auth::user(&logins, request.field(Field::Authorization));
                if user.is_none() {
                    return self.fail(connection, 401, is_head);
                }
            }
        }
        if let Some(proxy) = self.config.proxy(&request.path) {
            let proxy = proxy.clone();
            return match self.await_body(connection, request) {
                Some(handled) => handled,
                None => proxy::serve(self, connection, request, &proxy),
            };
        }
        if let Some(script) = self.script(request) {
            return match self.await_body(connection, request) {
                Some(handled) => handled,
                None => script.serve(env, self, connection, request, user.as_deref()),
            };
        }
        if request.path.starts_with(b"/cgi-bin/") {
            return self.fail(connection, if request.path == b"/cgi-bin/" { 403 } else { 404 }, is_head);
        }
        if !matches!(request.method, b"GET" | b"HEAD") {
            connection.closing = true;
            return self.fail(connection, 501, is_head);
        }
        self.answer_file(connection, request)
    }

    /// Takes the body for a program or another server, which only a child waits for; what ends the request before that.
    fn await_body(&mut self, connection: &mut Connection, request: &mut Request<'_>) -> Option<Handled> {
        if !self.is_child {
            return Some(Handled::Slow);
        }
        let failure = body::await_body(connection, request).err();
        failure.map(|status| self.fail(connection, status, request.is_head()))
    }

    /// The program that makes the answer, if one does.
    fn script(&self, request: &mut Request<'_>) -> Option<cgi::Script> {
        if request.path.starts_with(b"/cgi-bin/") {
            return cgi::Script::find(&request.path);
        }
        let is_directory = request.path.ends_with(b"/");
        if is_directory {
            let index = self.index(&request.path);
            if let Some(program) =
                self.config.interpreter(&index).filter(|_| stat(&index).is_some_and(|stat| is_regular(&stat)))
            {
                return Some(cgi::Script::interpreted(&index, program));
            }
            // BusyBox: a program makes the index of a directory that has none.
            if stat(&index).is_none() && stat(&request.path).is_some() {
                return cgi::Script::find(b"/cgi-bin/index.cgi");
            }
            return None;
        }
        let program = self.config.interpreter(&request.path)?;
        stat(&request.path).filter(is_regular).map(|_| cgi::Script::interpreted(&request.path, program))
    }

    fn index(&self, directory: &[u8]) -> Vec<u8> {
        text!(directory, self.config.index.as_deref().unwrap_or(b"index.html"))
    }

    fn answer_file(&mut self, connection: &mut Connection, request: &Request<'_>) -> Handled {
        let is_head = request.is_head();
        let path = if request.path.ends_with(b"/") { self.index(&request.path) } else { request.path.clone() };
        if let Some((file, stat)) = response::open(&path) {
            response::file(connection, self, request, &path, file, stat);
            return Handled::Answered;
        }
        match stat(&path) {
            Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                let query = if request.query.is_empty() { Vec::new() } else { text!("?", request.query) };
                let location = Some(text!(encoded(&path), "/", query));
                error(connection, self, 302, is_head, &Extra { location, ..Extra::default() });
                Handled::Answered
            }
            Some(_) => self.fail(connection, 403, is_head),
            None => self.fail(connection, 404, is_head),
        }
    }

    pub fn fail(&mut self, connection: &mut Connection, status: u16, is_head: bool) -> Handled {
        error(connection, self, status, is_head, &Extra::default());
        Handled::Answered
    }
}

/// What is at a path below the home directory.
pub fn stat(path: &[u8]) -> Option<Stat> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    fs::stat(if path.is_empty() { b"." } else { path }).ok()
}

pub fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}
