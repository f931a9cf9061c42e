//! Two machines on one wire, the servers of the image on one and its clients on the other: `build-image test --network`.

use anyhow::Result;

use super::checks::{self, prints};
use crate::console::Machine;

/// A check of both machines, the server first.
type Check = (&'static str, fn(&mut Machine, &mut Machine) -> Result<()>);

/// The checks, in their order; the first ones always run.
pub const ALL: &[Check] = &[
    ("start", start),
    ("dhcp", dhcp),
    ("names", names),
    ("http", http),
    ("clock", clock),
    ("files", files),
    ("telnet", telnet),
    ("pings", pings),
];

/// How many of them the others build upon.
pub const NEEDED: usize = 2;

/// The server has an address of its own, and all its services run.
fn start(server: &mut Machine, client: &mut Machine) -> Result<()> {
    checks::login(server)?;
    checks::login(client)?;
    client.output_of("sv down /etc/rc.d/udhcpc; ip link set eth0 down; hostname client")?;
    server.output_of("sv down /etc/rc.d/udhcpc; hostname server")?;
    server.output_of("ip addr add 192.168.77.1/24 dev eth1 && ip link set eth1 up")?;
    server.output_of("echo '<h1>hello</h1>' >/var/www/index.html; head -c 300000 /bin/rbox >/srv/tftp/image; cp /srv/tftp/image /srv/ftp")?;
    let services = "udhcpd dnsd httpd ntpd telnetd tftpd ftpd";
    server.output_of(&format!("for s in {services}; do ln -s ../init.d/$s /etc/rc.d/$s; done"))?;
    for service in services.split(' ') {
        server.wait_for(&format!("sv status /etc/rc.d/{service} 2>/dev/null | grep -q ^run:"))?;
    }
    Ok(())
}

fn dhcp(server: &mut Machine, client: &mut Machine) -> Result<()> {
    client.output_of("udhcpc -i eth1 -n -q -t 20 -T 1 -s /usr/share/udhcpc/default.script")?;
    let address = client.output_of("ip -o -4 addr show dev eth1 | grep -o '192.168.77.[12][0-9][0-9]/24'")?;
    let address = address.trim().trim_end_matches("/24").to_owned();
    prints(client, "ip route show default | grep -o 'via [0-9.]* dev eth1'", "via 192.168.77.1 dev eth1")?;
    // The file of the leases is written when it is asked for.
    server.output_of("pkill -USR1 udhcpd")?;
    server.wait_for(&format!("dumpleases -f /var/lib/misc/udhcpd.leases | grep -q {address}"))
}

fn names(_: &mut Machine, client: &mut Machine) -> Result<()> {
    client.output_of(
        "grep -q '^nameserver 192.168.77.1$' /etc/resolv.conf && echo 'nameserver 192.168.77.1' >/etc/resolv.conf",
    )?;
    client.output_of("nslookup rbox.lan | grep -q 192.168.77.1")?;
    client.output_of("! nslookup nothing.lan")?;
    Ok(())
}

fn http(server: &mut Machine, client: &mut Machine) -> Result<()> {
    prints(client, "wget -q -O - http://rbox.lan/", "<h1>hello</h1>")?;
    prints(
        client,
        "wget -q -O - http://rbox.lan/nothing; echo $?",
        "wget: server returned error: HTTP/1.1 404 Not Found\n1",
    )?;
    prints(server, "ps -o user,comm | grep -c '^nobody *httpd'", "1")
}

/// The client's clock is 25 years behind until it asks.
fn clock(server: &mut Machine, client: &mut Machine) -> Result<()> {
    client.output_of("date -s '2001-02-03 04:05:06'")?;
    client.output_of("ntpd -n -q -p 192.168.77.1")?;
    let year = server.output_of("date +%Y-%m-%d")?;
    prints(client, "date +%Y-%m-%d", year.trim())
}

fn files(server: &mut Machine, client: &mut Machine) -> Result<()> {
    let sum = server.output_of("sha256sum </srv/tftp/image")?;
    client.output_of(
        "cd /tmp; tftp -g -r image -l by-tftp 192.168.77.1; tftp -b 1400 -g -r image -l by-blocks 192.168.77.1",
    )?;
    client.output_of("ftpget 192.168.77.1 by-ftp image; wget -q -O by-wget ftp://192.168.77.1/image")?;
    for name in ["by-tftp", "by-blocks", "by-ftp", "by-wget"] {
        prints(client, &format!("sha256sum </tmp/{name}"), sum.trim())?;
    }
    client.output_of(
        "! tftp -p -l by-tftp -r new 192.168.77.1 2>/dev/null; ! ftpput 192.168.77.1 new by-ftp 2>/dev/null",
    )?;
    Ok(())
}

fn telnet(server: &mut Machine, client: &mut Machine) -> Result<()> {
    // root may not log in by the network.
    server.output_of("adduser -D guest && passwd -d guest")?;
    client.send("telnet 192.168.77.1\n")?;
    client.expect("login: ")?;
    client.send("guest\n")?;
    client.expect("$ ")?;
    client.send("echo I am at $(hostname)\n")?;
    client.expect("I am at server")?;
    client.send("exit\n")?;
    client.expect("> ")?;
    client.prepare_shell()
}

fn pings(_: &mut Machine, client: &mut Machine) -> Result<()> {
    client.output_of("ping -c 2 -w 5 192.168.77.1")?;
    client.output_of("traceroute -n -q 1 -m 2 192.168.77.1 | grep -q '^ 1  192.168.77.1 '")?;
    client.output_of("arping -c 1 -w 5 -I eth1 192.168.77.1")?;
    client.output_of("nc -z 192.168.77.1 80 && ! nc -z 192.168.77.1 81")?;
    client.output_of("arp -n | grep -q '192.168.77.1'")?;
    Ok(())
}
