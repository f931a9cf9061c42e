//! Interfaces with their counters (`-i`), and the counters of protocols (`-s`).

use rbox_core::bytes::words;
use rbox_core::io::read_file;
use rbox_core::net::netlink::{Link, Netlink, UP};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::term::{Shown, clean};
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

pub fn interfaces(env: &mut Env, all: bool) -> Outcome {
    env.stdout.write(b"Kernel Interface table\n")?;
    let title = "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";
    env.stdout.write(title.as_bytes())?;
    for link in Netlink::open()?.links()?.iter().filter(|link| all || link.flags & UP != 0) {
        // rtnl_link_stats64: packets received and sent, 4 and 5 errors, 6 and 7 dropped, 12 and 18 lost in a FIFO.
        let count = |at: usize, width| Right(link.counters.get(at).copied().unwrap_or(0), width, b' ');
        let mut line = text!(Left(clean(&link.name, b"", Shown::As(b'?')), 15), " ", Right(link.mtu, 5, b' '), " ");
        push!(line, count(0, 8), " ", count(4, 6), " ", count(6, 6), " ", count(12, 6), " ", count(1, 8), " ");
        push!(line, count(5, 6), " ", count(7, 6), " ", count(18, 6), " ", flags(link), "\n");
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// One character for each flag (netdevice(7)).
fn flags(link: &Link) -> Vec<u8> {
    let characters = [
        (0x200, b'A'),
        (0x2, b'B'),
        (0x4, b'D'),
        (0x8, b'L'),
        (0x1000, b'M'),
        (0x100, b'P'),
        (0x20, b'N'),
        (0x80, b'O'),
        (0x10, b'p'),
        (0x800, b's'),
        (0x400, b'm'),
        (0x40, b'R'),
        (UP, b'U'),
    ];
    characters.iter().filter(|(flag, _)| link.flags & flag != 0).map(|(_, character)| *character).collect()
}

/// Prints counters by their names in /proc/net: `chosen` are those of TCP, UDP and raw sockets; `every` all.
pub fn statistics(env: &mut Env, chosen: [bool; 3], every: bool, six: bool) -> Outcome {
    let [tcp, udp, raw] = chosen;
    let wanted = |name: &[u8]| {
        let name = name.strip_suffix(b":").unwrap_or(name);
        let name = name.strip_suffix(b"6").unwrap_or(name);
        every || tcp && name.starts_with(b"Tcp") || udp && name.starts_with(b"Udp") || raw && name.starts_with(b"Icmp")
    };
    if six {
        return statistics_of_six(env, &wanted);
    }
    for path in ["/proc/net/snmp", "/proc/net/netstat"] {
        let content = read_file(path.as_bytes())?;
        let mut lines = content.split(|&byte| byte == b'\n');
        // Two lines for each protocol: names, values.
        while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
            let (mut names, values) = (words(names), words(values));
            let title = names.next().unwrap_or_default();
            if !wanted(title) {
                continue;
            }
            let mut section = text!(title, "\n");
            let start = section.len();
            for (name, value) in names.zip(values.skip(1)) {
                // Of the many in the second file those that count nothing are left out.
                if value != b"0" || path.ends_with("snmp") {
                    push_counter(&mut section, name, value);
                }
            }
            if section.len() > start {
                env.stdout.write(&section)?;
            }
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn push_counter(section: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    push!(*section, "    ", name, ": ", value, "\n");
}

/// /proc/net/snmp6 has a line `Ip6InReceives VALUE` for each counter.
fn statistics_of_six(env: &mut Env, wanted: &dyn Fn(&[u8]) -> bool) -> Outcome {
    let content = match read_file(b"/proc/net/snmp6") {
        Err(error) if error.errno() == Some(Errno::NOENT) => return Ok(ExitStatus::SUCCESS),
        content => content?,
    };
    let mut title: &[u8] = b"";
    for line in content.split(|&byte| byte == b'\n') {
        let mut words = words(line);
        let (Some(name), Some(value)) = (words.next(), words.next()) else { continue };
        let end = name.iter().position(|&byte| byte == b'6').map_or(0, |at| at + 1);
        let (protocol, name) = name.split_at(end);
        if !wanted(protocol) {
            continue;
        }
        let mut section = Vec::new();
        if protocol != title {
            push!(section, protocol, ":\n");
            title = protocol;
        }
        push_counter(&mut section, name, value);
        env.stdout.write(&section)?;
    }
    Ok(ExitStatus::SUCCESS)
}
