//! `sendmail`: hand a message to a server of SMTP (RFC 5321).

use rbox_core::codec::base::Base;
use rbox_core::io::Input;
use rbox_core::net::sockets;
use rbox_core::prelude::*;
use rbox_core::sys::fd;
use rbox_core::sys::process;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::system::uname;
use rbox_core::users::User;
use rbox_core::{call, text};

use crate::mime::unfolded;
use crate::talk::{Talk, limit};

options! {
    "[-tv] [-f SENDER] [-amMETHOD 4<FILE | -auUSER -apPASS] [-w SEC] [-H 'PROG ARGS' | -S HOST[:PORT]] [RECIPIENT]...

Send the message on standard input.

  -t        Add the recipients of To, Cc and Bcc; Bcc is not sent
  -f SENDER  Sender (default: the user of -au, or the user that runs it)
  -i        Ignored; a line with a dot alone is never the end
  -o OPTION  Ignored; -oi holds always
  -a WORD   mLOGIN or mPLAIN: log in by that method; uUSER, pPASS: as that user
      (default: the first two lines of descriptor 4)
  -v        Report the conversation
  -w SEC    Give up after SEC seconds of silence (default: 120; 0 = never)
  -H 'PROG ARGS'  Connect through a program
  -S HOST[:PORT]  Server (default: $SMTPHOST or 127.0.0.1)";
    HEADERS = "-t",
    SENDER = "-f",
    LOG_IN = "-a",
    VERBOSE = "-v",
    SECONDS = "-w",
    HELPER = "-H",
    SERVER = "-S",
    "-i" => ignored,
    "-o" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The most bytes of a message's head.
const LONGEST_HEAD: usize = 1 << 20;

/// How to log in.
struct Login {
    is_plain: bool,
    user: Vec<u8>,
    password: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let login = login(args)?;
    let mut input = env.take_stdin();
    let (head, mut recipients) =
        if args.has(HEADERS) { recipients_of(&read_head(&mut input)?) } else { (Vec::new(), Vec::new()) };
    recipients.extend(args.operands().iter().map(|word| bare(word)));
    if recipients.is_empty() {
        return Err(Error::misused("no recipients"));
    }
    let sender = match (args.value(SENDER), &login) {
        (Some(sender), _) => bare(sender),
        (None, Some(login)) => login.user.clone(),
        (None, None) => {
            let user = User::by_id(process::geteuid().as_raw()).map_or_else(|| b"nobody".to_vec(), |user| user.name);
            text!(user, "@", uname().nodename().to_bytes())
        }
    };
    for address in recipients.iter().chain([&sender]) {
        check(address)?;
    }
    signal::set(SIGPIPE, Disposition::Ignore).map_err(Error::from)?;
    let mut talk = Conversation::open(env, args)?;
    talk.greet(env)?;
    if let Some(login) = login {
        talk.log_in(env, &login)?;
    }
    talk.expect(env, &text!("MAIL FROM:<", &sender, ">"), 250)?;
    let mut status = ExitStatus::FAILURE;
    let mut refused = false;
    for recipient in &recipients {
        let (code, _) = talk.ask(env, &text!("RCPT TO:<", recipient, ">"))?;
        if matches!(code, 250 | 251) {
            status = ExitStatus::SUCCESS;
        } else {
            refused = true;
            env.report(&Error::parts(&[b"Bad recipient: <", recipient, b">"]));
        }
    }
    if status == ExitStatus::SUCCESS {
        talk.expect(env, b"DATA", 354)?;
        talk.send_message(&head, &mut input)?;
        talk.expect(env, b".", 250)?;
    }
    // What the server has taken would be sent twice by one who hears of a failure.
    if let Err(error) = talk.expect(env, b"QUIT", 221) {
        env.report(&error);
    }
    Ok(if refused { ExitStatus::FAILURE } else { status })
}

fn login(args: &Args<'_>) -> Result<Option<Login>> {
    let (mut method, mut user, mut password) = (None, None, None);
    for word in args.values(LOG_IN) {
        match word {
            [b'm', name @ ..] => {
                method = Some(match &name.to_ascii_uppercase()[..] {
                    b"PLAIN" => true,
                    b"LOGIN" => false,
                    _ => return Err(Error::parts(&[b"unsupported method '", name, b"'"])),
                });
            }
            [b'u', name @ ..] => user = Some(name.to_vec()),
            [b'p', word @ ..] => password = Some(word.to_vec()),
            _ => return Err(Error::parts(&[b"bad word '", word, b"' of -a"])),
        }
    }
    if method.is_none() && user.is_none() && password.is_none() {
        return Ok(None);
    }
    if user.is_none() || password.is_none() {
        let mut input =
            Input::from_fd(fd::inherited(4).map_err(|errno| Error::on("descriptor 4", errno))?, b"descriptor 4");
        let missing = || Error::new("no user and password");
        let first = input.line()?.ok_or_else(missing)?.to_vec();
        user.get_or_insert(first);
        let second = input.line()?.ok_or_else(missing)?.to_vec();
        password.get_or_insert(second);
    }
    let (Some(user), Some(password)) = (user, password) else { return Ok(None) };
    Ok(Some(Login { is_plain: method.unwrap_or(false), user, password }))
}

/// An address without the brackets that others' sendmail takes, too: `<>` is the sender of reports of failures.
fn bare(word: &[u8]) -> Vec<u8> {
    word.strip_prefix(b"<").and_then(|word| word.strip_suffix(b">")).unwrap_or(word).to_vec()
}

/// An address must be one word of the conversation.
fn check(address: &[u8]) -> Result<()> {
    let is_good = |byte: &u8| !byte.is_ascii_control() && !matches!(byte, b'<' | b'>' | b' ');
    if address.iter().all(is_good) { Ok(()) } else { Err(Error::parts(&[b"bad address '", address, b"'"])) }
}

/// The head of the message with its blank line.
fn read_head(input: &mut Input) -> Result<Vec<u8>> {
    let (mut head, mut start) = (Vec::new(), 0);
    loop {
        let content = input.fill()?;
        let count = rbox_core::bytes::find_byte(b'\n', content).map_or(content.len(), |at| at + 1);
        if head.len() + count > LONGEST_HEAD {
            return Err(Error::new("the head of the message is too long"));
        }
        head.extend_from_slice(&content[..count]);
        input.consume(count);
        if count == 0 || matches!(&head[start..], b"\n" | b"\r\n") {
            return Ok(head);
        }
        if head.ends_with(b"\n") {
            start = head.len();
        }
    }
}

/// The recipients of a head, and the head without Bcc.
fn recipients_of(head: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut kept, mut is_blind) = (Vec::new(), false);
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            // Blanks may be before the colon (RFC 5322, 4.5.3).
            is_blind = rbox_core::bytes::split_once(line, b':')
                .is_some_and(|(name, _)| name.trim_ascii_end().eq_ignore_ascii_case(b"bcc"));
        }
        if !is_blind {
            kept.extend_from_slice(line);
        }
    }
    let mut all = Vec::new();
    for field in unfolded(head) {
        let Some((name, value)) = rbox_core::bytes::split_once(&field, b':') else { continue };
        if [&b"to"[..], b"cc", b"bcc"].iter().any(|known| name.trim_ascii().eq_ignore_ascii_case(known)) {
            all.extend(addresses(value));
        }
    }
    (kept, all)
}

/// The addresses of a list (RFC 5322, 3.4): `a@b`, `"A, B" <a@b> (comment)`, `group: a@b, c@d;`.
fn addresses(value: &[u8]) -> Vec<Vec<u8>> {
    let (mut all, mut word, mut angle) = (Vec::new(), Vec::new(), None);
    let (mut inside, mut quoted, mut escaped, mut comment) = (false, false, false, 0u32);
    let mut take = |word: &mut Vec<u8>, angle: &mut Option<Vec<u8>>| {
        let word = core::mem::take(word);
        let address = angle.take().unwrap_or(word).trim_ascii().to_vec();
        if !address.is_empty() {
            all.push(address);
        }
    };
    for &byte in value {
        let was_escaped = core::mem::take(&mut escaped);
        match byte {
            b'\\' if !was_escaped && (quoted || comment > 0) => escaped = true,
            b'"' if !was_escaped && comment == 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' if !was_escaped => comment += 1,
            b')' if !was_escaped && comment > 0 => {
                comment -= 1;
                continue;
            }
            _ if comment > 0 => {}
            b'<' => {
                word.clear();
                inside = true;
                continue;
            }
            b'>' => {
                (angle, inside) = (Some(core::mem::take(&mut word)), false);
                continue;
            }
            // The name of a group, or the route of an address (RFC 5322, 4.4).
            b':' => {
                word.clear();
                continue;
            }
            b',' | b';' if !inside => {
                take(&mut word, &mut angle);
                continue;
            }
            _ => {}
        }
        if comment == 0 {
            word.push(byte);
        }
    }
    take(&mut word, &mut angle);
    all
}

struct Conversation {
    talk: Talk,
    host: Vec<u8>,
    /// What the server can do, a line for each.
    features: Vec<Vec<u8>>,
}

impl Conversation {
    fn open(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let limit = limit(args.value(SECONDS), 120)?;
        let (mut talk, host) = match args.value(HELPER) {
            Some(command) => (Talk::through(env, &[b"sh", b"-c", command], limit)?, b"localhost".to_vec()),
            None => {
                let server = args.value(SERVER).or_else(|| env.vars.get("SMTPHOST")).unwrap_or(b"127.0.0.1").to_vec();
                let (host, port) = sockets::host_and_port(&server);
                let host = host.unwrap_or(b"127.0.0.1").to_vec();
                let port = port.map_or(Ok(25), |port| sockets::port(port, b"tcp"))?;
                (Talk::connect(&host, port, limit)?, host)
            }
        };
        talk.verbose = args.has(VERBOSE);
        Ok(Self { talk, host, features: Vec::new() })
    }

    /// The code of a reply and its lines (RFC 5321, 4.2.1).
    fn reply(&mut self, env: &mut Env) -> Result<(u64, Vec<Vec<u8>>)> {
        let mut lines = Vec::new();
        loop {
            let line = self.talk.line(env)?;
            let code = line.get(..3).and_then(rbox_core::number::parse_decimal);
            let code = code.ok_or_else(|| Error::new("no reply of SMTP"))?;
            let goes_on = line.get(3) == Some(&b'-');
            lines.push(line.get(4..).unwrap_or_default().to_vec());
            if !goes_on {
                return Ok((code, lines));
            }
            if lines.len() > 1000 {
                return Err(Error::new("a reply of the server is too long"));
            }
        }
    }

    fn ask(&mut self, env: &mut Env, command: &[u8]) -> Result<(u64, Vec<Vec<u8>>)> {
        self.talk.say(env, command, command)?;
        self.reply(env)
    }

    fn expect(&mut self, env: &mut Env, command: &[u8], code: u64) -> Result<()> {
        let reply = self.ask(env, command)?;
        check_reply(command, reply, code)
    }

    /// The greeting, and TLS where the server has it and the program for it is there (RFC 3207).
    fn greet(&mut self, env: &mut Env) -> Result<()> {
        let greeting = self.reply(env)?;
        check_reply(b"connecting", greeting, 220)?;
        self.hello(env)?;
        let offers = self.features.iter().any(|line| line.eq_ignore_ascii_case(b"STARTTLS"));
        if !offers || call::find_program(&env.vars, b"ssl_client").is_none() {
            return Ok(());
        }
        self.expect(env, b"STARTTLS", 220)?;
        // The connection must not be read in between: what the server sends next is TLS's.
        let host = self.host.clone();
        self.talk = self.talk.encrypted(env, &host)?;
        self.hello(env)
    }

    fn hello(&mut self, env: &mut Env) -> Result<()> {
        let own = uname();
        let own = own.nodename().to_bytes();
        let (code, lines) = self.ask(env, &text!("EHLO ", own))?;
        if code == 250 {
            self.features = lines;
            return Ok(());
        }
        self.features.clear();
        self.expect(env, &text!("HELO ", own), 250)
    }

    fn log_in(&mut self, env: &mut Env, login: &Login) -> Result<()> {
        let encoded = |content: &[u8]| {
            let mut out = Vec::new();
            Base::Base64.encode(content, &mut out);
            out
        };
        if login.is_plain {
            let word = encoded(&text!("\0", &login.user, "\0", &login.password));
            self.talk.say(env, &text!("AUTH PLAIN ", word), b"AUTH PLAIN")?;
        } else {
            self.expect(env, b"AUTH LOGIN", 334)?;
            self.talk.say(env, &encoded(&login.user), b"USER")?;
            let reply = self.reply(env)?;
            check_reply(b"AUTH LOGIN", reply, 334)?;
            self.talk.say(env, &encoded(&login.password), b"PASS")?;
        }
        let reply = self.reply(env)?;
        check_reply(b"AUTH", reply, 235)
    }

    /// Sends the message: each line ends with CR LF, and one that begins with a dot gets another (RFC 5321, 4.5.2).
    fn send_message(&mut self, head: &[u8], input: &mut Input) -> Result<()> {
        let (mut out, mut at_start) = (Vec::new(), true);
        push_lines(head, &mut at_start, &mut out);
        loop {
            self.talk.send(&out)?;
            out.clear();
            let content = input.fill()?;
            let count = content.len();
            if count == 0 {
                break;
            }
            push_lines(content, &mut at_start, &mut out);
            input.consume(count);
        }
        self.talk.send(if at_start { b"" } else { b"\r\n" })
    }
}

/// Adds some bytes of the message. `at_start` is whether they begin a line, and is changed to whether what follows does.
fn push_lines(content: &[u8], at_start: &mut bool, out: &mut Vec<u8>) {
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        // A bare carriage return could be the end of a line to another server, and what follows it a command.
        for part in text.split(|&byte| byte == b'\r').filter(|part| !part.is_empty()) {
            if core::mem::take(at_start) && part.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(part);
        }
        if text.len() < line.len() {
            out.extend_from_slice(b"\r\n");
            *at_start = true;
        }
    }
}

fn check_reply(command: &[u8], (code, lines): (u64, Vec<Vec<u8>>), expected: u64) -> Result<()> {
    if code == expected {
        return Ok(());
    }
    let word = command.split(|&byte| byte == b' ').next().unwrap_or_default();
    let last = rbox_core::term::clean(lines.last().map_or(&b""[..], Vec::as_slice), b"", rbox_core::term::Shown::Caret);
    Err(Error::new(text!(word, " failed: ", code, " ", last)))
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (head, _) = recipients_of(data);
    assert!(head.len() <= data.len());
    let mut out = b"\n".to_vec();
    let mut at_start = true;
    for part in data.chunks(7) {
        push_lines(part, &mut at_start, &mut out);
    }
    assert!(rbox_core::bytes::find(&out, b"\n.\r\n").is_none());
    addresses(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_recipients() {
        let head = b"To: a@b, \"C, D\" <c@d> (x, y),\n e@f\nSubject: To: no\nBCC: g@h,\n i@j\ncc: team: k@l, m@n;\n\n";
        let (kept, all) = recipients_of(head);
        assert_eq!(kept, b"To: a@b, \"C, D\" <c@d> (x, y),\n e@f\nSubject: To: no\ncc: team: k@l, m@n;\n\n");
        assert_eq!(all.join(&b' '), b"a@b c@d e@f g@h i@j k@l m@n");
        let (kept, all) = recipients_of(b"To: a@b\nBCC\t: c@d\n\n");
        assert_eq!((&kept[..], all.join(&b' ')), (&b"To: a@b\n\n"[..], b"a@b c@d".to_vec()));
    }

    #[test]
    fn addresses_are_quoted_escaped_and_routed() {
        for (value, all) in [
            (&br#" "a\"b, <c>" <a@b>, d@e"#[..], &b"a@b d@e"[..]),
            (br#"(x \) (y), z) a@b, "j,d"@c"#, br#"a@b "j,d"@c"#),
            (b"<@a,@b:c@d>, g:;, <>, e@f", b"c@d e@f"),
            (br#""a <b@c>"#, br#""a <b@c>"#),
        ] {
            assert_eq!(addresses(value).join(&b' '), all);
        }
    }

    #[test]
    fn lines_are_those_of_smtp() {
        for (message, sent) in [
            (&b".\n"[..], &b"..\r\n"[..]),
            (b"a\r\n.", b"a\r\n.."),
            (b"", b""),
            (b"a\r.\rQUIT\n", b"a.QUIT\r\n"),
            // Without the carriage return the dot begins the line.
            (b"\r.\nQUIT\n\r\r\n", b"..\r\nQUIT\r\n\r\n"),
        ] {
            for size in [1, 2, 100] {
                let (mut out, mut at_start) = (Vec::new(), true);
                message.chunks(size).for_each(|part| push_lines(part, &mut at_start, &mut out));
                assert_eq!(out, sent);
            }
        }
    }
}
