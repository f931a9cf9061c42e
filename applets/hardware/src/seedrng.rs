//! `seedrng`: keep the kernel's randomness over a restart: credit the seed of the last run, and make one for the next.
//!
//! A seed file is removed before it is used, so that no seed is credited twice; the new one is a hash of all that went
//! before and of the kernel's own randomness, and is on the disk before it gets its name.

use rbox_core::hash::{self, Algorithm};
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::device::add_entropy;
use rbox_core::sys::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, fsync, openat, renameat, unlinkat};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fs};
use rbox_core::time::Moment;

options! {
    "[-d DIRECTORY] [-n]

Credit the random seed that the last run saved to the kernel, and save a new one.

  -d, --seed-dir=DIRECTORY  Keep seeds in DIRECTORY (/var/lib/seedrng)
  -n, --skip-credit         Do not let the saved seed count as random";
    DIRECTORY = "-d",
    SKIP = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Bytes of a seed: the kernel's pool holds 256 bits.
const SEED: usize = 32;
const CREDITABLE: &[u8] = b"seed.credit";
const OTHER: &[u8] = b"seed.no-credit";

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let path = args.value(DIRECTORY).unwrap_or(b"/var/lib/seedrng");
    match fs::mkdir(path, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(Error::cannot("create directory", path, errno)),
    }
    let failed = |errno| Error::on(path, errno);
    let directory =
        fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    flock(&directory, FlockOperation::LockExclusive).map_err(failed)?;
    let mut status = ExitStatus::SUCCESS;
    let mut hashed = vec![b"rbox seedrng, old and new seeds".to_vec()];
    let now = Moment::now();
    hashed.push([now.seconds.to_ne_bytes(), i64::from(now.nanos).to_ne_bytes()].concat());
    for (name, credits) in [(OTHER, false), (CREDITABLE, !args.has(SKIP))] {
        match spend(&directory, name, credits) {
            Ok(seed) => hashed.push(seed),
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    let (mut seed, is_random) = fresh().map_err(|errno| Error::on("getrandom", errno))?;
    hashed.push(seed.to_vec());
    let parts: Vec<&[u8]> = hashed.iter().map(Vec::as_slice).collect();
    seed.copy_from_slice(&hash::of(Algorithm::Sha256, &parts));
    save(&directory, &seed, if is_random && !args.has(SKIP) { CREDITABLE } else { OTHER })?;
    Ok(status)
}

/// Gives a saved seed to the kernel, once it cannot be read again. Nothing where there is none.
fn spend(directory: &OwnedFd, name: &[u8], credits: bool) -> Result<Vec<u8>> {
    let failed = |errno| Error::on(name, errno);
    let file = match openat(directory.as_fd(), name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
    {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(Vec::new()),
        Err(errno) => return Err(failed(errno)),
    };
    let mut seed = vec![0; 512];
    let length = Input::from_fd(file, name).read(&mut seed)?;
    seed.truncate(length);
    unlinkat(directory.as_fd(), name, AtFlags::empty()).map_err(failed)?;
    fsync(directory).map_err(failed)?;
    let pool = fs::open("/dev/urandom", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let pool = pool.map_err(|errno| Error::cannot("open", b"/dev/urandom", errno))?;
    let bits = if credits { 8 * seed.len() as i32 } else { 0 };
    add_entropy(pool.as_fd(), &seed, bits).map_err(|errno| Error::cannot("credit", name, errno))?;
    Ok(seed)
}

/// Bytes from the kernel, and whether its pool was ready to give random ones.
fn fresh() -> core::result::Result<([u8; SEED], bool), Errno> {
    let mut seed = [0; SEED];
    match getrandom(&mut seed, GetRandomFlags::NONBLOCK) {
        Ok(_) => Ok((seed, true)),
        Err(Errno::AGAIN) => {
            getrandom(&mut seed, GetRandomFlags::INSECURE)?;
            Ok((seed, false))
        }
        Err(errno) => Err(errno),
    }
}

/// Writes the seed as one that does not count, and gives it its name when it is on the disk.
fn save(directory: &OwnedFd, seed: &[u8], name: &[u8]) -> Result<()> {
    let failed = |errno| Error::cannot("create", name, errno);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(directory.as_fd(), OTHER, flags, Mode::from_raw_mode(0o400)).map_err(failed)?;
    let mut output = Output::from_fd(file);
    output.write(seed)?;
    output.flush()?;
    if let Some(file) = output.fd() {
        fsync(file).map_err(failed)?;
    }
    if name != OTHER {
        renameat(directory, OTHER, directory, name).map_err(failed)?;
    }
    fsync(directory).map_err(failed)
}
