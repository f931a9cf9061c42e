//! The options of mount(8) that are flags of `mount(2)`.

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

/// The options that are flags of `mount(2)`: the bits, and whether they are set or cleared.
const FLAGS: &[(&str, u32, bool)] = &[
    ("ro", 1, true), ("rw", 1, false), ("nosuid", 2, true), ("suid", 2, false), ("nodev", 4, true), ("dev", 4, false),
    ("noexec", 8, true), ("exec", 8, false), ("sync", 16, true), ("async", 16, false), ("remount", REMOUNT, true),
    ("mand", 64, true), ("nomand", 64, false), ("dirsync", 128, true), ("noatime", 1 << 10, true),
    ("atime", 1 << 10, false), ("nodiratime", 1 << 11, true), ("diratime", 1 << 11, false), ("bind", BIND_FLAG, true),
    ("rbind", BIND_FLAG | BELOW, true), ("move", MOVE_FLAG, true), ("silent", 1 << 15, true), ("loud", 1 << 15, false),
    ("unbindable", 1 << 17, true), ("private", 1 << 18, true), ("slave", 1 << 19, true), ("shared", 1 << 20, true),
    ("runbindable", 1 << 17 | BELOW, true), ("rprivate", 1 << 18 | BELOW, true), ("rslave", 1 << 19 | BELOW, true),
    ("rshared", 1 << 20 | BELOW, true), ("relatime", 1 << 21, true), ("norelatime", 1 << 21, false),
    ("strictatime", 1 << 24, true), ("nostrictatime", 1 << 24, false), ("lazytime", 1 << 25, true),
    ("nolazytime", 1 << 25, false),
    // These are for mount -a, for users and for other programs, not for the kernel.
    ("defaults", 0, true), ("auto", 0, true), ("noauto", 0, true), ("user", 0, true), ("nouser", 0, true),
    ("users", 0, true), ("owner", 0, true), ("group", 0, true), ("nofail", 0, true), ("_netdev", 0, true),
];

/// The flags of `mount(2)` that the words of `options` mean, and the words that are the filesystem's own.
pub fn split_options(options: &[u8]) -> (u32, Vec<u8>) {
    let (mut flags, mut data) = (0, Vec::new());
    for word in options.split(|&byte| byte == b',').filter(|word| !word.is_empty()) {
        match FLAGS.iter().find(|(name, ..)| name.as_bytes() == word) {
            Some((_, bits, true)) => flags |= bits,
            Some((_, bits, false)) => flags &= !bits,
            // BusyBox and util-linux keep comments for other programs in the list.
            None if word.starts_with(b"comment=") || word.starts_with(b"x-") => {}
            None => add_options(&mut data, word),
        }
    }
    (flags, data)
}

/// True when `word` is such an option.
pub fn is_flag(word: &[u8]) -> bool {
    FLAGS.iter().any(|(name, ..)| name.as_bytes() == word)
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
