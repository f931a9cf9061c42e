//! compat-suite

fn main() {}
