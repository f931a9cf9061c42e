//! The options of mount(8) that are flags of `mount(2)`.

use rbox_core::names;
use rbox_core::names::Names;

/// MS_RDONLY.
pub const READ_ONLY_FLAG: u32 = 1;
/// MS_REMOUNT.
pub const REMOUNT: u32 = 1 << 5;
/// MS_BIND.
pub const BIND_FLAG: u32 = 1 << 12;
/// MS_MOVE.
pub const MOVE_FLAG: u32 = 1 << 13;
/// MS_REC: with all mounts below.
pub const BELOW: u32 = 1 << 14;
/// MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED.
pub const PROPAGATION: u32 = 0xf << 17;

/// Stands beside bits that an option clears.
const CLEAR: u32 = 1 << 31;

/// The options that are flags of `mount(2)`, and their bits.
const FLAGS: Names = names! {
    "ro" = 1, "rw" = CLEAR | 1, "nosuid" = 2, "suid" = CLEAR | 2, "nodev" = 4, "dev" = CLEAR | 4, "noexec" = 8, "exec" = CLEAR | 8, "sync" = 16, "async" = CLEAR | 16, "remount" = REMOUNT, "mand" = 64, "nomand" = CLEAR | 64, "dirsync" = 128, "noatime" = 1 << 10, "atime" = CLEAR | 1 << 10, "nodiratime" = 1 << 11, "diratime" = CLEAR | 1 << 11, "bind" = BIND_FLAG, "rbind" = BIND_FLAG | BELOW, "move" = MOVE_FLAG, "silent" = 1 << 15, "loud" = CLEAR | 1 << 15, "unbindable" = 1 << 17, "private" = 1 << 18, "slave" = 1 << 19, "shared" = 1 << 20, "runbindable" = 1 << 17 | BELOW, "rprivate" = 1 << 18 | BELOW, "rslave" = 1 << 19 | BELOW, "rshared" = 1 << 20 | BELOW, "relatime" = 1 << 21, "norelatime" = CLEAR | 1 << 21, "strictatime" = 1 << 24, "nostrictatime" = CLEAR | 1 << 24, "lazytime" = 1 << 25, "nolazytime" = CLEAR | 1 << 25,
    // These are for mount -a, for users and for other programs, not for the kernel.
    "defaults" = 0, "auto" = 0, "noauto" = 0, "user" = 0, "nouser" = 0, "users" = 0, "owner" = 0, "group" = 0, "nofail" = 0, "_netdev" = 0,
};

/// The flags of `mount(2)` that the words of `options` mean, and the words that are the filesystem's own.
pub fn split_options(options: &[u8]) -> (u32, Vec<u8>) {
    let (mut flags, mut data) = (0, Vec::new());
    for word in options.split(|&byte| byte == b',').filter(|word| !word.is_empty()) {
        match FLAGS.number_of(word).map(|bits| bits as u32) {
            Some(bits) if bits & CLEAR > 0 => flags &= !bits,
            Some(bits) => flags |= bits,
            // BusyBox and util-linux keep comments for other programs in the list.
            None if word.starts_with(b"comment=") || word.starts_with(b"x-") => {}
            None => add_options(&mut data, word),
        }
    }
    (flags, data)
}

/// True when `word` is such an option.
pub fn is_flag(word: &[u8]) -> bool {
    FLAGS.number_of(word).is_some()
}

/// Adds `more` to a list of options between commas.
pub fn add_options(list: &mut Vec<u8>, more: &[u8]) {
    if !list.is_empty() && !more.is_empty() {
        list.push(b',');
    }
    list.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use super::split_options;

    #[test]
    fn options_are_flags_or_the_filesystems_own() {
        assert_eq!(split_options(b"ro,nosuid,mode=755,size=1m"), (3, b"mode=755,size=1m".to_vec()));
        assert_eq!(split_options(b"ro,rw,defaults,noauto"), (0, Vec::new()));
        assert_eq!(split_options(b"rbind"), (0x5000, Vec::new()));
    }
}
