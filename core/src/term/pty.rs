//! A pseudoterminal for a program that is to believe it is on a terminal (pty(7)).

use crate::error::{Error, Result};
use crate::sys::fs::{Mode, OFlags};
use crate::sys::process::{self, ioctl_tiocsctty};
use crate::sys::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use crate::sys::{AsFd, OwnedFd, fd, fs};

/// Both ends of a pseudoterminal.
#[derive(Debug)]
pub struct Pty {
    /// What is written here is typed there, and what the program prints is read here.
    pub master: OwnedFd,
    /// The program's terminal.
    pub slave: OwnedFd,
}

impl Pty {
    /// A new one.
    pub fn open() -> Result<Self> {
        let failed = |errno| Error::on("can't open a pseudoterminal", errno);
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).map_err(failed)?;
        grantpt(&master).map_err(failed)?;
        unlockpt(&master).map_err(failed)?;
        let name = ptsname(&master, Vec::new()).map_err(failed)?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = fs::open(name.to_bytes(), flags, Mode::empty()).map_err(failed)?;
        Ok(Self { master, slave })
    }

    /// In a child: begins a session whose terminal it is, with the standard streams there.
    pub fn enter(&self) -> Result<()> {
        // The child of a fork is no group leader, so this cannot fail.
        let _ = process::setsid();
        ioctl_tiocsctty(&self.slave).map_err(Error::from)?;
        for number in 0..3 {
            fd::redirect(self.slave.as_fd(), number).map_err(Error::from)?;
        }
        Ok(())
    }
}
