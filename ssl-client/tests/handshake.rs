//! `ssl_client` against `openssl s_server`, with a certificate authority made for the test.

#![allow(clippy::disallowed_methods)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A directory with an authority and certificates of it; removed at the end.
struct Authority(PathBuf);

impl Authority {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("ssl-client-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a new directory");
        let authority = Self(directory);
        let made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 9 \
                    -subj /CN=${PWD##*/} -addext basicConstraints=critical,CA:TRUE";
        authority.shell(made);
        authority
    }

    /// Makes a certificate for names, which is valid for so many days.
    fn certificate(&self, names: &str, days: i32) {
        self.shell(
            "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out request -subj /CN=x",
        );
        self.shell(&format!(
            "echo subjectAltName={names} >extensions; openssl x509 -req -in request -CA ca.crt -CAkey ca.key \
             -CAcreateserial -out certificate -extfile extensions -days {days}"
        ));
    }

    fn shell(&self, script: &str) {
        let output = Command::new("sh").args(["-ec", script]).current_dir(&self.0).output().expect("sh");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the directory is ours");
    }
}

/// A server that answers each request with a page, until it is dropped.
struct Server {
    child: Child,
    port: String,
}

impl Server {
    fn start(directory: &Path, options: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "certificate", "-key", "key"])
            .args(options)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("ACCEPT ")?.rsplit_once(':')?.1.to_owned()))
            .expect("the server says where it listens");
        Self { child, port }
    }

    /// What the program prints for a request.
    fn ask(&self, authority: &Authority, words: &str) -> Output {
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | {} -s3 {words}",
            self.port,
            env!("CARGO_BIN_EXE_ssl_client")
        );
        let mut command = Command::new("bash");
        command.args(["-c", &script]).env("SSL_CERT_FILE", authority.0.join("ca.crt")).output().expect("bash")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

fn answers(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("HTTP/1.0 200 ok") && text.trim_end().ends_with("</HTML>"), "{text}");
}

fn refuses(output: &Output, reason: &str) {
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("ssl_client: {reason}\n"));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_trusted_server_answers_by_either_version() {
    let authority = Authority::new("trusted");
    authority.certificate("DNS:localhost,IP:127.0.0.1", 9);
    for version in ["-tls1_2", "-tls1_3"] {
        let server = Server::start(&authority.0, &[version]);
        answers(&server.ask(&authority, "-n localhost"));
        answers(&server.ask(&authority, "-n 127.0.0.1"));
    }
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new("name");
    authority.certificate("DNS:other.test", 9);
    let server = Server::start(&authority.0, &[]);
    refuses(&server.ask(&authority, "-n localhost"), "localhost: its certificate is for another name");
    answers(&server.ask(&authority, "-n other.test"));
    answers(&server.ask(&authority, "-n localhost -I"));
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = Authority::new("expired");
    authority.certificate("DNS:localhost", -1);
    let server = Server::start(&authority.0, &[]);
    refuses(&server.ask(&authority, "-n localhost"), "localhost: its certificate has expired");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let authority = Authority::new("known");
    let other = Authority::new("unknown");
    other.certificate("DNS:localhost", 9);
    let server = Server::start(&other.0, &[]);
    refuses(&server.ask(&authority, "-n localhost"), "localhost: its certificate is signed by nobody who is trusted");
}

#[test]
fn a_certificate_that_signs_itself_is_refused() {
    let authority = Authority::new("self");
    authority.shell("cp ca.crt certificate; cp ca.key key");
    let server = Server::start(&authority.0, &[]);
    refuses(
        &server.ask(&authority, "-n localhost"),
        "localhost: its certificate is not one of a server, or cannot be read",
    );
}

#[test]
fn an_old_version_is_refused() {
    let authority = Authority::new("version");
    authority.certificate("DNS:localhost", 9);
    let server = Server::start(&authority.0, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    refuses(&server.ask(&authority, "-n localhost"), "localhost: the server ends with alert 70");
}

#[test]
fn waiting_for_a_server_costs_no_time() {
    let authority = Authority::new("silent");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    // It takes twice as long to say nothing as the program may use the processor.
    let server = std::thread::spawn(move || {
        let connection = listener.accept();
        std::thread::sleep(std::time::Duration::from_secs(2));
        drop(connection);
    });
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; : | (ulimit -t 1; exec {} -s3 -n localhost)",
        env!("CARGO_BIN_EXE_ssl_client")
    );
    let mut command = Command::new("bash");
    let output = command.args(["-c", &script]).env("SSL_CERT_FILE", authority.0.join("ca.crt")).output().expect("bash");
    server.join().expect("it ends");
    // A signal would have ended it.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}
