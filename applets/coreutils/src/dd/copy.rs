//! The copy itself: blocks in, through the conversions, blocks out.

use rbox_core::prelude::*;
use rbox_core::signals::SIGINT;
use rbox_core::sys::fs::{Advice, fadvise};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::{BorrowedFd, Errno};

use super::convert::Converter;
use super::plan::{Plan, conv, flag};
use super::reader::Reader;
use super::statistics::Statistics;
use super::writer::Writer;

/// Copies all, and reports the statistics, whatever came between.
pub fn run(env: &mut Env, plan: &Plan<'_>, files: [BorrowedFd<'_>; 2], names: [&[u8]; 2]) -> Outcome {
    let mut statistics = Statistics::new(plan.status);
    let mut reader = Reader::new(plan, files[0], names[0])?;
    let mut writer = Writer::new(plan, files[1], names[1], !reader.reads_ahead)?;
    let result = blocks(env, plan, &mut reader, &mut writer, &mut statistics).and_then(|()| writer.finish());
    reader.give_back();
    let interrupted = matches!(&result, Err(error) if error.errno() == Some(Errno::INTR));
    for (file, flags) in [(files[0], plan.iflag), (files[1], plan.oflag)] {
        if flags & flag::NOCACHE != 0 {
            fadvise(file, 0, None, Advice::DontNeed).map_err(|errno| Error::on("nocache", errno))?;
        }
    }
    let mut status = ExitStatus::from_ok(!statistics.failed);
    if let Err(error) = result
        && !interrupted
    {
        status.worsen(env.warn(error));
    }
    statistics.report(env)?;
    if interrupted {
        // Who waits for dd learns that a signal ended it. Neither call can fail.
        let _ = signal::set(SIGINT, Disposition::Default);
        let _ = signal::kill(std::process::id() as i32, SIGINT);
    }
    Ok(status)
}

/// The blocks one by one, as many as are asked for.
fn blocks(
    env: &mut Env,
    plan: &Plan<'_>,
    reader: &mut Reader<'_>,
    writer: &mut Writer<'_>,
    statistics: &mut Statistics,
) -> Result<()> {
    reader.skip(env, statistics)?;
    let mut converter = Converter::new(plan.conv, plan.cbs);
    let converts = plan.conv & conv::REBLOCKS != 0;
    let mut converted = Vec::new();
    let mut left = plan.count.map_or(u64::MAX, |count| count.value);
    let counts_bytes = plan.count.is_some_and(|count| count.is_bytes);
    while left > 0 {
        let (want, bytes_left) = match counts_bytes {
            true => (left.min(plan.ibs as u64) as usize, left),
            false => (plan.ibs, left.saturating_mul(plan.ibs as u64)),
        };
        let Some(block) = reader.block(want, bytes_left, env, statistics)? else { break };
        left -= if counts_bytes { (block.len() as u64).min(left) } else { 1 };
        if converts {
            let content = converter.convert(block, &mut converted);
            statistics.truncated = converter.truncated;
            writer.put(content, env, statistics)?;
        } else {
            writer.put(block, env, statistics)?;
        }
    }
    converter.finish(&mut converted);
    writer.put(&converted, env, statistics)?;
    writer.flush(env, statistics)
}
