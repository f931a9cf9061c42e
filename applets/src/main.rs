//! The rbox binary: C's `main` and the table of all applets.
#![no_main]

mod registry;

rbox_core::entry!(registry::table, registry::run);
