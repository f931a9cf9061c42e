//! What more than one applet of rbox needs.
#![warn(missing_docs)]
