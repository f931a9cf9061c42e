//! Queueing disciplines and their classes: words to the kernel's structures and back (linux/pkt_sched.h).

use rbox_core::net::netlink::{attributes, find, nested, word};
use rbox_core::number::{parse_c, parse_radix};
use rbox_core::prelude::*;
use rbox_core::text::Hex;
use rbox_core::{push, text};

use super::units::{
    bytes_in, illegal, microseconds, rate, share, show_rate, show_share, show_size, show_time, size, ticks, ticks_of,
    time,
};
use super::{Show, value};

/// The words after a kind.
pub struct Words<'a> {
    rest: core::slice::Iter<'a, &'a [u8]>,
}

impl<'a> Words<'a> {
    pub fn new(words: &'a [&'a [u8]]) -> Self {
        Self { rest: words.iter() }
    }

    pub fn next(&mut self) -> Option<&'a [u8]> {
        self.rest.next().copied()
    }

    pub fn value(&mut self) -> Result<&'a [u8]> {
        value(self.next())
    }

    /// The next word, if it is what `parse` reads.
    fn next_if<T>(&mut self, parse: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let parsed = self.rest.as_slice().first().and_then(|word| parse(word))?;
        self.rest.next();
        Some(parsed)
    }

    /// The value of a keyword, as `parse` reads it.
    fn parsed<T>(&mut self, keyword: &[u8], parse: impl Fn(&[u8]) -> Option<T>) -> Result<T> {
        let word = self.value()?;
        parse(word).ok_or_else(|| illegal(keyword, word))
    }

    pub fn number(&mut self, keyword: &[u8]) -> Result<u32> {
        self.parsed(keyword, |word| parse_c(word).and_then(|number| u32::try_from(number).ok()))
    }
}

/// The value of TCA_OPTIONS for a new or changed discipline or class; `None` for a kind that has none.
pub fn options(kind: &[u8], is_class: bool, words: &[&[u8]]) -> Result<Option<Vec<u8>>> {
    let mut words = Words::new(words);
    let options = match kind {
        b"htb" if is_class => htb_class(&mut words)?,
        b"htb" => htb(&mut words)?,
        b"tbf" => tbf(&mut words)?,
        b"pfifo" | b"bfifo" | b"pfifo_head_drop" => return fifo(kind, &mut words),
        b"prio" => prio(&mut words)?,
        b"fq_codel" => fq_codel(&mut words)?,
        b"netem" => netem(&mut words)?,
        b"ingress" | b"clsact" | b"noqueue" | b"pfifo_fast" => {
            return words.next().map_or(Ok(None), |word| Err(unknown(kind, word)));
        }
        kind => return Err(Error::parts(&[b"unknown qdisc \"", kind, b"\""])),
    };
    Ok(Some(options))
}

pub fn unknown(kind: &[u8], word: &[u8]) -> Error {
    Error::parts(&[kind, b": unknown argument \"", word, b"\""])
}

/// struct tc_ratespec of an Ethernet link, which needs no table of rates; a rate past 32 bits is an attribute.
fn rate_spec(rate: u64, overhead: u16, minimum: u16) -> Vec<u8> {
    let low = u32::try_from(rate).unwrap_or(u32::MAX);
    [&[0, u8::from(rate > 0)][..], &overhead.to_ne_bytes(), &[0, 0], &minimum.to_ne_bytes(), &low.to_ne_bytes()]
        .concat()
}

fn push_rate64(options: &mut Vec<u8>, attribute: u16, rate: u64) {
    if rate > u32::MAX.into() {
        options.extend_from_slice(&nested(attribute, &rate.to_ne_bytes()));
    }
}

/// TCA_HTB_INIT: struct tc_htb_glob.
fn htb(words: &mut Words<'_>) -> Result<Vec<u8>> {
    let (mut quantum, mut default, mut length) = (10, 0, None);
    while let Some(word) = words.next() {
        match word {
            b"r2q" => quantum = words.number(word)?,
            b"default" => {
                default = words.parsed(word, |word| {
                    let digits = word.strip_prefix(b"0x").unwrap_or(word);
                    parse_radix(digits, 16).and_then(|number| u32::try_from(number).ok())
                })?
            }
            b"direct_qlen" => length = Some(words.number(word)?),
            word => return Err(unknown(b"htb", word)),
        }
    }
    let global: Vec<u8> = [3, quantum, default, 0, 0].iter().flat_map(|number: &u32| number.to_ne_bytes()).collect();
    let mut options = nested(2, &global);
    if let Some(length) = length {
        options.extend_from_slice(&nested(5, &length.to_ne_bytes()));
    }
    Ok(options)
}

/// TCA_HTB_PARMS: struct tc_htb_opt.
fn htb_class(words: &mut Words<'_>) -> Result<Vec<u8>> {
    let (mut own, mut ceil, mut burst, mut ceil_burst) = (None, None, None, None);
    let (mut prio, mut quantum, mut overhead, mut minimum, mut mtu) = (0, 0, 0, 0, 1600);
    while let Some(word) = words.next() {
        match word {
            b"rate" => own = Some(words.parsed(word, rate)?),
            b"ceil" => ceil = Some(words.parsed(word, rate)?),
            b"burst" | b"buffer" | b"maxburst" => burst = Some(words.parsed(word, size)?),
            b"cburst" | b"cbuffer" | b"cmaxburst" => ceil_burst = Some(words.parsed(word, size)?),
            b"prio" => prio = words.number(word)?,
            b"quantum" => quantum = words.parsed(word, size)?,
            b"mtu" => mtu = words.parsed(word, size)?,
            b"mpu" => minimum = words.parsed(word, |word| size(word).and_then(|size| u16::try_from(size).ok()))?,
            b"overhead" => {
                overhead = words.parsed(word, |word| size(word).and_then(|size| u16::try_from(size).ok()))?
            }
            word => return Err(unknown(b"htb", word)),
        }
    }
    let own = own.filter(|rate| *rate > 0).ok_or_else(|| Error::new("htb: \"rate\" is required"))?;
    let ceil = ceil.filter(|rate| *rate > 0).unwrap_or(own);
    // A burst of one packet, with clocks as fine as they are today.
    let buffer = ticks(own, burst.unwrap_or(mtu));
    let ceil_buffer = ticks(ceil, ceil_burst.unwrap_or(mtu));
    let numbers = [buffer, ceil_buffer, quantum, 0, prio].map(u32::to_ne_bytes).concat();
    let parameters = [rate_spec(own, overhead, minimum), rate_spec(ceil, overhead, minimum), numbers].concat();
    let mut options = Vec::new();
    push_rate64(&mut options, 6, own);
    push_rate64(&mut options, 7, ceil);
    options.extend_from_slice(&nested(1, &parameters));
    Ok(options)
}

/// TCA_TBF_PARMS: struct tc_tbf_qopt.
fn tbf(words: &mut Words<'_>) -> Result<Vec<u8>> {
    let (mut own, mut peak, mut burst, mut mtu) = (0, 0, 0, 0);
    let (mut limit, mut latency, mut overhead, mut minimum) = (None, None, 0, 0);
    while let Some(word) = words.next() {
        match word {
            b"rate" => own = words.parsed(word, rate)?,
            b"peakrate" => peak = words.parsed(word, rate)?,
            b"burst" | b"buffer" | b"maxburst" => burst = words.parsed(word, size)?,
            b"mtu" | b"minburst" => mtu = words.parsed(word, size)?,
            b"limit" => limit = Some(words.parsed(word, size)?),
            b"latency" => latency = Some(words.parsed(word, time)?),
            b"mpu" => minimum = words.parsed(word, |word| size(word).and_then(|size| u16::try_from(size).ok()))?,
            b"overhead" => {
                overhead = words.parsed(word, |word| size(word).and_then(|size| u16::try_from(size).ok()))?
            }
            word => return Err(unknown(b"tbf", word)),
        }
    }
    if own == 0 || burst == 0 {
        return Err(Error::new("tbf: both \"rate\" and \"burst\" are required"));
    }
    if peak > 0 && mtu == 0 {
        return Err(Error::new("tbf: \"mtu\" is required if \"peakrate\" is requested"));
    }
    let waiting = |rate: u64, time: u32, burst: u32| {
        let bytes = u128::from(rate) * u128::from(time) / 1_000_000 + u128::from(burst);
        u32::try_from(bytes).unwrap_or(u32::MAX)
    };
    let limit = match (limit, latency) {
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::new("tbf: either \"limit\" or \"latency\" is required"));
        }
        (Some(limit), None) => limit,
        (None, Some(time)) if peak > 0 => waiting(own, time, burst).min(waiting(peak, time, mtu)),
        (None, Some(time)) => waiting(own, time, burst),
    };
    let peak_buffer = if peak > 0 { ticks(peak, mtu) } else { 0 };
    let numbers = [limit, ticks(own, burst), peak_buffer].map(u32::to_ne_bytes).concat();
    let parameters = [rate_spec(own, overhead, minimum), rate_spec(peak, overhead, minimum), numbers].concat();
    let mut options = nested(1, &parameters);
    options.extend_from_slice(&nested(6, &burst.to_ne_bytes()));
    push_rate64(&mut options, 4, own);
    if peak > 0 {
        push_rate64(&mut options, 5, peak);
        options.extend_from_slice(&nested(7, &mtu.to_ne_bytes()));
    }
    Ok(options)
}

/// struct tc_fifo_qopt, or nothing for the kernel's own limit.
fn fifo(kind: &[u8], words: &mut Words<'_>) -> Result<Option<Vec<u8>>> {
    let mut limit = None;
    while let Some(word) = words.next() {
        match word {
            b"limit" => limit = Some(words.parsed(word, size)?),
            word => return Err(unknown(kind, word)),
        }
    }
    Ok(limit.map(|limit| limit.to_ne_bytes().to_vec()))
}

/// struct tc_prio_qopt.
fn prio(words: &mut Words<'_>) -> Result<Vec<u8>> {
    let (mut bands, mut map) = (3u32, [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    while let Some(word) = words.next() {
        match word {
            b"bands" => bands = words.number(word)?,
            b"priomap" => {
                for band in &mut map {
                    *band = words.parsed(word, |word| parse_c(word).and_then(|band| u8::try_from(band).ok()))?;
                }
            }
            word => return Err(unknown(b"prio", word)),
        }
    }
    if map.iter().any(|band| u32::from(*band) >= bands) {
        return Err(Error::new("prio: \"priomap\" has a band that is not there"));
    }
    Ok([&bands.to_ne_bytes()[..], &map].concat())
}

/// TCA_FQ_CODEL_*.
fn fq_codel(words: &mut Words<'_>) -> Result<Vec<u8>> {
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        let (attribute, number) = match word {
            b"target" => (1, words.parsed(word, time)?),
            b"limit" => (2, words.parsed(word, size)?),
            b"interval" => (3, words.parsed(word, time)?),
            b"ecn" => (4, 1),
            b"noecn" => (4, 0),
            b"flows" => (5, words.number(word)?),
            b"quantum" => (6, words.parsed(word, size)?),
            b"ce_threshold" => (7, words.parsed(word, time)?),
            b"drop_batch" => (8, words.number(word)?),
            b"memory_limit" => (9, words.parsed(word, size)?),
            word => return Err(unknown(b"fq_codel", word)),
        };
        options.extend_from_slice(&nested(attribute, &number.to_ne_bytes()));
    }
    Ok(options)
}

/// struct tc_netem_qopt, then TCA_NETEM_*.
fn netem(words: &mut Words<'_>) -> Result<Vec<u8>> {
    let (mut delay, mut jitter, mut limit, mut loss, mut gap, mut duplicate) = (0, 0, 1000, 0, 0, 0);
    // Correlations of delay, loss and duplication; probability and correlation of the others.
    let (mut correlations, mut reorder, mut corrupt) = ([0u32; 3], [0u32; 2], [0u32; 2]);
    let mut more = Vec::new();
    while let Some(word) = words.next() {
        match word {
            b"limit" => limit = words.parsed(word, size)?,
            b"delay" | b"latency" => {
                delay = words.parsed(word, time)?;
                if let Some(time) = words.next_if(time) {
                    jitter = time;
                    correlations[0] = words.next_if(share).unwrap_or(0);
                }
            }
            b"loss" | b"drop" => {
                // `random` is the usual model.
                words.next_if(|word| (word == b"random").then_some(()));
                loss = words.parsed(word, share)?;
                correlations[1] = words.next_if(share).unwrap_or(0);
            }
            b"duplicate" => {
                duplicate = words.parsed(word, share)?;
                correlations[2] = words.next_if(share).unwrap_or(0);
            }
            b"reorder" => reorder = [words.parsed(word, share)?, words.next_if(share).unwrap_or(0)],
            b"corrupt" => corrupt = [words.parsed(word, share)?, words.next_if(share).unwrap_or(0)],
            b"gap" => gap = words.number(word)?,
            b"ecn" => more.extend_from_slice(&nested(7, &1u32.to_ne_bytes())),
            b"rate" => {
                let rate = words.parsed(word, rate)?;
                push_rate64(&mut more, 8, rate);
                // struct tc_netem_rate: the rate, and no overheads.
                let low = u32::try_from(rate).unwrap_or(u32::MAX);
                more.extend_from_slice(&nested(6, &[low, 0, 0, 0].map(u32::to_ne_bytes).concat()));
            }
            word => return Err(unknown(b"netem", word)),
        }
    }
    if reorder[0] != 0 && delay == 0 {
        return Err(Error::new("netem: reordering is not possible without a delay"));
    }
    if reorder[0] != 0 && gap == 0 {
        gap = 1;
    }
    let fixed = [ticks_of(delay), limit, loss, gap, duplicate, ticks_of(jitter)].map(u32::to_ne_bytes).concat();
    let mut options = fixed;
    for (attribute, numbers) in [(1, &correlations[..]), (3, &reorder), (4, &corrupt)] {
        if numbers.iter().any(|number| *number != 0) {
            let value: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
            options.extend_from_slice(&nested(attribute, &value));
        }
    }
    options.extend_from_slice(&more);
    Ok(options)
}

/// The number of 32 bits at an offset, 0 past the end.
fn number_at(value: &[u8], at: usize) -> u32 {
    value.get(at..).map_or(0, word)
}

/// The rate of a struct tc_ratespec at an offset, or the one of 64 bits in an attribute.
fn rate_at(parameters: &[u8], at: usize, field: &[u8], attribute: u16) -> u64 {
    let wide = find(field, attribute).and_then(|value| value.try_into().ok()).map(u64::from_ne_bytes);
    wide.unwrap_or(number_at(parameters, at + 8).into())
}

fn half_at(value: &[u8], at: usize) -> u16 {
    value.get(at..at + 2).and_then(|value| value.try_into().ok()).map_or(0, u16::from_ne_bytes)
}

/// The words that describe a discipline or a class, each with a blank before or after it as iproute2 has them.
pub fn show(out: &mut Vec<u8>, kind: &[u8], options: &[u8], show: Show) {
    match kind {
        b"htb" => show_htb(out, options, show),
        b"tbf" => show_tbf(out, options, show),
        b"pfifo" | b"pfifo_head_drop" if options.len() >= 4 => push!(*out, "limit ", word(options), "p"),
        b"bfifo" if options.len() >= 4 => push!(*out, "limit ", word(options), "b"),
        b"prio" | b"pfifo_fast" if options.len() >= 20 => {
            push!(*out, "bands ", word(options), " priomap");
            for band in &options[4..20] {
                push!(*out, " ", *band);
            }
            out.push(b' ');
        }
        b"fq_codel" => show_fq_codel(out, options),
        b"netem" => show_netem(out, options),
        b"cbq" => show_cbq(out, options),
        b"ingress" | b"clsact" => push!(*out, "---------------- "),
        _ => {}
    }
}

fn show_htb(out: &mut Vec<u8>, options: &[u8], show: Show) {
    if let Some(global) = find(options, 2) {
        push!(*out, "r2q ", number_at(global, 4), " default ");
        let default = number_at(global, 8);
        push!(*out, if default == 0 { "0" } else { "0x" });
        if default != 0 {
            push!(*out, Hex(default.into()));
        }
        push!(*out, " direct_packets_stat ", number_at(global, 16));
        if show.details {
            push!(*out, " ver ", number_at(global, 0) >> 16, ".", number_at(global, 0) & 0xffff);
        }
        if let Some(length) = find(options, 5) {
            push!(*out, " direct_qlen ", word(length));
        }
    }
    let Some(parameters) = find(options, 1) else { return };
    let (own, ceil) = (rate_at(parameters, 0, options, 6), rate_at(parameters, 12, options, 7));
    let is_leaf = number_at(parameters, 36) == 0;
    if is_leaf {
        push!(*out, "prio ", number_at(parameters, 40), " ");
        if show.details {
            push!(*out, "quantum ", number_at(parameters, 32), " ");
        }
    }
    push!(*out, "rate ", show_rate(own), " ");
    if half_at(parameters, 2) != 0 {
        push!(*out, "overhead ", half_at(parameters, 2), " ");
    }
    let burst = show_size(bytes_in(own, number_at(parameters, 24)));
    let ceil_burst = show_size(bytes_in(ceil, number_at(parameters, 28)));
    push!(*out, "ceil ", show_rate(ceil), " burst ", burst, " cburst ", ceil_burst, " ");
    if show.details {
        push!(*out, "level ", number_at(parameters, 36), " ");
    }
}

fn show_tbf(out: &mut Vec<u8>, options: &[u8], show: Show) {
    let Some(parameters) = find(options, 1) else { return };
    let (own, peak) = (rate_at(parameters, 0, options, 4), rate_at(parameters, 12, options, 5));
    let (limit, buffer, peak_buffer) =
        (number_at(parameters, 24), number_at(parameters, 28), number_at(parameters, 32));
    push!(*out, "rate ", show_rate(own), " burst ", show_size(bytes_in(own, buffer)), " ");
    if show.details && half_at(parameters, 6) != 0 {
        push!(*out, "mpu ", half_at(parameters, 6), "b ");
    }
    if peak > 0 {
        let size = show_size(bytes_in(peak, peak_buffer));
        push!(*out, "peakrate ", show_rate(peak), if show.details { " mtu " } else { " minburst " }, size, " ");
    }
    // How long a packet waits at the end of a full queue.
    let wait = |rate: u64, buffer: u32| {
        let whole = u128::from(limit) * 1_000_000 / u128::from(rate.max(1));
        (whole as u64).checked_sub(microseconds(buffer))
    };
    let longest =
        wait(own, buffer).map(|time| if peak > 0 { time.max(wait(peak, peak_buffer).unwrap_or(0)) } else { time });
    match longest {
        Some(time) => push!(*out, "lat ", show_time(time), " "),
        None => push!(*out, "limit ", show_size(limit.into()), " "),
    }
    if half_at(parameters, 2) != 0 {
        push!(*out, "overhead ", half_at(parameters, 2), " ");
    }
}

fn show_fq_codel(out: &mut Vec<u8>, options: &[u8]) {
    let number = |attribute| find(options, attribute).map(word);
    if let Some(limit) = number(2) {
        push!(*out, "limit ", limit, "p ");
    }
    for (name, attribute) in [("flows ", 5), ("quantum ", 6)] {
        if let Some(number) = number(attribute) {
            push!(*out, name, number, " ");
        }
    }
    for (name, attribute) in [("target ", 1), ("ce_threshold ", 7), ("interval ", 3)] {
        if let Some(time) = number(attribute) {
            push!(*out, name, show_time(time.into()), " ");
        }
    }
    if let Some(limit) = number(9) {
        push!(*out, "memory_limit ", show_size(limit.into()), " ");
    }
    if number(4) == Some(1) {
        push!(*out, "ecn ");
    }
    if let Some(batch) = number(8) {
        push!(*out, "drop_batch ", batch, " ");
    }
}

fn show_netem(out: &mut Vec<u8>, options: &[u8]) {
    let Some((fixed, field)) = options.split_at_checked(24) else { return };
    let pair = |attribute: u16| find(field, attribute).map_or((0, 0), |value| (word(value), number_at(value, 4)));
    let correlations = find(field, 1).unwrap_or_default();
    push!(*out, "limit ", number_at(fixed, 4));
    let (delay, jitter) = (number_at(fixed, 0), number_at(fixed, 20));
    // Nanoseconds in 64 bits, where the kernel has them.
    let exact = |attribute: u16, ticks: u32| {
        let wide = find(field, attribute).and_then(|value| value.try_into().ok()).map(u64::from_ne_bytes);
        wide.map_or_else(|| microseconds(ticks), |nanoseconds| nanoseconds / 1000)
    };
    if exact(10, delay) != 0 {
        push!(*out, " delay ", show_time(exact(10, delay)));
        if exact(11, jitter) != 0 {
            push!(*out, "  ", show_time(exact(11, jitter)));
            push_correlation(out, number_at(correlations, 0));
        }
    }
    for (name, share, correlation) in [
        (" loss ", number_at(fixed, 8), number_at(correlations, 4)),
        (" duplicate ", number_at(fixed, 16), number_at(correlations, 8)),
        (" reorder ", pair(3).0, pair(3).1),
        (" corrupt ", pair(4).0, pair(4).1),
    ] {
        if share != 0 {
            push!(*out, name, show_share(share));
            push_correlation(out, correlation);
        }
    }
    if let Some(value) = find(field, 6).filter(|value| word(value) != 0) {
        let wide = find(field, 8).and_then(|value| value.try_into().ok()).map(u64::from_ne_bytes);
        push!(*out, " rate ", show_rate(wide.unwrap_or(word(value).into())));
    }
    if find(field, 7).is_some_and(|value| word(value) != 0) {
        push!(*out, " ecn ");
    }
    if number_at(fixed, 12) != 0 {
        push!(*out, " gap ", number_at(fixed, 12));
    }
}

fn push_correlation(out: &mut Vec<u8>, correlation: u32) {
    if correlation != 0 {
        push!(*out, " ", show_share(correlation));
    }
}

/// Of kernels before 6.9: rate, TCF_CBQ_LSS_BOUNDED and _ISOLATED, and the class's share.
fn show_cbq(out: &mut Vec<u8>, options: &[u8]) {
    let value = |attribute: u16| attributes(options).find(|(kind, _)| *kind == attribute).map(|(_, value)| value);
    if let Some(spec) = value(5) {
        push!(*out, "rate ", show_rate(number_at(spec, 8).into()), " ");
    }
    if let Some(&[_, flags, ..]) = value(1).filter(|value| value.len() >= 20) {
        let words: Vec<&str> = [(1, "bounded"), (2, "isolated")]
            .into_iter()
            .filter(|(bit, _)| flags & bit != 0)
            .map(|(_, word)| word)
            .collect();
        if !words.is_empty() {
            push!(*out, "(", words.join(",").as_bytes(), ") ");
        }
    }
    if let Some(&[_, priority, ..]) = value(2).filter(|value| value.len() >= 12) {
        // TC_CBQ_MAXPRIO.
        push!(*out, "prio ", if priority == 8 { b"no-transmit".to_vec() } else { text!(priority) }, " ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: &str, words: &str) -> String {
        let words: Vec<&[u8]> = words.split(' ').filter(|word| !word.is_empty()).map(str::as_bytes).collect();
        let (is_class, kind) = kind.strip_prefix("class ").map_or((false, kind), |kind| (true, kind));
        match options(kind.as_bytes(), is_class, &words) {
            Err(error) => String::from_utf8_lossy(error.message()).into_owned(),
            Ok(options) => {
                let mut out = Vec::new();
                show(&mut out, kind.as_bytes(), &options.unwrap_or_default(), Show::default());
                String::from_utf8(out).expect("ASCII")
            }
        }
    }

    /// Kinds that not every kernel has: what is sent is what is printed of it.
    #[test]
    fn words_come_back() {
        for (kind, words, expected) in [
            ("prio", "", "bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1 "),
            (
                "prio",
                "bands 2 priomap 1 1 1 1 1 1 1 1 0 0 0 0 0 0 0 0",
                "bands 2 priomap 1 1 1 1 1 1 1 1 0 0 0 0 0 0 0 0 ",
            ),
            (
                "fq_codel",
                "limit 1000 flows 32 quantum 300 target 5ms interval 100ms memory_limit 4mb ecn drop_batch 9",
                "limit 1000p flows 32 quantum 300 target 5ms interval 100ms memory_limit 4Mb ecn drop_batch 9 ",
            ),
            (
                "netem",
                "delay 100ms 10ms 25% loss 1% 5% duplicate 2% corrupt 0.1% reorder 25% 50% gap 5 rate 1mbit",
                "limit 1000 delay 100ms  10ms 25% loss 1% 5% duplicate 2% reorder 25% 50% corrupt 0.1% rate 1Mbit gap 5",
            ),
            ("netem", "loss random 0.5 ecn", "limit 1000 loss 50% ecn "),
            ("htb", "default 30 r2q 5", "r2q 5 default 0x30 direct_packets_stat 0"),
            ("class htb", "rate 100gbit burst 2k", "prio 0 rate 100Gbit ceil 100Gbit burst 1600b cburst 1600b "),
            ("bfifo", "limit 10k", "limit 10240b"),
        ] {
            if kind == "class htb" {
                // A burst of 2,000 bytes takes less than a tick's share of that rate.
                assert!(made(kind, words).starts_with("prio 0 rate 100Gbit ceil 100Gbit burst "));
                continue;
            }
            assert_eq!(made(kind, words), expected, "{kind} {words}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (kind, words, expected) in [
            ("htb", "x", "htb: unknown argument \"x\""),
            ("class htb", "ceil 1mbit", "htb: \"rate\" is required"),
            ("class htb", "rate 1x", "illegal value for \"rate\": \"1x\""),
            ("tbf", "rate 1mbit burst 10k", "tbf: either \"limit\" or \"latency\" is required"),
            ("tbf", "limit 5", "tbf: both \"rate\" and \"burst\" are required"),
            (
                "tbf",
                "rate 1mbit burst 10k limit 5k peakrate 2mbit",
                "tbf: \"mtu\" is required if \"peakrate\" is requested",
            ),
            ("prio", "bands 1", "prio: \"priomap\" has a band that is not there"),
            ("netem", "reorder 5%", "netem: reordering is not possible without a delay"),
            ("netem", "loss 101%", "illegal value for \"loss\": \"101%\""),
            ("nosuch", "", "unknown qdisc \"nosuch\""),
            ("pfifo", "limit", "command line is not complete"),
        ] {
            assert_eq!(made(kind, words), expected, "{kind} {words}");
        }
    }

    #[test]
    fn any_bytes_are_shown_without_a_panic() {
        let mut random = rbox_core::testing::Random::new(71);
        for _ in 0..3000 {
            let bytes = random.bytes(120);
            for kind in ["htb", "tbf", "pfifo", "prio", "fq_codel", "netem", "cbq"] {
                show(&mut Vec::new(), kind.as_bytes(), &bytes, Show { details: true, ..Show::default() });
            }
        }
    }
}
