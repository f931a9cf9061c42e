//! The applets of POSIX's shell and utilities volume that work on files and text, and their relatives in GNU coreutils.
#![forbid(unsafe_code)]

rbox_core::applets! {
    cat: "/bin/cat";
    r#false: "/bin/false";
    head: "/usr/bin/head";
    r#true: "/bin/true";
}
