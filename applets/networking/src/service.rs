//! What the servers of this group share: children that serve peers, and who they run as.

use core::net::{IpAddr, SocketAddr};

use rbox_core::net::sockets::{address_of, text};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::net::{SocketFlags, acceptfrom_with};
use rbox_core::sys::process::{self, Change, WaitOptions};
use rbox_core::sys::signal_queue::{SIGCHLD, SignalQueue};
use rbox_core::sys::{BorrowedFd, Errno, OwnedFd, time};
use rbox_core::users::{self, User};
use rbox_core::{push, text as compose};

/// The user, the group and the other groups that a server becomes.
pub struct Owner {
    uid: Option<u32>,
    gid: Option<u32>,
    groups: Vec<u32>,
}

impl Owner {
    /// `USER[:GROUP]`; without a group those of the user. It is looked up before a chroot hides /etc.
    pub fn parse(word: &[u8]) -> Result<Self> {
        let (uid, gid) = users::parse_owner(word)?;
        let user = uid.and_then(User::by_id);
        Ok(match (gid, user) {
            (None, Some(user)) => Self { uid, gid: Some(user.gid), groups: user.groups() },
            _ => Self { uid, gid, groups: gid.into_iter().collect() },
        })
    }

    pub fn become_it(&self) -> Result<()> {
        users::become_ids(self.uid, self.gid, Some(&self.groups))
    }
}

/// The children that serve now, each with its peer.
pub struct Children {
    queue: SignalQueue,
    running: Vec<(i32, IpAddr)>,
    /// The signals that came, but SIGCHLD: bit N for signal N.
    came: u64,
}

impl Children {
    /// `signals` are SIGCHLD and those that are asked for by `has_come`.
    pub fn new(signals: &[i32]) -> Result<Self> {
        let queue = SignalQueue::open(signals).map_err(|errno| Error::on("signalfd", errno))?;
        Ok(Self { queue, running: Vec::new(), came: 0 })
    }

    /// What can be read when a signal came.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.queue.fd()
    }

    /// Whether a signal came since it was asked for last.
    pub fn has_come(&mut self, signal: i32) -> bool {
        while let Some(signal) = self.queue.take() {
            self.came |= 1 << signal;
        }
        let has_come = self.came >> signal & 1 != 0;
        self.came &= !(1 << signal);
        has_come
    }

    pub fn count(&self) -> usize {
        self.running.len()
    }

    pub fn count_of(&self, peer: IpAddr) -> usize {
        self.running.iter().filter(|(_, other)| *other == peer).count()
    }

    /// Forks. `None` in the child, which must end with `exit_now`.
    pub fn fork(&mut self, peer: IpAddr) -> Result<Option<i32>> {
        let forked = process::fork().map_err(|errno| Error::on("can't fork", errno))?;
        match forked {
            Some(pid) => self.running.push((pid, peer)),
            None => self.queue.release(),
        }
        Ok(forked)
    }

    /// The next child that has ended.
    pub fn ended(&mut self) -> Option<(i32, Change)> {
        self.has_come(SIGCHLD);
        // ECHILD when there is no child at all.
        let (pid, change) = process::wait(-1, WaitOptions::NOHANG).ok().flatten()?;
        self.running.retain(|(other, _)| *other != pid);
        Some((pid, change))
    }

    /// Waits until a socket can be read, a child has ended or the time is up. True for each socket that can be read.
    pub fn wait(&self, sockets: &[&OwnedFd], milliseconds: Option<u64>) -> Result<Vec<bool>> {
        let mut files = vec![PollFd::from_borrowed_fd(self.queue.fd(), PollFlags::IN)];
        files.extend(sockets.iter().map(|socket| PollFd::new(socket, PollFlags::IN)));
        let limit = milliseconds.map(time::milliseconds);
        match poll(&mut files, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::on("poll", errno)),
        }
        Ok(files[1..].iter().map(|file| !file.revents().is_empty()).collect())
    }
}

/// The next connection and its peer. `None` when it has gone meanwhile, or descriptors or memory are short for a
/// while.
pub fn accept(server: &OwnedFd) -> Result<Option<(OwnedFd, SocketAddr)>> {
    match acceptfrom_with(server, SocketFlags::CLOEXEC) {
        Ok((connection, Some(peer))) => Ok(address_of(peer).map(|peer| (connection, peer))),
        Ok((_, None)) => Ok(None),
        // accept(2): errors of the network that the new connection had, and those that pass.
        Err(Errno::BADF | Errno::INVAL | Errno::NOTSOCK | Errno::OPNOTSUPP) => Err(Error::new("accept failed")),
        Err(errno) => {
            if matches!(errno, Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) {
                rbox_core::daemon::pause(100);
            }
            Ok(None)
        }
    }
}

/// How a child ended, for a log: `exit 1`, `signal 9`.
pub fn ending(change: Change) -> Vec<u8> {
    match change {
        Change::Signaled(signal) => compose!("signal ", signal as u32),
        change => compose!("exit ", change.status()),
    }
}

/// `ADDRESS:PORT-ADDRESS:PORT`: both ends.
pub fn both_ends(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    let mut line = text(local);
    push!(line, "-", text(peer));
    line
}
