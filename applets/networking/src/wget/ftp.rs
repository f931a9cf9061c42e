//! A file of a server of FTP.

use core::net::SocketAddr;

use rbox_core::escape::percent_decoded;
use rbox_core::prelude::*;
use rbox_core::text;

use super::link::Link;
use super::url::Url;
use super::{Body, Job, SPIDER};
use crate::ftp::{Control, name_and_password};

pub fn fetch(job: &mut Job<'_>, env: &mut Env, url: &Url, path: Option<&[u8]>) -> Result<()> {
    let mut control = Control::new(job.connect(url)?);
    let (name, password) = name_and_password(url.user.as_deref().unwrap_or(b"anonymous:busybox@"));
    let result = control.log_in(name, password);
    shown(job, &mut control, result)?;
    let file = percent_decoded(url.path.strip_prefix(b"/").unwrap_or(&url.path));
    let result = control.size(&file);
    let size = shown(job, &mut control, result)?;
    if job.args.has(SPIDER) && size.is_none() {
        return Err(Error::parts(&[&file, b": no such file on the server"]));
    }
    let result = control.data_port();
    let port = shown(job, &mut control, result)?;
    if job.before > 0 {
        let result = control.ask(&text!("REST ", job.before));
        if shown(job, &mut control, result)?.0 / 100 != 3 {
            job.before = 0;
        }
    }
    // The data come from the host that was asked, whatever address it names.
    let mut data = Link::connect(&SocketAddr::new(control.link.address.ip(), port), job.timeout)?;
    let result = control.expect(&text!("RETR ", &file), 1);
    if shown(job, &mut control, result)?.0 / 100 != 1 {
        return Err(Error::new("the server sends nothing"));
    }
    let target = job.open(path)?;
    let is_wanted = !matches!(target, super::Target::Nowhere);
    let mut body = size.map_or(Body::ToEnd, |size| Body::Length(size.saturating_sub(job.before)));
    job.copy(env, &mut data, target, &mut body, path)?;
    drop(data);
    if is_wanted {
        let result = control.expect(b"", 2);
        shown(job, &mut control, result)?;
    }
    let result = control.ask(b"QUIT");
    shown(job, &mut control, result)?;
    Ok(())
}

/// Prints the replies.
fn shown<T>(job: &mut Job<'_>, control: &mut Control, result: Result<T>) -> Result<T> {
    for line in core::mem::take(&mut control.answers) {
        job.show_answer(&line)?;
    }
    result
}
