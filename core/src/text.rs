//! Text made of parts: words, numbers, addresses, columns.
//!
//! What `format!` would do, in a fraction of its code and without the tables of functions that the start of the program
//! would relocate.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::number::Decimal;

/// What can be in a text.
pub trait Push {
    /// Adds the part to the end of `text`.
    fn push_to(self, text: &mut Vec<u8>);
}

/// The text of all parts, one after the other, as `Vec<u8>`: `text!("mtu ", link.mtu, "\n")`.
#[macro_export]
macro_rules! text {
    ($($part:expr),* $(,)?) => {{
        let mut text: Vec<u8> = Vec::new();
        $crate::push!(text, $($part),*);
        text
    }};
}

/// Adds parts to the end of a text: `push!(line, " via ", gateway)`.
#[macro_export]
macro_rules! push {
    ($text:expr, $($part:expr),* $(,)?) => {{
        $($crate::text::Push::push_to($part, &mut $text);)*
    }};
}

impl Push for &[u8] {
    fn push_to(self, text: &mut Vec<u8>) {
        text.extend_from_slice(self);
    }
}

impl<const N: usize> Push for &[u8; N] {
    fn push_to(self, text: &mut Vec<u8>) {
        text.extend_from_slice(self);
    }
}

impl Push for &str {
    fn push_to(self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.as_bytes());
    }
}

impl Push for &Vec<u8> {
    fn push_to(self, text: &mut Vec<u8>) {
        text.extend_from_slice(self);
    }
}

impl Push for Vec<u8> {
    fn push_to(self, text: &mut Vec<u8>) {
        text.extend_from_slice(&self);
    }
}

/// Unsigned numbers are written in decimal.
macro_rules! decimal {
    ($($number:ty)*) => {
        $(impl Push for $number {
            fn push_to(self, text: &mut Vec<u8>) {
                push_decimal(self as u64, text);
            }
        })*
    };
}

decimal!(u8 u16 u32 u64 usize);

fn push_decimal(number: u64, text: &mut Vec<u8>) {
    text.extend_from_slice(Decimal::new(number).as_bytes());
}

/// A signed number is written in decimal, with a minus below 0.
impl Push for i64 {
    fn push_to(self, text: &mut Vec<u8>) {
        if self < 0 {
            text.push(b'-');
        }
        push_decimal(self.unsigned_abs(), text);
    }
}

/// A number in hexadecimal, without a prefix.
#[derive(Clone, Copy, Debug)]
pub struct Hex(pub u64);

impl Push for Hex {
    fn push_to(self, text: &mut Vec<u8>) {
        let digits = (64 - self.0.leading_zeros()).div_ceil(4).max(1);
        for at in (0..digits).rev() {
            text.push(b"0123456789abcdef"[(self.0 >> (4 * at)) as usize & 15]);
        }
    }
}

/// A part in a column of at least so many bytes, blanks after it.
#[derive(Clone, Copy, Debug)]
pub struct Left<P>(pub P, pub usize);

impl<P: Push> Push for Left<P> {
    fn push_to(self, text: &mut Vec<u8>) {
        let end = text.len() + self.1;
        self.0.push_to(text);
        text.resize(text.len().max(end), b' ');
    }
}

/// A part in a column of at least so many bytes, the third field before it: blanks, or zeros for a number.
#[derive(Clone, Copy, Debug)]
pub struct Right<P>(pub P, pub usize, pub u8);

impl<P: Push> Push for Right<P> {
    fn push_to(self, text: &mut Vec<u8>) {
        let start = text.len();
        self.0.push_to(text);
        let length = text.len() - start;
        if length < self.1 {
            text.resize(start + self.1, self.2);
            text[start..].rotate_left(length);
            text[start..start + self.1 - length].fill(self.2);
        }
    }
}

impl Push for Ipv4Addr {
    fn push_to(self, text: &mut Vec<u8>) {
        for (index, number) in self.octets().into_iter().enumerate() {
            if index > 0 {
                text.push(b'.');
            }
            push_decimal(number.into(), text);
        }
    }
}

/// RFC 5952: the longest run of two or more zeros, the first of equals, is `::`; an IPv4 address in an IPv6 one keeps
/// its form after `::ffff:`.
impl Push for Ipv6Addr {
    fn push_to(self, text: &mut Vec<u8>) {
        if let Some(mapped) = self.to_ipv4_mapped() {
            push!(*text, "::ffff:", mapped);
            return;
        }
        let groups = self.segments();
        let run = |start: usize| groups[start..].iter().take_while(|group| **group == 0).count();
        let (mut zeros, mut count) = (groups.len(), 1);
        for start in 0..groups.len() {
            if run(start) > count {
                (zeros, count) = (start, run(start));
            }
        }
        let mut at = 0;
        while at < groups.len() {
            if at == zeros {
                text.extend_from_slice(b"::");
                at += count;
                continue;
            }
            if at > 0 && at != zeros + count {
                text.push(b':');
            }
            Hex(groups[at].into()).push_to(text);
            at += 1;
        }
    }
}

impl Push for IpAddr {
    fn push_to(self, text: &mut Vec<u8>) {
        match self {
            Self::V4(address) => address.push_to(text),
            Self::V6(address) => address.push_to(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_one_another() {
        let name = b"eth0".to_vec();
        assert_eq!(text!(2u32, ": ", &name, b"@", -5i64, Hex(0xbeef), Hex(0)), b"2: eth0@-5beef0");
        assert_eq!(text!(Left("ab", 4), Right(7u8, 3, b'0'), Right("long", 2, b' '), "|"), b"ab  007long|");
        assert_eq!(text!(Right(123u64, 5, b' ')), b"  123");
    }

    #[test]
    fn addresses_have_the_form_of_rfc_5952() {
        for address in [
            "10.0.2.15",
            "::",
            "::1",
            "1::",
            "fe80::5054:ff:fe12:3456",
            "2001:db8:0:1:1:1:1:1",
            "2001:db8::1:0:0:1",
            "1:0:0:2::3",
            "::ffff:10.0.0.1",
            "0:0:1::",
        ] {
            let parsed: IpAddr = address.parse().expect("an address");
            assert_eq!(text!(parsed), address.as_bytes());
        }
    }
}
