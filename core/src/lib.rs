//! What more than one applet of rbox needs.
