//! The applets that read and write archives and compressed files.
#![forbid(unsafe_code)]

mod compress;
mod control;
mod data;
mod deb;
mod filter;

rbox_core::applets! {
    ar: "/usr/bin/ar";
    bzip2: "/usr/bin/bzip2" "/usr/bin/bunzip2" "/usr/bin/bzcat";
    cpio: "/bin/cpio";
    dpkg: "/usr/bin/dpkg";
    dpkg_deb: "/usr/bin/dpkg-deb";
    gzip: "/bin/gzip" "/bin/gunzip" "/bin/zcat";
    lzop: "/bin/lzop" "/usr/bin/unlzop" "/usr/bin/lzopcat";
    rpm: "/bin/rpm";
    rpm2cpio: "/usr/bin/rpm2cpio";
    tar: "/bin/tar";
    uncompress: "/bin/uncompress";
    unzip: "/usr/bin/unzip";
    xz: "/usr/bin/xz" "/usr/bin/unxz" "/usr/bin/xzcat" "/usr/bin/lzma" "/usr/bin/unlzma" "/usr/bin/lzcat";
    zstd: "/usr/bin/zstd" "/usr/bin/unzstd" "/usr/bin/zstdcat";
}

#[cfg(fuzzing)]
pub use control::fuzz as fuzz_control;
