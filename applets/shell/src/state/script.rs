//! Scripts as input of the parser.

use crate::state::{Fail, Shell};
use crate::syntax::input::{Input, Reader};
use rbox_core::sys::{AsFd, OwnedFd};

impl Shell {
    /// A reader of a script. Its descriptor is private: the script can use any number.
    pub fn script(&mut self, file: OwnedFd) -> Result<Reader, Fail> {
        match self.streams.descriptors.keep(file.as_fd()) {
            Ok(copy) => Ok(Reader::Script(copy)),
            Err(errno) => Err(self.plain_error(rbox_core::sys::error_text(errno).as_bytes())),
        }
    }

    /// Closes what a reader of a script reads from.
    pub fn close_script(&mut self, input: &Input) {
        if let Reader::Script(file) = input.reader {
            self.streams.descriptors.release(file);
        }
    }
}
