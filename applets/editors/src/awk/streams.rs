//! Files and commands that a program opens, writes to the end and closes.

use rbox_core::call;
use rbox_core::env::Env;
use rbox_core::error::{Error, Result};
use rbox_core::io::{Input, Output};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::process::{self, Change};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd};

use awk_machine::io::{Read, Streams, Written};
use awk_machine::machine::Machine;
use awk_machine::program::To;
use awk_machine::seldom::Opened;

/// Opens the output of a redirection: its index.
pub fn open_output(machine: &mut Machine<'_>, to: To, name: &[u8]) -> Result<usize> {
    let (streams, env) = (&mut machine.streams, &mut *machine.env);
    let is_command = to == To::Command;
    let (output, child) = if is_command {
        flush(streams, env)?;
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let child = start(streams, env, name, &reader, 0)?;
        (Output::from_fd(writer), Some(child))
    } else {
        let opened = Output::open(name, to == To::Append);
        (opened.map_err(|errno| Error::cannot("open", name, errno))?, None)
    };
    streams.outputs.push(Written { name: name.to_vec(), output, child });
    Ok(streams.outputs.len() - 1)
}

/// Opens an input: its index.
pub fn open_input(machine: &mut Machine<'_>, is_command: bool, name: &[u8]) -> Result<Opened> {
    let (streams, env) = (&mut machine.streams, &mut *machine.env);
    let (input, child) = if is_command {
        flush(streams, env)?;
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let child = start(streams, env, name, &writer, 1)?;
        (Some(Input::from_fd(reader, name)), Some(child))
    } else if matches!(name, b"-" | b"/dev/stdin") {
        (None, None)
    } else {
        match Input::open(name) {
            Ok(input) => (Some(input), None),
            Err(error) => return Ok(Err(error.errno().unwrap_or(Errno::IO))),
        }
    };
    streams.inputs.push(Read { name: name.to_vec(), input, child, is_command });
    Ok(Ok(streams.inputs.len() - 1))
}

/// Starts `sh -c command`, with `stream` as its descriptor `number`.
fn start(streams: &mut Streams, env: &mut Env, command: &[u8], stream: &OwnedFd, number: i32) -> Result<i32> {
    let child = process::fork_run(|| {
        if fd::redirect(stream.as_fd(), number).is_err() {
            return 126;
        }
        // Only this process writes to the other commands, which end when it closes them.
        *streams = Streams::default();
        shell(env, command)
    });
    Ok(child?)
}

/// Hands everything to the system.
pub fn flush(streams: &mut Streams, env: &mut Env) -> Result<()> {
    env.stdout.flush()?;
    streams.outputs.iter_mut().try_for_each(|one| flush_one(&mut one.output, &one.name))
}

/// `fflush(name)`: 0, or -1 when nothing of that name is open for writing.
pub fn flush_named(streams: &mut Streams, name: &[u8]) -> Result<f64> {
    let mut result = -1.0;
    for one in streams.outputs.iter_mut().filter(|one| one.name == name) {
        flush_one(&mut one.output, &one.name)?;
        result = 0.0;
    }
    Ok(result)
}

/// Closes what is open under that name: the status of a command, 0 for a file, -1 when nothing is.
pub fn close(streams: &mut Streams, env: &mut Env, name: &[u8]) -> Result<f64> {
    let mut result = -1.0;
    if let Some(index) = streams.outputs.iter().position(|one| one.name == name) {
        let Written { mut output, child, name } = streams.outputs.remove(index);
        if child.is_some() {
            // As in gawk and BusyBox, what was printed before precedes what the command prints at the end of its input.
            env.stdout.flush()?;
        }
        flush_one(&mut output, &name)?;
        drop(output);
        result = wait(child);
    }
    if let Some(index) = streams.inputs.iter().position(|one| one.name == name) {
        let Read { input, child, .. } = streams.inputs.remove(index);
        drop(input);
        result = wait(child);
    }
    Ok(result)
}

/// Closes everything, and waits for the commands. The first error is returned, after all was closed.
pub fn close_all(streams: &mut Streams) -> Result<()> {
    let mut result = Ok(());
    for Written { mut output, child, name } in streams.outputs.drain(..) {
        let flushed = flush_one(&mut output, &name);
        drop(output);
        wait(child);
        result = result.and(flushed);
    }
    for Read { input, child, .. } in streams.inputs.drain(..) {
        drop(input);
        wait(child);
    }
    result
}

/// `system(command)`: its status.
pub fn system(streams: &mut Streams, env: &mut Env, command: &[u8]) -> Result<f64> {
    flush(streams, env)?;
    let child = process::fork_run(|| {
        *streams = Streams::default();
        shell(env, command)
    })?;
    Ok(wait(Some(child)))
}

/// Becomes the shell, whatever PATH is, as for popen(3); the status if there is none.
fn shell(env: &mut Env, command: &[u8]) -> u8 {
    let words: [&[u8]; 3] = [b"sh", b"-c", command];
    process::exec(b"/bin/sh", &words, &env.vars.words());
    call::replace(env, &words).0
}

/// The status of a child as awk's functions return it: 256 and the signal's number if one ended it, as in gawk.
fn wait(child: Option<i32>) -> f64 {
    let Some(child) = child else { return 0.0 };
    match process::wait_for(child) {
        Ok(Change::Signaled(signal)) => 256.0 + f64::from(signal),
        Ok(change) => f64::from(change.status()),
        Err(_) => -1.0,
    }
}

/// What a closed pipe or a full disk says names the stream.
fn flush_one(output: &mut Output, name: &[u8]) -> Result<()> {
    output.flush().map_err(|error| Error::on(name, error.errno().unwrap_or(Errno::IO)))
}
