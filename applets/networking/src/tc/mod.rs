//! `tc`: queueing disciplines, classes and filters of interfaces, in the words of iproute2 (rtnetlink(7), linux/pkt_sched.h).

mod filter;
mod kind;
mod units;

use rbox_core::bytes;
use rbox_core::io::Input;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::netlink::{Link, Netlink, Request, attributes, find, name, word};
use rbox_core::number::{parse_in_range, parse_radix};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text::Hex;

options! {
    "[-sd] [-b FILE] qdisc|class|filter [COMMAND]

Print or configure queueing disciplines, classes and filters.

  -s, --statistics  Print statistics
  -d, --details     Print what is seldom asked for
  -b, --batch=FILE  Read commands from FILE, - for standard input

tc qdisc [show] [dev IFACE] [ingress]
tc qdisc add|del|change|replace dev IFACE [root|ingress|clsact|parent CLASS] [handle H:] [KIND OPTIONS]
        pfifo|bfifo [limit N] | prio [bands N] [priomap BAND...] | htb [default N] [r2q N]
        tbf rate RATE burst SIZE latency TIME|limit SIZE [peakrate RATE mtu SIZE]
        fq_codel [limit N] [flows N] [target TIME] [interval TIME] [quantum N] [[no]ecn]
        netem [delay TIME [JITTER [P%]]] [loss|duplicate|corrupt|reorder P% [P%]] [rate RATE] [limit N]
tc class [show] dev IFACE [parent CLASS] [classid CLASS]
tc class add|del|change|replace dev IFACE [root|parent CLASS] classid CLASS
        htb rate RATE [ceil RATE] [burst SIZE] [cburst SIZE] [prio N] [quantum SIZE]
tc filter [show] dev IFACE [root|ingress|egress|parent CLASS]
tc filter add|del|change|replace dev IFACE [root|ingress|egress|parent CLASS] [protocol PROTO] [prio N] [handle H]
        u32 match ip|ip6 FIELD VALUE [MASK] | match u8|u16|u32 VALUE MASK at N | match mark VALUE MASK [flowid CLASS]
        fw [classid CLASS] | matchall [classid CLASS]";
    STATISTICS = "-s",
    DETAILS = "-d",
    BATCH = "-b",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// What the options before the object ask for.
#[derive(Clone, Copy, Default)]
struct Show {
    statistics: bool,
    details: bool,
}

/// linux/pkt_sched.h: TC_H_ROOT, TC_H_INGRESS (TC_H_CLSACT too), and the two sides of the latter.
const ROOT: u32 = 0xffff_ffff;
const INGRESS: u32 = 0xffff_fff1;
const BEFORE: u32 = 0xffff_fff2;
const AFTER: u32 = 0xffff_fff3;

/// linux/if_ether.h, ETH_P_*.
const PROTOCOLS: Names = names! {
    "all" = 3, "ip" = 0x800, "arp" = 0x806, "ipv6" = 0x86dd, "802.1Q" = 0x8100, "802.1ad" = 0x88a8, "ppp_ses" = 0x8864,
    "ppp_disc" = 0x8863, "mpls_uc" = 0x8847,
};

/// What a command is about: the first of three message types (new, delete, get).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Object {
    Discipline = 36,
    Class = 40,
    Filter = 44,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let show = Show { statistics: args.has(STATISTICS), details: args.has(DETAILS) };
    let netlink = Netlink::open()?;
    match (args.value(BATCH), args.operands().split_first()) {
        (Some(path), None) => run_batch(env, &netlink, show, path),
        (None, Some((object, words))) => dispatch(env, &netlink, show, object, words),
        _ => Err(Error::usage()),
    }
}

/// Runs the commands of a file, one a line: words between blanks, `#` begins a comment. The first failure ends it.
fn run_batch(env: &mut Env, netlink: &Netlink, show: Show, path: &[u8]) -> Outcome {
    let mut input = Input::operand(path)?;
    let mut number = 0u64;
    while let Some(line) = input.line()? {
        number += 1;
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let words: Vec<&[u8]> = bytes::words(line).collect();
        if let Some((object, words)) = words.split_first() {
            let done = dispatch(env, netlink, show, object, words);
            done.map_err(|error| error.context(rbox_core::text!(path, ":", number)))?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn dispatch(env: &mut Env, netlink: &Netlink, show: Show, object: &[u8], words: &[&[u8]]) -> Outcome {
    let is = |word: &[u8], command: &str| !word.is_empty() && command.as_bytes().starts_with(word);
    let object = match object {
        word if is(word, "qdisc") => Object::Discipline,
        word if is(word, "class") => Object::Class,
        word if is(word, "filter") => Object::Filter,
        word => return Err(Error::usage_because(&[b"unknown object '", word, b"'"])),
    };
    // NLM_F_CREATE 0x400, NLM_F_EXCL 0x200, NLM_F_REPLACE 0x100.
    let (command, rest) = words.split_first().map_or((&b"show"[..], words), |(command, rest)| (*command, rest));
    match command {
        word if is(word, "add") => change(netlink, object, 0, 0x600, rest)?,
        word if is(word, "change") => change(netlink, object, 0, 0, rest)?,
        word if is(word, "replace") => change(netlink, object, 0, 0x500, rest)?,
        word if is(word, "delete") => change(netlink, object, 1, 0, rest)?,
        word if is(word, "show") || is(word, "list") || word == b"ls" => list(env, netlink, object, show, rest)?,
        word => return Err(Error::parts(&[b"unknown command '", word, b"'"])),
    }
    Ok(ExitStatus::SUCCESS)
}

fn value(word: Option<&[u8]>) -> Result<&[u8]> {
    word.ok_or_else(|| Error::new("command line is not complete"))
}

/// `MAJOR:[MINOR]` in hexadecimal, 16 bits each, or `root` or `none`.
fn parse_handle(word: &[u8]) -> Result<u32> {
    let part = |digits: &[u8]| match digits {
        b"" => Some(0),
        digits => parse_radix(digits, 16).filter(|number| *number <= 0xffff).map(|number| number as u32),
    };
    let parsed = match (word, bytes::split_once(word, b':')) {
        (b"root", _) => Some(ROOT),
        (b"none", _) => Some(0),
        (_, Some((major, minor))) => part(major).zip(part(minor)).map(|(major, minor)| major << 16 | minor),
        (digits, None) => part(digits).filter(|_| !digits.is_empty()).map(|major| major << 16),
    };
    parsed.ok_or_else(|| units::illegal(b"handle", word))
}

fn push_handle(out: &mut Vec<u8>, handle: u32) {
    match handle {
        ROOT => push!(*out, "root"),
        0 => push!(*out, "none"),
        _ => {
            if handle >> 16 != 0 {
                push!(*out, Hex(u64::from(handle >> 16)));
            }
            out.push(b':');
            if handle & 0xffff != 0 {
                push!(*out, Hex(u64::from(handle & 0xffff)));
            }
        }
    }
}

/// What the words before a kind say: struct tcmsg.
#[derive(Default)]
struct Target<'a> {
    index: u32,
    handle: Option<&'a [u8]>,
    class: u32,
    parent: u32,
    protocol: Option<u16>,
    priority: u32,
    /// The kind, and the words after it.
    kind: Option<(&'a [u8], &'a [&'a [u8]])>,
}

impl<'a> Target<'a> {
    fn parse(netlink: &Netlink, object: Object, mut words: &'a [&'a [u8]]) -> Result<Self> {
        let mut target = Self::default();
        while let Some((word, rest)) = words.split_first() {
            words = rest;
            let mut value = || -> Result<&'a [u8]> {
                let (value, rest) = words.split_first().ok_or_else(|| Error::new("command line is not complete"))?;
                words = rest;
                Ok(value)
            };
            match *word {
                b"dev" => target.index = netlink.link(value()?)?.index,
                b"handle" => target.handle = Some(value()?),
                b"classid" if object == Object::Class => target.class = parse_handle(value()?)?,
                b"parent" => target.set_parent(parse_handle(value()?)?)?,
                b"root" => target.set_parent(ROOT)?,
                b"ingress" if object == Object::Filter => target.set_parent(BEFORE)?,
                b"egress" if object == Object::Filter => target.set_parent(AFTER)?,
                b"ingress" | b"clsact" if object == Object::Discipline => {
                    // `handle ffff: ingress` and `root clsact` alike.
                    if target.parent != 0 && target.parent != INGRESS {
                        return Err(Error::parts(&[b"\"", word, b"\" is a duplicate parent"]));
                    }
                    target.parent = INGRESS;
                    target.kind = Some((*word, &[][..]));
                    target.handle = Some(b"ffff:");
                }
                b"protocol" if object == Object::Filter => target.protocol = Some(filter::protocol(value()?)?),
                b"prio" | b"pref" | b"preference" | b"priority" if object == Object::Filter => {
                    target.priority = parse_in_range(value()?, 0, 0xffff)? as u32;
                }
                kind => {
                    target.kind = Some((kind, words));
                    break;
                }
            }
        }
        Ok(target)
    }

    fn set_parent(&mut self, parent: u32) -> Result<()> {
        if self.parent != 0 {
            return Err(Error::new("the parent is given twice"));
        }
        self.parent = parent;
        Ok(())
    }

    /// struct tcmsg: family, index, handle, parent, and for filters priority and protocol.
    fn fixed(&self, handle: u32) -> Vec<u8> {
        let info = self.priority << 16 | u32::from(self.protocol.unwrap_or(0).to_be());
        [0, self.index, handle, self.parent, info].map(u32::to_ne_bytes).concat()
    }
}

/// Sends a message that makes, changes or (`kind` 1) deletes something.
fn change(netlink: &Netlink, object: Object, kind: u16, flags: u16, words: &[&[u8]]) -> Result<()> {
    let mut target = Target::parse(netlink, object, words)?;
    if target.index == 0 {
        return Err(Error::new("need \"dev IFACE\""));
    }
    let mut handle = match (object, target.handle) {
        (Object::Class, _) => target.class,
        (Object::Filter, _) | (_, None) => 0,
        (Object::Discipline, Some(word)) => parse_handle(word)?,
    };
    if object == Object::Filter && kind == 0 && target.protocol.is_none() {
        target.protocol = Some(3);
    }
    let mut options = None;
    if let Some((name, words)) = target.kind {
        if object == Object::Filter {
            let made = filter::options(name, target.handle, words)?;
            handle = made.0;
            options = Some(made.1).filter(|_| kind == 0);
        } else if kind == 0 {
            options = kind::options(name, object == Object::Class, words)?;
        }
    }
    let mut request = Request::new(object as u16 + kind, flags, &target.fixed(handle));
    if let Some((name, _)) = target.kind {
        request = request.attribute(1, &[name, b"\0"].concat());
    }
    if let Some(options) = options {
        request = request.attribute(2, &options);
    }
    netlink.change(request).map_err(|errno| Error::on("RTNETLINK answers", errno).with_status(2))
}

fn list(env: &mut Env, netlink: &Netlink, object: Object, show: Show, words: &[&[u8]]) -> Result<()> {
    let target = Target::parse(netlink, object, words)?;
    // `show ingress` picks that discipline.
    let only = target.kind.filter(|(_, rest)| rest.is_empty()).map(|(kind, _)| kind);
    if let Some((kind, [word, ..])) = target.kind {
        return Err(kind::unknown(kind, word));
    }
    if target.index == 0 && object != Object::Discipline {
        return Err(Error::new("need \"dev IFACE\""));
    }
    let links = if target.index == 0 { netlink.links()? } else { Vec::new() };
    for body in netlink.dump(object as u16 + 2, &target.fixed(0), object as u16)? {
        let Some(found) = Found::parse(&body) else { continue };
        let is_wanted = (target.index == 0 || found.index == target.index)
            && (target.class == 0 || found.handle == target.class)
            && (object != Object::Discipline || target.parent == 0 || found.parent == target.parent)
            && only.is_none_or(|kind| found.kind == kind);
        if is_wanted {
            let mut out = Vec::new();
            found.print(&mut out, object, &target, &links, show);
            env.stdout.write(&out)?;
        }
    }
    Ok(())
}

/// One message of the kernel.
struct Found<'a> {
    index: u32,
    handle: u32,
    parent: u32,
    /// References of a discipline, the discipline below a class, priority and protocol of a filter.
    info: u32,
    kind: Vec<u8>,
    attributes: &'a [u8],
}

impl<'a> Found<'a> {
    fn parse(body: &'a [u8]) -> Option<Self> {
        let (fixed, attributes) = body.split_at_checked(20)?;
        let number = |at: usize| word(&fixed[at..]);
        let kind = find(attributes, 1).map_or_else(Vec::new, name);
        Some(Self { index: number(4), handle: number(8), parent: number(12), info: number(16), kind, attributes })
    }

    fn print(&self, out: &mut Vec<u8>, object: Object, target: &Target<'_>, links: &[Link], show: Show) {
        let options = find(self.attributes, 2).unwrap_or_default();
        match object {
            Object::Discipline => {
                push!(*out, "qdisc ", &self.kind, " ", Hex(u64::from(self.handle >> 16)), ": ");
                if let Ok(at) = links.binary_search_by_key(&self.index, |link| link.index) {
                    push!(*out, "dev ", &links[at].name, " ");
                }
                self.push_parent(out);
                if self.info > 1 {
                    push!(*out, "refcnt ", self.info, " ");
                }
                kind::show(out, &self.kind, options, show);
            }
            Object::Class => {
                push!(*out, "class ", &self.kind, " ");
                push_handle(out, self.handle);
                out.push(b' ');
                self.push_parent(out);
                if self.info != 0 {
                    push!(*out, "leaf ", Hex(u64::from(self.info >> 16)), ": ");
                }
                kind::show(out, &self.kind, options, show);
            }
            Object::Filter => {
                push!(*out, "filter ");
                if target.parent == 0 {
                    self.push_parent(out);
                }
                let protocol = u16::from_be(self.info as u16);
                push!(
                    *out,
                    "protocol ",
                    filter::protocol_name(protocol),
                    " pref ",
                    self.info >> 16,
                    " ",
                    &self.kind,
                    " "
                );
                if let Some(chain) = find(self.attributes, 11) {
                    push!(*out, "chain ", word(chain), " ");
                }
                filter::show(out, &self.kind, self.handle, options);
            }
        }
        out.push(b'\n');
        if show.statistics && object != Object::Filter {
            self.push_statistics(out, object == Object::Class);
        }
    }

    fn push_parent(&self, out: &mut Vec<u8>) {
        if self.parent == ROOT {
            push!(*out, "root ");
        } else if self.parent != 0 {
            push!(*out, "parent ");
            push_handle(out, self.parent);
            out.push(b' ');
        }
    }

    /// TCA_STATS2 (linux/gen_stats.h): bytes and packets; queue, backlog, drops, requeues, overlimits.
    fn push_statistics(&self, out: &mut Vec<u8>, is_class: bool) {
        let Some(field) = find(self.attributes, 7) else { return };
        let number = |value: &[u8], at: usize| value.get(at..).map_or(0, word);
        let (mut sent, mut packets, mut queue) = (0, 0u64, &b""[..]);
        for (kind, value) in attributes(field) {
            let wide = value.get(..8).and_then(|value| value.try_into().ok()).map_or(0, u64::from_ne_bytes);
            match kind {
                1 => (sent, packets) = (wide, packets.max(number(value, 8).into())),
                3 => queue = value,
                // TCA_STATS_PKT64.
                8 => packets = wide,
                _ => {}
            }
        }
        let [length, backlog, drops, requeues, limits] = [0, 4, 8, 12, 16].map(|at| number(queue, at));
        push!(*out, " Sent ", sent, " bytes ", packets, " pkt (dropped ", drops, ", overlimits ", limits);
        push!(*out, " requeues ", requeues, ") \n backlog ", units::show_size(backlog.into()), " ", length);
        push!(*out, "p requeues ", requeues, "\n");
        if let (b"htb", true, Some(value)) = (&self.kind[..], is_class, find(self.attributes, 4)) {
            // struct tc_htb_xstats.
            push!(
                *out,
                " lended: ",
                number(value, 0),
                " borrowed: ",
                number(value, 4),
                " giants: ",
                number(value, 8),
                "\n"
            );
            let signed = |at: usize| i64::from(number(value, at) as i32);
            push!(*out, " tokens: ", signed(12), " ctokens: ", signed(16), "\n");
        }
        if is_class {
            out.push(b'\n');
        }
    }
}
