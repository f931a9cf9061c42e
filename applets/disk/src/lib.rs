//! Disks and filesystems.
#![forbid(unsafe_code)]

rbox_core::applets! {
    blkdiscard: "/usr/bin/blkdiscard";
    blkid: "/sbin/blkid";
    blockdev: "/sbin/blockdev";
    eject: "/usr/bin/eject";
    fallocate: "/usr/bin/fallocate";
    findfs: "/sbin/findfs";
    freeramdisk: "/sbin/freeramdisk" "/bin/fdflush";
    fsfreeze: "/usr/sbin/fsfreeze";
    fstrim: "/sbin/fstrim";
    losetup: "/sbin/losetup";
    mkswap: "/sbin/mkswap";
    mount: "/bin/mount";
    swapon: "/sbin/swapon" "/sbin/swapoff";
    umount: "/bin/umount";
}
