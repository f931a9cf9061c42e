//! build-image

fn main() {}
