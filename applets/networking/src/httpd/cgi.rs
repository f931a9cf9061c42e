//! Programs that make answers: the Common Gateway Interface (RFC 3875).

use rbox_core::bytes::{find_byte_back, join_path, split_once};
use rbox_core::files::current_directory;
use rbox_core::io::write_all;
use rbox_core::net::{addr, sockets};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Access, FileType};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::process::{self, Resource, setrlimit};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::{SIGPIPE, SIGTERM};
use rbox_core::sys::{AsFd, OwnedFd, fd, fs};
use rbox_core::{push, text};

use super::connection::Connection;
use super::relay::Relay;
use super::request::{Field, Request, head_length};
use super::response::{Extra, error, push_head};
use super::site::{Handled, Site, is_regular, stat};

/// A program below /cgi-bin/, or a file with an interpreter.
pub struct Script {
    /// Its URL, and what follows that in the request.
    name: Vec<u8>,
    info: Vec<u8>,
    interpreter: Option<Vec<u8>>,
}

impl Script {
    /// The first component that is no directory is the program, and the rest its PATH_INFO.
    pub fn find(path: &[u8]) -> Option<Self> {
        let ends = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let found = stat(&path[..end])?;
            if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
                continue;
            }
            let is_program = is_regular(&found) && fs::access(&path[1..end], Access::EXEC_OK).is_ok();
            let script = Self { name: path[..end].to_vec(), info: path[end..].to_vec(), interpreter: None };
            return is_program.then_some(script);
        }
        None
    }

    pub fn interpreted(path: &[u8], interpreter: &[u8]) -> Self {
        Self { name: path.to_vec(), info: Vec::new(), interpreter: Some(interpreter.to_vec()) }
    }

    /// Runs the program and sends its answer.
    pub fn serve(
        &self,
        env: &mut Env,
        site: &mut Site,
        connection: &mut Connection,
        request: &Request<'_>,
        user: Option<&[u8]>,
    ) -> Handled {
        let length = request.length.unwrap_or(0);
        let Some((pid, to, from)) = self.start(env, site, connection, request, user) else {
            return site.fail(connection, 500, request.is_head());
        };
        let mut relay = Relay::new(connection, to, from, length);
        let Ok(answer) = relay.head() else {
            return Self::give_up(pid);
        };
        let head = Head::parse(&answer);
        let Some(head) = head else {
            Self::give_up(pid);
            connection.is_sending = true;
            return site.fail(connection, 500, request.is_head());
        };
        let rest = &answer[head.length..];
        let sent = head.send(relay.connection, site, if request.is_head() { b"" } else { rest });
        if !sent || relay.rest(!request.is_head()).is_err() {
            return Self::give_up(pid);
        }
        // Its end of the pipe is closed, so it ends soon; nobody asks for its status.
        relay.end();
        Handled::Answered
    }

    /// Nobody waits for the answer any more.
    fn give_up(pid: i32) -> Handled {
        // It may have ended.
        let _ = signal::kill(pid, SIGTERM);
        Handled::Closed
    }

    /// Starts the program; what it reads and what it writes.
    fn start(
        &self,
        env: &mut Env,
        site: &mut Site,
        connection: &Connection,
        request: &Request<'_>,
        user: Option<&[u8]>,
    ) -> Option<(i32, OwnedFd, OwnedFd)> {
        let home = current_directory().ok()?;
        let file = join_path(&home, &self.name[1..]);
        let directory = &file[..find_byte_back(b'/', &file)?];
        let words: Vec<&[u8]> = match &self.interpreter {
            Some(program) => vec![program, &file],
            None => vec![&file],
        };
        let variables = self.variables(env, connection, request, user, &home, &file);
        let (input, to) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        let (from, output) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        let started = process::fork_run(|| {
            let is_ready = process::chdir(if directory.is_empty() { b"/" } else { directory }).is_ok()
                && fd::redirect(input.as_fd(), 0).is_ok()
                && fd::redirect(output.as_fd(), 1).is_ok()
                && signal::set(SIGPIPE, Disposition::Default).is_ok()
                && setrlimit(Resource::Nofile, site.limits).is_ok();
            if !is_ready {
                return 126;
            }
            let variables: Vec<&[u8]> = variables.iter().map(Vec::as_slice).collect();
            let errno = process::exec(words[0], &words, &variables);
            site.log(env, None, Error::cannot("execute", words[0], errno).message());
            127
        });
        fd::ioctl_fionbio(&to, true).ok()?;
        Some((started.ok()?, to, from))
    }

    /// RFC 3875 4.1. The server's own environment is below it, as BusyBox passes it on.
    fn variables(
        &self,
        env: &Env,
        connection: &Connection,
        request: &Request<'_>,
        user: Option<&[u8]>,
        home: &[u8],
        file: &[u8],
    ) -> Vec<Vec<u8>> {
        let mut set: Vec<Vec<u8>> = Vec::new();
        let mut put = |name: &str, value: &[u8]| set.push(text!(name, "=", value));
        let local = sockets::local(connection.input.as_fd());
        let host = request.field(Field::Host).map(|host| sockets::host_and_port(host).0.unwrap_or(host));
        put("GATEWAY_INTERFACE", b"CGI/1.1");
        put("SERVER_SOFTWARE", concat!("rbox httpd/", env!("CARGO_PKG_VERSION")).as_bytes());
        put("SERVER_PROTOCOL", &text!("HTTP/1.", u32::from(request.minor)));
        put(
            "SERVER_NAME",
            &host.map_or_else(
                || local.map_or_else(|| b"localhost".to_vec(), |local| addr::text(local.ip())),
                <[u8]>::to_vec,
            ),
        );
        put("SERVER_PORT", &text!(local.map_or(80, |local| u32::from(local.port()))));
        put("DOCUMENT_ROOT", home);
        put("REQUEST_METHOD", request.method);
        put("REQUEST_URI", request.target);
        put("SCRIPT_NAME", &self.name);
        put("SCRIPT_FILENAME", file);
        put("QUERY_STRING", request.query);
        if !self.info.is_empty() {
            put("PATH_INFO", &self.info);
            put("PATH_TRANSLATED", &join_path(home, &self.info[1..]));
        }
        put("REMOTE_ADDR", &connection.peer.map_or_else(Vec::new, |peer| addr::text(peer.ip())));
        put("REMOTE_PORT", &connection.peer.map_or_else(Vec::new, |peer| text!(u32::from(peer.port()))));
        if let Some(user) = user {
            put("AUTH_TYPE", b"Basic");
            put("REMOTE_USER", user);
        }
        if let Some(length) = request.length {
            put("CONTENT_LENGTH", &text!(length));
        }
        if let Some(kind) = request.field(Field::ContentType) {
            put("CONTENT_TYPE", kind);
        }
        if self.interpreter.is_some() {
            // php-cgi serves nobody else without it.
            put("REDIRECT_STATUS", b"200");
        }
        // RFC 3875 4.1.18. A proxy of the client's choice, its password, and names that could be those of another field are left out.
        for (name, value) in request.fields() {
            let is_other = [&b"Proxy"[..], b"Authorization", b"Content-Type", b"Content-Length"]
                .iter()
                .all(|own| !name.eq_ignore_ascii_case(own));
            if is_other && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
                let name: Vec<u8> =
                    name.iter().map(|byte| if *byte == b'-' { b'_' } else { byte.to_ascii_uppercase() }).collect();
                let mut word = text!("HTTP_", name, "=");
                // RFC 9110 5.3: several fields of one name are a list.
                match set.iter_mut().find(|other| other.starts_with(&word)) {
                    Some(other) => push!(*other, ", ", value),
                    None => {
                        word.extend_from_slice(value);
                        set.push(word);
                    }
                }
            }
        }
        let inherited = env.vars.words().into_iter().filter(|word| {
            let name = word.split(|&byte| byte == b'=').next().unwrap_or_default();
            !name.starts_with(b"HTTP_")
                && !set.iter().any(|other| other.starts_with(name) && other.get(name.len()) == Some(&b'='))
        });
        let inherited: Vec<Vec<u8>> = inherited.map(<[u8]>::to_vec).collect();
        set.extend(inherited);
        set
    }
}

/// The length of an answer's head, which may have no line but the blank one; `None` before that has come.
pub fn answer_head_length(answer: &[u8]) -> Option<usize> {
    match answer {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => head_length(answer),
    }
}

/// The head of a program's answer (RFC 3875, 6.2).
struct Head {
    length: usize,
    status: u16,
    /// What follows the number, if the program says.
    reason: Option<Vec<u8>>,
    /// Lines of the head that are passed on; a program that sends its own status line sends all.
    lines: Vec<u8>,
    is_whole: bool,
}

impl Head {
    /// `None` when it is no head.
    fn parse(answer: &[u8]) -> Option<Self> {
        let length = answer_head_length(answer)?;
        let mut head =
            Self { length, status: 200, reason: None, lines: Vec::new(), is_whole: answer.starts_with(b"HTTP/") };
        if head.is_whole {
            head.lines = answer[..length].to_vec();
            head.status = answer
                .split(|&byte| byte == b' ')
                .nth(1)
                .and_then(parse_decimal)
                .and_then(|status| u16::try_from(status).ok())?;
            return Some(head);
        }
        for line in answer[..length].split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            let (name, value) = split_once(line, b':')?;
            if name.eq_ignore_ascii_case(b"Status") {
                let (digits, reason) = value.trim_ascii().split_at_checked(3)?;
                head.status = parse_decimal(digits).filter(|status| *status >= 100)? as u16;
                head.reason = Some(reason.trim_ascii().to_vec());
                continue;
            }
            if name.eq_ignore_ascii_case(b"Location") && head.reason.is_none() {
                head.status = 302;
            }
            // The server decides on the connection.
            if !name.eq_ignore_ascii_case(b"Connection") && !name.eq_ignore_ascii_case(b"Transfer-Encoding") {
                push!(head.lines, line, "\r\n");
            }
        }
        Some(head)
    }

    /// Sends it, and what of the body came with it.
    fn send(&self, connection: &mut Connection, site: &mut Site, rest: &[u8]) -> bool {
        connection.out.clear();
        if self.is_whole {
            connection.status = self.status;
            connection.out.extend_from_slice(&self.lines);
        } else {
            push_head(connection, site, self.status);
            if let Some(reason) = &self.reason {
                let end = rbox_core::bytes::find(&connection.out, b"\r\n").unwrap_or(0);
                connection.out.splice(..end, text!("HTTP/1.1 ", u32::from(self.status), " ", reason));
            }
            push!(connection.out, &self.lines, "\r\n");
        }
        connection.out.extend_from_slice(rest);
        write_all(connection.output(), &connection.out).is_ok()
    }
}

/// The answer of another server is passed on as it is; one that does not come is an error.
pub fn bad_gateway(site: &mut Site, connection: &mut Connection, is_head: bool) -> Handled {
    connection.is_sending = true;
    error(connection, site, 502, is_head, &Extra::default());
    Handled::Answered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_programs() {
        let head =
            Head::parse(b"Content-Type: a/b\nStatus: 404 Gone away\nConnection: keep-alive\n\nbody").expect("a head");
        assert_eq!(
            (head.status, head.reason.as_deref(), &head.lines[..]),
            (404, Some(&b"Gone away"[..]), &b"Content-Type: a/b\r\n"[..])
        );
        assert_eq!(head.length, "Content-Type: a/b\nStatus: 404 Gone away\nConnection: keep-alive\n\n".len());
        assert_eq!(Head::parse(b"Location: /x\r\n\r\n").map(|head| head.status), Some(302));
        assert_eq!(
            Head::parse(b"HTTP/1.0 201 Made\r\n\r\n").map(|head| (head.status, head.is_whole)),
            Some((201, true))
        );
        for wrong in [&b"no head"[..], b"", b"no colon\n\n", b"Status: x\n\n", b"Status: \n\n", b"HTTP/1.0\n\n"] {
            assert!(Head::parse(wrong).is_none());
        }
    }
}
