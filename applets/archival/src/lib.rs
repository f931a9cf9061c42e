//! The applets that read and write archives and compressed files.
#![forbid(unsafe_code)]

mod compress;

rbox_core::applets! {
    bzip2: "/usr/bin/bzip2" "/usr/bin/bunzip2" "/usr/bin/bzcat";
    gzip: "/bin/gzip" "/bin/gunzip" "/bin/zcat";
}
