//! Addresses that a server gave, and the file that keeps them: the time of writing (64 bits), then for each lease the
//! seconds that are left (32 bits), address, hardware address, 20 bytes of name, 2 of nothing. All in network order.

use core::net::Ipv4Addr;
use std::collections::BTreeMap;

use rbox_core::files::replace;
use rbox_core::io;
use rbox_core::prelude::*;

pub const HEADER: usize = 8;
pub const RECORD: usize = 36;
/// Bytes of a name with the NUL at its end.
const NAME: usize = 20;

/// Who has an address, and for how long.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Zeros when it is nobody's, but another host uses it.
    pub hardware: [u8; 6],
    /// Seconds of the clock that the caller counts by.
    pub ends: u64,
    pub name: Vec<u8>,
}

/// The leases by their addresses.
pub type Leases = BTreeMap<Ipv4Addr, Lease>;

/// The lease of that host.
pub fn of_host(leases: &Leases, hardware: [u8; 6]) -> Option<Ipv4Addr> {
    leases.iter().find(|(_, lease)| lease.hardware == hardware).map(|(address, _)| *address)
}

/// One record of a file: seconds that were left, address, and the lease without its end.
pub fn parse_record(record: &[u8]) -> Option<(u32, Ipv4Addr, Lease)> {
    let record = <&[u8; RECORD]>::try_from(record).ok()?;
    let left = u32::from_be_bytes([record[0], record[1], record[2], record[3]]);
    let address = Ipv4Addr::new(record[4], record[5], record[6], record[7]);
    let name = record[14..14 + NAME - 1].split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
    Some((left, address, Lease { hardware: record[8..14].try_into().ok()?, ends: 0, name }))
}

/// The leases of a file of which less than their time has passed since it was written, at most `most`.
///
/// `wall` is the time of day, `now` that of the clock which the ends of the leases count by, both in seconds.
pub fn read(path: &[u8], wall: u64, now: u64, most: usize) -> Result<Leases> {
    let content = io::read_file(path)?;
    let mut leases = Leases::new();
    let Some((written, records)) = content.split_first_chunk::<HEADER>() else { return Ok(leases) };
    let passed = wall.saturating_sub(u64::from_be_bytes(*written));
    for record in records.chunks_exact(RECORD).take(most) {
        if let Some((left, address, lease)) = parse_record(record)
            && let Some(left) = u64::from(left).checked_sub(passed).filter(|left| *left > 0)
        {
            leases.insert(address, Lease { ends: now + left, ..lease });
        }
    }
    Ok(leases)
}

/// Writes the file anew; clocks as for `read`.
pub fn write(path: &[u8], leases: &Leases, wall: u64, now: u64) -> Result<()> {
    let mut content = wall.to_be_bytes().to_vec();
    for (address, lease) in leases {
        let left = u32::try_from(lease.ends.saturating_sub(now)).unwrap_or(u32::MAX);
        content.extend_from_slice(&left.to_be_bytes());
        content.extend_from_slice(&address.octets());
        content.extend_from_slice(&lease.hardware);
        let name = &lease.name[..lease.name.len().min(NAME - 1)];
        content.extend_from_slice(name);
        content.resize(content.len() + RECORD - 14 - name.len(), 0);
    }
    replace(path, &content, false)
}
