//! The applets of the group shell.
#![forbid(unsafe_code)]

mod arith;
mod builtins;
mod complete;
mod editor;
mod escape;
mod exec;
mod expand;
mod interactive;
mod shell;
mod symbols;
mod syntax;

rbox_core::applets! {
    cttyhack: "/bin/cttyhack";
    echo: "/bin/echo";
    printf: "/usr/bin/printf";
    test: "/usr/bin/test" "/usr/bin/[" "/usr/bin/[[";
    sh: "/bin/sh" "/bin/ash";
}
