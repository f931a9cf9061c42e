//! httpd.conf, in the home directory's form and that of its subdirectories.
//!
//! ```text
//! A:ADDRESS[/MASK]   allow; 172.20. is a prefix; D:ADDRESS deny; D:* deny all others
//! E404:PAGE          what is sent with that status
//! I:FILE             the index of a directory; H:DIRECTORY the home directory
//! P:/URL:[http://]HOST[:PORT]/PATH   the server that has what is below URL
//! .EXT:TYPE          the media type of a suffix; *.EXT:PROGRAM its interpreter
//! /URL:USER:PASSWORD who may see what is below URL; a password of * is that of passwd(5)
//! ```

use core::net::IpAddr;

use rbox_core::bytes::{find_byte_back, split_once};
use rbox_core::net::{addr, sockets};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;

/// The largest httpd.conf that is read, in bytes.
pub const LARGEST: u64 = 1 << 20;

#[derive(Clone, Debug, Default)]
pub struct Config {
    pub home: Option<Vec<u8>>,
    pub index: Option<Vec<u8>>,
    rules: Vec<Rule>,
    denies_others: bool,
    pages: Vec<(u16, Vec<u8>)>,
    proxies: Vec<Proxy>,
    interpreters: Vec<(Vec<u8>, Vec<u8>)>,
    types: Vec<(Vec<u8>, Vec<u8>)>,
    logins: Vec<Login>,
}

#[derive(Clone, Debug)]
struct Rule {
    address: IpAddr,
    bits: u8,
    allows: bool,
}

/// A prefix of URLs that another server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub prefix: Vec<u8>,
    pub host: Vec<u8>,
    pub port: u16,
    pub path: Vec<u8>,
}

/// Who may see what is below a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    path: Vec<u8>,
    pub user: Vec<u8>,
    pub password: Vec<u8>,
}

impl Config {
    /// Adds the lines of a file. `below` is the path of its directory, empty for the server's own file.
    pub fn add(&mut self, content: &[u8], below: &[u8]) -> Vec<Error> {
        let is_main = below.is_empty();
        let (mut errors, mut has_rules) = (Vec::new(), is_main);
        for (number, line) in (1usize..).zip(content.split(|&byte| byte == b'\n')) {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii();
            if line.is_empty() {
                continue;
            }
            // The rules of a directory are in the place of those above it.
            if matches!(line, [b'A' | b'D' | b'a' | b'd', b':', ..]) && !has_rules {
                (self.rules, self.denies_others, has_rules) = (Vec::new(), false, true);
            }
            if self.add_line(line, below).is_none() {
                errors.push(Error::new(text!("line ", number, ": bad line '", line, "'")));
            }
        }
        errors
    }

    fn add_line(&mut self, line: &[u8], below: &[u8]) -> Option<()> {
        let is_main = below.is_empty();
        let (key, value) = split_once(line, b':')?;
        match key {
            b"A" | b"a" | b"D" | b"d" => {
                let allows = key.eq_ignore_ascii_case(b"A");
                if value == b"*" {
                    self.denies_others = !allows;
                } else {
                    let (address, bits) = parse_block(value)?;
                    self.rules.push(Rule { address, bits, allows });
                }
            }
            b"H" | b"h" if is_main => self.home = Some(value.to_vec()),
            b"I" | b"i" if is_main => self.index = Some(value.to_vec()),
            b"P" | b"p" if is_main => self.proxies.push(parse_proxy(value)?),
            [b'E' | b'e', digits @ ..] if is_main => {
                self.pages.push((u16::try_from(parse_decimal(digits)?).ok()?, value.to_vec()));
            }
            [b'*', b'.', extension @ ..] => self.interpreters.insert(0, (extension.to_vec(), value.to_vec())),
            [b'.', extension @ ..] => self.types.insert(0, (extension.to_vec(), value.to_vec())),
            [b'/', ..] => {
                let (user, password) = split_once(value, b':')?;
                let path = text!(below, key);
                let path = path.strip_suffix(b"/").unwrap_or(&path).to_vec();
                self.logins.push(Login { path, user: user.to_vec(), password: password.to_vec() });
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether a peer may ask: the first rule of its address counts. One without an address, which is no host or has gone,
    /// may not where anybody may not.
    pub fn allows(&self, peer: Option<IpAddr>) -> bool {
        let Some(peer) = peer else { return !self.denies_others && self.rules.iter().all(|rule| rule.allows) };
        let rule = self.rules.iter().find(|rule| is_within(peer, rule.address, rule.bits));
        rule.map_or(!self.denies_others, |rule| rule.allows)
    }

    pub fn page(&self, status: u16) -> Option<&[u8]> {
        self.pages.iter().find(|(other, _)| *other == status).map(|(_, page)| &page[..])
    }

    /// The longest prefix of the path counts.
    pub fn proxy(&self, path: &[u8]) -> Option<&Proxy> {
        self.proxies.iter().filter(|proxy| path.starts_with(&proxy.prefix)).max_by_key(|proxy| proxy.prefix.len())
    }

    /// Some files are programs' texts.
    pub fn has_interpreters(&self) -> bool {
        !self.interpreters.is_empty()
    }

    pub fn interpreter(&self, path: &[u8]) -> Option<&[u8]> {
        value_of(&self.interpreters, extension(path)?)
    }

    /// `None` where the suffix says nothing.
    pub fn media_type(&self, path: &[u8]) -> Option<&[u8]> {
        let extension = extension(path)?;
        value_of(&self.types, extension).or_else(|| usual_type(extension))
    }

    /// The logins of the longest path that the URL is at or below; none when all may see it.
    pub fn logins(&self, path: &[u8]) -> Vec<&Login> {
        let is_below = |login: &&Login| {
            path.strip_prefix(&login.path[..]).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let Some(longest) = self.logins.iter().filter(is_below).map(|login| login.path.len()).max() else {
            return Vec::new();
        };
        self.logins.iter().filter(is_below).filter(|login| login.path.len() == longest).collect()
    }

    pub fn has_logins(&self) -> bool {
        !self.logins.is_empty()
    }
}

/// The last suffix of the last component.
fn extension(path: &[u8]) -> Option<&[u8]> {
    let name = &path[find_byte_back(b'/', path).map_or(0, |at| at + 1)..];
    find_byte_back(b'.', name).map(|at| &name[at + 1..])
}

fn value_of<'a>(table: &'a [(Vec<u8>, Vec<u8>)], extension: &[u8]) -> Option<&'a [u8]> {
    table.iter().find(|(key, _)| key.eq_ignore_ascii_case(extension)).map(|(_, value)| &value[..])
}

/// Media types and their suffixes.
const TYPES: &str = "text/html htm html
text/plain txt h c cc cpp log
text/css css
text/javascript js mjs
image/png png
image/jpeg jpg jpeg
image/svg+xml svg
image/gif gif
image/webp webp
image/x-icon ico
application/json json
application/xml xml
application/pdf pdf
application/wasm wasm
application/zip zip
application/gzip gz tgz
font/woff2 woff2
audio/mpeg mp3
audio/x-wav wav
audio/midi mid midi
video/mp4 mp4
video/webm webm
video/mpeg mpg mpe mpeg
video/quicktime qt mov
video/x-msvideo avi";

fn usual_type(extension: &[u8]) -> Option<&'static [u8]> {
    for line in TYPES.as_bytes().split(|&byte| byte == b'\n') {
        let mut words = line.split(|&byte| byte == b' ');
        let kind = words.next();
        if words.any(|word| word.eq_ignore_ascii_case(extension)) {
            return kind;
        }
    }
    None
}

/// `127.0.0.1`, `10.0.0.0/25`, `10.0.0.0/255.0.0.0`, `172.20.`, `::1/64`.
fn parse_block(word: &[u8]) -> Option<(IpAddr, u8)> {
    // The beginning of an IPv4 address, up to a dot or not.
    let parts = word.split(|&byte| byte == b'.').filter(|part| !part.is_empty()).count();
    if (1..4).contains(&parts) && !word.contains(&b':') && !word.contains(&b'/') {
        let start = word.strip_suffix(b".").unwrap_or(word);
        let whole = text!(start, &b".0.0.0"[..2 * (4 - parts)]);
        return Some((addr::parse(&whole).ok()?, 8 * parts as u8));
    }
    addr::parse_prefix(word).ok()
}

fn is_within(address: IpAddr, block: IpAddr, bits: u8) -> bool {
    if address.is_ipv4() != block.is_ipv4() {
        return false;
    }
    let (address, block) = (addr::octets(address), addr::octets(block));
    let (whole, rest) = (usize::from(bits / 8), bits % 8);
    let mask = !(0xff_u8 >> rest);
    address[..whole] == block[..whole] && (rest == 0 || (address[whole] ^ block[whole]) & mask == 0)
}

fn parse_proxy(value: &[u8]) -> Option<Proxy> {
    let (prefix, to) = split_once(value, b':')?;
    let to = to.strip_prefix(b"http://").unwrap_or(to);
    let (authority, path) = to.split_at(to.iter().position(|&byte| byte == b'/').unwrap_or(to.len()));
    let (host, port) = sockets::host_and_port(authority);
    let port = port.map_or(Some(80), |port| sockets::port(port, b"tcp").ok())?;
    Some(Proxy { prefix: prefix.to_vec(), host: host?.to_vec(), port, path: path.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(content: &str) -> Config {
        let mut config = Config::default();
        assert!(config.add(content.as_bytes(), b"").is_empty());
        config
    }

    #[test]
    fn addresses_are_allowed_and_denied() {
        let allows = |config: &Config, peer: &str| config.allows(peer.parse().ok());
        let few = config("A:172.20.\nA:10.0.0.0/25\nA:127.0.0.1\nA:fe80::/10 # local\nD:*");
        for (peer, expected) in [
            ("172.20.1.1", true),
            ("172.21.1.1", false),
            ("10.0.0.127", true),
            ("10.0.0.128", false),
            ("127.0.0.1", true),
            ("fe80::1", true),
            ("::1", false),
        ] {
            assert_eq!(allows(&few, peer), expected, "{peer}");
        }
        let most = config("D:1.2.3.\nD:10.0.0.0/255.0.0.0\nA:*");
        assert_eq!(
            (allows(&most, "1.2.3.4"), allows(&most, "10.9.9.9"), allows(&most, "1.2.4.4")),
            (false, false, true)
        );
        assert_eq!((few.allows(None), most.allows(None), config("A:1.2.3.4").allows(None)), (false, false, true));
    }

    #[test]
    fn the_longest_path_of_logins_counts() {
        let config = config("/:a:1\n/adm/:b:2\n/adm:c:$1$x$y:z");
        let users = |path: &str| {
            let users: Vec<_> = config.logins(path.as_bytes()).iter().map(|login| login.user.clone()).collect();
            String::from_utf8(users.concat()).expect("ASCII")
        };
        assert_eq!([users("/x"), users("/adm"), users("/adm/x"), users("/admin")], ["a", "bc", "bc", "a"]);
    }

    #[test]
    fn other_lines() {
        let config =
            config(".foo:x/y\n*.php:/bin/php\nE404:/e.html\nI:start.html\nP:/up:http://h:81/new\nP:/up/more:[::1]/");
        assert_eq!(config.media_type(b"/a.FOO"), Some(&b"x/y"[..]));
        assert_eq!(
            (config.media_type(b"/a.b/c"), config.media_type(b"/x.tar.gz")),
            (None, Some(&b"application/gzip"[..]))
        );
        assert_eq!((config.interpreter(b"/x.php"), config.page(404)), (Some(&b"/bin/php"[..]), Some(&b"/e.html"[..])));
        let proxy = config.proxy(b"/up/x").expect("it is there");
        assert_eq!((&proxy.host[..], proxy.port, &proxy.path[..]), (&b"h"[..], 81, &b"/new"[..]));
        assert_eq!(config.proxy(b"/up/more/x").expect("it is there").host, b"::1");
    }

    #[test]
    fn wrong_lines_are_named() {
        let mut config = Config::default();
        let errors = config.add(b"A:300.1.1.1\nfoo\nE:x\n/x:y\nP:/x\nA:1.1.1.1\n", b"");
        assert_eq!((errors.len(), errors[0].message()), (5, &b"line 1: bad line 'A:300.1.1.1'"[..]));
        assert_eq!(Config::default().add(b"H:/\nI:x\n", b"/sub").len(), 2);
    }
}
