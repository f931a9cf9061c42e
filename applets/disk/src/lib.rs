//! Disks and filesystems.
#![forbid(unsafe_code)]

mod minix;

rbox_core::applets! {
    blkdiscard: "/usr/bin/blkdiscard";
    blkid: "/sbin/blkid";
    blockdev: "/sbin/blockdev";
    chattr: "/bin/chattr";
    eject: "/usr/bin/eject";
    fallocate: "/usr/bin/fallocate";
    fatattr: "/bin/fatattr";
    fdformat: "/usr/sbin/fdformat";
    fdisk: "/sbin/fdisk";
    findfs: "/sbin/findfs";
    freeramdisk: "/sbin/freeramdisk" "/bin/fdflush";
    fsck: "/sbin/fsck";
    fsck_minix: "/sbin/fsck.minix";
    fsfreeze: "/usr/sbin/fsfreeze";
    fstrim: "/sbin/fstrim";
    getfattr: "/usr/bin/getfattr";
    hdparm: "/sbin/hdparm";
    losetup: "/sbin/losetup";
    lsattr: "/bin/lsattr";
    mke2fs: "/sbin/mke2fs" "/sbin/mkfs.ext2";
    mkfs_minix: "/sbin/mkfs.minix";
    mkfs_vfat: "/sbin/mkfs.vfat" "/sbin/mkdosfs";
    mkswap: "/sbin/mkswap";
    mount: "/bin/mount";
    partprobe: "/usr/sbin/partprobe";
    raidautorun: "/sbin/raidautorun";
    rdev: "/usr/sbin/rdev";
    readahead: "/usr/sbin/readahead";
    setfattr: "/usr/bin/setfattr";
    swapon: "/sbin/swapon" "/sbin/swapoff";
    tune2fs: "/sbin/tune2fs";
    umount: "/bin/umount";
    volname: "/usr/bin/volname";
}

#[cfg(fuzzing)]
pub use fsck_minix::fuzz;
