//! What each method runs. `%option%` is replaced by its value, and `[[...]]` for what is left out when an option within it has
//! none; another command with such an option is none at all.

use rbox_core::bytes;
use rbox_core::net::addr::{mask_bits, parse_v4};
use rbox_core::prelude::*;
use rbox_core::text;

use super::config::Stanza;

/// The commands of a method, a line each; `None` for an unknown method.
fn templates(family: &[u8], method: &[u8], up: bool) -> Option<&'static str> {
    let is_v4 = family == b"inet";
    Some(match (method, up) {
        (b"loopback", true) if is_v4 => "ip addr replace 127.0.0.1/8 dev %device%\nip link set %device% up",
        (b"loopback", true) => "ip addr replace ::1/128 dev %device%\nip link set %device% up",
        (b"loopback", false) if is_v4 => "ip addr flush dev %device%\nip link set %device% down",
        (b"loopback", false) => "ip link set %device% down",
        (b"static", true) if is_v4 => {
            "ip addr add %address%/%netmask%[[ broadcast %broadcast%]] dev %device%[[ peer %pointopoint%]] label %label%\n\
             ip link set[[ mtu %mtu%]][[ addr %hwaddress%]] %device% up\n\
             [[ip route add default via %gateway% dev %device%[[ metric %metric%]]]]"
        }
        (b"static", true) => {
            "ip addr add %address%/%netmask% dev %device%\n\
             ip link set[[ mtu %mtu%]][[ addr %hwaddress%]] %device% up\n\
             [[ip route add ::/0 via %gateway% dev %device%[[ metric %metric%]]]]"
        }
        (b"static", false) if is_v4 => "ip addr flush dev %device% label %label%\nip link set %own_device% down",
        (b"static", false) => "ip -6 addr flush dev %device% scope global\nip link set %own_device% down",
        (b"dhcp", true) if is_v4 => {
            "ip link set[[ addr %hwaddress%]] %device% up\n\
             udhcpc -R -n -p /var/run/udhcpc.%iface%.pid -i %device%[[ -x hostname:%hostname%]][[ -x 0x3d:%client%]]\
             [[ -V %vendor%]][[ -x lease:%leasetime%]][[ %udhcpc_opts%]]"
        }
        (b"dhcp", true) => {
            "ip link set[[ addr %hwaddress%]] %device% up\n\
             udhcpc6 -R -n -p /var/run/udhcpc6.%iface%.pid -i %device%[[ %udhcpc6_opts%]]"
        }
        (b"dhcp", false) if is_v4 => {
            "test -f /var/run/udhcpc.%iface%.pid && kill `cat /var/run/udhcpc.%iface%.pid` 2>/dev/null\n\
             ip -4 addr flush dev %device%\nip link set %own_device% down"
        }
        (b"dhcp", false) => {
            "test -f /var/run/udhcpc6.%iface%.pid && kill `cat /var/run/udhcpc6.%iface%.pid` 2>/dev/null\n\
             ip -6 addr flush dev %device% scope global\nip link set %own_device% down"
        }
        (b"bootp", true) if is_v4 => {
            "bootpc[[ --bootfile %bootfile%]] --dev %device%[[ --server %server%]][[ --hwaddr %hwaddr%]] \
             --returniffail --serverbcast"
        }
        (b"bootp", false) if is_v4 => "ip link set %own_device% down",
        (b"auto", true) if !is_v4 => "ip link set[[ mtu %mtu%]][[ addr %hwaddress%]] %device% up",
        (b"auto", false) if !is_v4 => "ip link set %own_device% down",
        (b"ppp", true) => "pon[[ %provider%]]",
        (b"ppp", false) => "poff[[ %provider%]]",
        (b"wvdial", true) => "start-stop-daemon --start -x wvdial -p /var/run/wvdial.%iface% -b -m --[[ %provider%]]",
        (b"wvdial", false) => "start-stop-daemon --stop -x wvdial -p /var/run/wvdial.%iface% -s 2",
        (b"tunnel", true) => {
            "ip tunnel add %iface% mode %mode% remote %endpoint%[[ local %local%]][[ ttl %ttl%]]\n\
             ip link set[[ mtu %mtu%]] %iface% up\n\
             [[ip addr add %address%/%netmask% dev %iface%[[ peer %dstaddr%]]]]\n\
             [[ip route add %default% via %gateway% dev %iface%]]"
        }
        (b"v4tunnel", true) if !is_v4 => {
            "ip tunnel add %iface% mode sit remote %endpoint%[[ local %local%]][[ ttl %ttl%]]\n\
             ip link set[[ mtu %mtu%]] %iface% up\n\
             [[ip addr add %address%/%netmask% dev %iface%]]\n\
             [[ip route add ::/0 via %gateway% dev %iface%]]"
        }
        (b"tunnel", false) => "ip tunnel del %iface%",
        (b"v4tunnel", false) if !is_v4 => "ip tunnel del %iface%",
        (b"manual", _) => "",
        _ => return None,
    })
}

/// The commands that configure the interface `name` by a stanza, or undo it.
pub fn commands(stanza: &Stanza, name: &[u8], up: bool) -> Result<Vec<Vec<u8>>> {
    let templates = templates(&stanza.family, &stanza.method, up)
        .ok_or_else(|| Error::parts(&[b"unknown method \"", &stanza.method, b"\""]))?;
    let mut all = Vec::new();
    for template in templates.split('\n').filter(|template| !template.is_empty()) {
        let is_optional = template.starts_with("[[");
        match expand(template.as_bytes(), stanza, name) {
            Some(command) if command.is_empty() => {}
            Some(command) => all.push(command),
            // An alias shares its device.
            None if is_optional || template.contains("%own_device%") => {}
            None => {
                let parts = [&b"don't have all variables for "[..], name, b"/", &stanza.family];
                return Err(Error::parts(&parts));
            }
        }
    }
    Ok(all)
}

/// `None` when an option has no value.
fn expand(template: &[u8], stanza: &Stanza, name: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut rest) = (Vec::new(), template);
    while let Some((&byte, after)) = rest.split_first() {
        if rest.starts_with(b"[[") {
            let (inner, after) = split_brackets(&rest[2..]);
            out.extend(expand(inner, stanza, name).unwrap_or_default());
            rest = after;
        } else if byte == b'%' {
            let (option, after) = bytes::split_once(after, b'%')?;
            out.extend_from_slice(&value(option, stanza, name)?);
            rest = after;
        } else {
            out.push(byte);
            rest = after;
        }
    }
    Some(out)
}

/// What is before the `]]` that ends it, and what follows.
fn split_brackets(template: &[u8]) -> (&[u8], &[u8]) {
    let (mut depth, mut at) = (1, 0);
    while at < template.len() {
        match template.get(at..at + 2) {
            Some(b"[[") => (depth, at) = (depth + 1, at + 2),
            Some(b"]]") => {
                depth -= 1;
                if depth == 0 {
                    return (&template[..at], &template[at + 2..]);
                }
                at += 2;
            }
            _ => at += 1,
        }
    }
    (template, b"")
}

/// The value of an option, or what follows from others.
fn value(option: &[u8], stanza: &Stanza, name: &[u8]) -> Option<Vec<u8>> {
    let given = |option: &[u8]| stanza.options.iter().find(|(known, _)| known == option).map(|(_, value)| &value[..]);
    let (device, is_alias) = bytes::split_once(name, b':').map_or((name, false), |(device, _)| (device, true));
    match option {
        b"iface" => Some(name.to_vec()),
        b"device" => Some(device.to_vec()),
        b"own_device" => (!is_alias).then(|| device.to_vec()),
        b"label" => Some(given(b"label").unwrap_or(name).to_vec()),
        b"default" => Some(if stanza.family == b"inet" { b"default".to_vec() } else { b"::/0".to_vec() }),
        // interfaces(5): the address may have the bits.
        b"address" => {
            given(b"address").map(|address| bytes::split_once(address, b'/').map_or(address, |(it, _)| it).to_vec())
        }
        b"netmask" => {
            let after_slash =
                given(b"address").and_then(|address| bytes::split_once(address, b'/')).map(|(_, bits)| bits);
            let mask = given(b"netmask").or(after_slash);
            let tunnel: &[u8] = if stanza.family == b"inet" { b"32" } else { b"64" };
            let mask = if stanza.method.ends_with(b"tunnel") { mask.or(Some(tunnel)) } else { mask }?;
            Some(match parse_v4(mask).ok().filter(|_| mask.contains(&b'.')).and_then(mask_bits) {
                Some(bits) => text!(bits),
                None => mask.to_vec(),
            })
        }
        // `hwaddress ether MAC`, or the address alone.
        b"hwaddress" => given(option).map(|value| value.strip_prefix(b"ether").unwrap_or(value).trim_ascii().to_vec()),
        option => given(option).map(<[u8]>::to_vec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_parts_are_left_out_as_a_whole() {
        let options = vec![(b"a".to_vec(), b"1".to_vec()), (b"address".to_vec(), b"10.0.0.1/24".to_vec())];
        let stanza = Stanza { options, family: b"inet".to_vec(), ..Stanza::default() };
        let expand = |template: &str| expand(template.as_bytes(), &stanza, b"eth0:1");
        assert_eq!(expand("x[[ -a %a%]][[ -b %b%]] %device% %iface%"), Some(b"x -a 1 eth0 eth0:1".to_vec()));
        assert_eq!(expand("[[x %a%[[ %b%]]]]"), Some(b"x 1".to_vec()));
        assert_eq!(expand("[[x %b%[[ %a%]]]]y"), Some(b"y".to_vec()));
        assert_eq!(expand("%address%/%netmask%"), Some(b"10.0.0.1/24".to_vec()));
        assert_eq!((expand("x %b%"), expand("%own_device%")), (None, None));
    }
}
