//! The loop over all connections: epoll(7), edge-triggered, and children for what takes time.

use core::net::{IpAddr, Ipv4Addr};
use std::collections::VecDeque;

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::prelude::*;
use rbox_core::sys::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rbox_core::sys::net::{SocketFlags, accept_with};
use rbox_core::sys::process::{self, Resource, Rlimit, getrlimit, setrlimit};
use rbox_core::sys::signal_queue::{SIGCHLD, SIGHUP};
use rbox_core::sys::{Errno, OwnedFd, fd, time};

use super::connection::{Connection, Next};
use super::site::Site;
use crate::service::Children;

/// Children that serve at once. Requests beyond wait.
const MOST_CHILDREN: usize = 100;
/// Descriptors that are not connections: of files that are sent, and of the server itself.
const RESERVED: u64 = 32;
/// The most connections where nobody says how many.
const MOST: u64 = 16_384;
/// The data of events that are not those of a connection.
const LISTENER: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;

pub struct Server {
    listener: OwnedFd,
    site: Site,
    file: Option<Vec<u8>>,
    most: usize,
    epoll: OwnedFd,
    children: Children,
    slots: Vec<Option<Box<Connection>>>,
    free: Vec<usize>,
    /// Connections whose turn is over before all could be sent.
    again: Vec<usize>,
    /// Connections that wait for a child, with the lengths of their heads.
    queue: VecDeque<(usize, usize)>,
    is_accepting: bool,
    swept: u64,
}

/// Raises the limit of descriptors for `most` connections, or as far as it goes. Returns how many there may be.
///
/// Each connection may need a second descriptor for the file that it is sent.
pub fn raise_limit(most: Option<u64>) -> usize {
    let limits = getrlimit(Resource::Nofile);
    let wanted = 2 * most.unwrap_or(MOST) + RESERVED;
    let current = wanted.min(limits.maximum.unwrap_or(u64::MAX)).max(limits.current.unwrap_or(u64::MAX).min(wanted));
    // The hard limit is the user's own decision.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limits.maximum });
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(wanted).saturating_sub(RESERVED) / 2;
    most.unwrap_or(MOST).min(allowed).max(1) as usize
}

impl Server {
    pub fn new(listener: OwnedFd, site: Site, file: Option<Vec<u8>>, most: usize) -> Result<Self> {
        fd::ioctl_fionbio(&listener, true).map_err(Error::from)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(Error::from)?;
        let children = Children::new(&[SIGCHLD, SIGHUP])?;
        epoll::add(&epoll, children.fd(), EventData::new_u64(SIGNALS), EventFlags::IN).map_err(Error::from)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN).map_err(Error::from)?;
        Ok(Self {
            listener,
            site,
            file,
            most,
            epoll,
            children,
            slots: Vec::new(),
            free: Vec::new(),
            again: Vec::new(),
            queue: VecDeque::new(),
            is_accepting: true,
            swept: 0,
        })
    }

    pub fn serve(mut self, env: &mut Env) -> Outcome {
        let mut buffer = vec![0; 16 * 1024];
        let mut events = Vec::with_capacity(256);
        loop {
            let limit = match (self.again.is_empty(), self.count()) {
                (false, _) => Some(0),
                (true, 0) => None,
                (true, _) => Some(1000),
            };
            events.clear();
            match epoll::wait(
                &self.epoll,
                rbox_core::sys::spare_capacity(&mut events),
                limit.map(time::milliseconds).as_ref(),
            ) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on("epoll", errno)),
            }
            for at in core::mem::take(&mut self.again) {
                self.advance(env, at, &mut buffer);
            }
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept(env, &mut buffer)?,
                    SIGNALS => self.take_signals(env),
                    at => self.advance(env, at as usize, &mut buffer),
                }
            }
            self.start_children(env, &mut buffer);
            let now = uptime_milliseconds();
            if now >= self.swept + 1000 {
                self.sweep(now);
            }
        }
    }

    fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn take_signals(&mut self, env: &mut Env) {
        while self.children.ended().is_some() {}
        if self.children.has_come(SIGHUP)
            && let Err(error) = self.site.load(env, self.file.as_deref())
        {
            self.site.log(env, None, error.message());
        }
    }

    fn accept(&mut self, env: &mut Env, buffer: &mut [u8]) -> Result<()> {
        // Others have their turn after some.
        for _ in 0..64 {
            let is_full = self.count() >= self.most;
            if is_full && self.oldest_idle().is_none() {
                return self.pause_accepting(true);
            }
            let connection = match accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(connection) => connection,
                Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                    return if self.drop_idle() { Ok(()) } else { self.pause_accepting(true) };
                }
                // Nobody waits, or the connection has gone (accept(2)).
                Err(_) => return Ok(()),
            };
            if is_full {
                self.drop_idle();
            }
            let at = self.free.pop().unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            });
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            if epoll::add(&self.epoll, &connection, EventData::new_u64(at as u64), flags).is_err() {
                self.free.push(at);
                return Ok(());
            }
            self.slots[at] = Some(Box::new(Connection::new(connection, None)));
            self.advance(env, at, buffer);
        }
        Ok(())
    }

    /// At the limit nobody is accepted until a connection ends.
    fn pause_accepting(&mut self, pause: bool) -> Result<()> {
        if self.is_accepting == pause {
            let flags = if pause { EventFlags::empty() } else { EventFlags::IN };
            epoll::modify(&self.epoll, &self.listener, EventData::new_u64(LISTENER), flags).map_err(Error::from)?;
            self.is_accepting = !pause;
        }
        Ok(())
    }

    /// The connection that has waited longest for a request.
    fn oldest_idle(&self) -> Option<usize> {
        let slots = self.slots.iter().enumerate().filter_map(|(at, slot)| Some((slot.as_ref()?, at)));
        let idle = slots.filter(|(connection, _)| connection.is_idle());
        idle.min_by_key(|(connection, _)| connection.deadline).map(|(_, at)| at)
    }

    /// Closes it. False when there is none.
    fn drop_idle(&mut self) -> bool {
        let oldest = self.oldest_idle();
        if let Some(at) = oldest {
            self.close(at);
        }
        oldest.is_some()
    }

    fn close(&mut self, at: usize) {
        if self.slots[at].take().is_some() {
            self.free.push(at);
        }
        if !self.is_accepting {
            // It was registered before, so that this cannot fail.
            let _ = self.pause_accepting(false);
        }
    }

    fn advance(&mut self, env: &mut Env, at: usize, buffer: &mut [u8]) {
        // What waits for a child has no turn until then.
        if self.queue.iter().any(|(waiting, _)| *waiting == at) {
            return;
        }
        let Some(connection) = self.slots.get_mut(at).and_then(Option::as_mut) else { return };
        match connection.advance(env, &mut self.site, buffer) {
            Next::Wait => {}
            Next::Again => self.again.push(at),
            Next::Closed => self.close(at),
            Next::Child(length) => self.queue.push_back((at, length)),
        }
    }

    /// Serves requests that take time, each in a child of its own.
    fn start_children(&mut self, env: &mut Env, buffer: &mut [u8]) {
        while self.children.count() < MOST_CHILDREN
            && let Some((at, length)) = self.queue.pop_front()
        {
            let Some(mut connection) = self.slots[at].take() else { continue };
            self.free.push(at);
            let peer = connection.peer.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
            // The child's copy would go on to report events of it.
            let _ = epoll::delete(&self.epoll, &connection.input);
            match self.children.fork(peer) {
                Ok(Some(_)) => drop(connection),
                Ok(None) => {
                    // Connections of others must end when this server closes them.
                    self.slots.clear();
                    process::exit_now(serve_one(env, &mut self.site, &mut connection, length, buffer));
                }
                Err(error) => self.site.log(env, connection.peer, error.message()),
            }
        }
    }

    /// Closes the connections whose time is up.
    fn sweep(&mut self, now: u64) {
        self.swept = now;
        for at in 0..self.slots.len() {
            let is_over = self.slots[at].as_ref().is_some_and(|connection| connection.deadline <= now);
            if is_over && !self.queue.iter().any(|(waiting, _)| *waiting == at) {
                self.close(at);
            }
        }
    }
}

/// In the child: answers the request and sends all of it.
fn serve_one(env: &mut Env, site: &mut Site, connection: &mut Connection, length: usize, buffer: &mut [u8]) -> u8 {
    site.is_child = true;
    if fd::ioctl_fionbio(&connection.input, false).is_err() || connection.limit_waits().is_err() {
        return 1;
    }
    if connection.answer(env, site, length) != super::site::Handled::Closed {
        connection.advance(env, site, buffer);
    }
    0
}
