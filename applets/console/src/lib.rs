//! The console: its keyboard and its screen.
#![forbid(unsafe_code)]

mod framebuffer;
mod keymap;

rbox_core::applets! {
    chvt: "/usr/bin/chvt";
    clear: "/usr/bin/clear";
    conspy: "/bin/conspy";
    deallocvt: "/usr/bin/deallocvt";
    dumpkmap: "/bin/dumpkmap";
    fbset: "/usr/sbin/fbset";
    fbsplash: "/sbin/fbsplash";
    fgconsole: "/usr/bin/fgconsole";
    kbd_mode: "/bin/kbd_mode";
    loadkmap: "/sbin/loadkmap";
    openvt: "/usr/bin/openvt";
    reset: "/usr/bin/reset";
    resize: "/usr/bin/resize";
    script: "/usr/bin/script";
    scriptreplay: "/bin/scriptreplay";
    setconsole: "/sbin/setconsole";
    setfont: "/usr/sbin/setfont" "/usr/sbin/loadfont";
    setkeycodes: "/usr/bin/setkeycodes";
    setlogcons: "/usr/sbin/setlogcons";
    showkey: "/usr/bin/showkey";
    ttysize: "/usr/bin/ttysize";
}

#[cfg(fuzzing)]
pub use loadkmap::fuzz;
