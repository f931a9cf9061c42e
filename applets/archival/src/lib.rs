//! The applets that read and write archives and compressed files.
#![forbid(unsafe_code)]

mod compress;

rbox_core::applets! {
    bzip2: "/usr/bin/bzip2" "/usr/bin/bunzip2" "/usr/bin/bzcat";
    gzip: "/bin/gzip" "/bin/gunzip" "/bin/zcat";
    lzop: "/bin/lzop" "/usr/bin/unlzop" "/usr/bin/lzopcat";
    tar: "/bin/tar";
    uncompress: "/bin/uncompress";
    xz: "/usr/bin/xz" "/usr/bin/unxz" "/usr/bin/xzcat" "/usr/bin/lzma" "/usr/bin/unlzma" "/usr/bin/lzcat";
    zstd: "/usr/bin/zstd" "/usr/bin/unzstd" "/usr/bin/zstdcat";
}
