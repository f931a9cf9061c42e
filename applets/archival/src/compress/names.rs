//! Names of compressed files.

use rbox_core::codec::Format;
use rbox_core::names;
use rbox_core::names::Names;

use super::Job;

/// The suffixes of a format that are removed; those with 1 are replaced by `.tar`.
fn suffixes(format: Format) -> Names {
    match format {
        Format::Bzip2 => names! { ".bz2" = 0, ".bz" = 0, ".tbz2" = 1, ".tbz" = 1 },
        Format::Xz => names! { ".xz" = 0, ".lzma" = 0, ".txz" = 1, ".tlz" = 1 },
        Format::Lzop => names! { ".lzo" = 0, ".tzo" = 1 },
        Format::Zstd => names! { ".zst" = 0, ".tzst" = 1 },
        Format::Lzw => names! { ".Z" = 0 },
        Format::Lzma => names! { ".lzma" = 0, ".tlz" = 1 },
        _ => names! { ".gz" = 0, "-gz" = 0, ".z" = 0, "-z" = 0, "_z" = 0, ".Z" = 0, ".tgz" = 1, ".taz" = 1 },
    }
}

/// The suffix of `name` that shows that it is compressed, and whether `.tar` replaces it.
fn suffix_of<'a>(job: &Job<'_>, name: &'a [u8]) -> Option<(&'a [u8], bool)> {
    if name.len() > job.suffix.len() && name.ends_with(job.suffix) {
        return Some((&name[name.len() - job.suffix.len()..], false));
    }
    let known = suffixes(job.format).iter().find(|(suffix, _)| {
        name.len() > suffix.len()
            && name.ends_with(suffix.as_bytes())
            && !name.ends_with(&[b"/", suffix.as_bytes()].concat())
    });
    known.map(|(suffix, tar)| (&name[name.len() - suffix.len()..], tar == 1))
}

/// Whether the name has a suffix of the format.
pub fn is_compressed(job: &Job<'_>, name: &[u8]) -> bool {
    suffix_of(job, name).is_some()
}

/// The name of the decoded file.
pub fn decompressed(job: &Job<'_>, name: &[u8]) -> Option<Vec<u8>> {
    let (suffix, is_tar) = suffix_of(job, name)?;
    let stem = &name[..name.len() - suffix.len()];
    Some([stem, if is_tar { b".tar" } else { b"" }].concat())
}

/// Whether a job decodes files of that format.
pub fn accepts(job: &Job<'_>, format: Format) -> bool {
    job.any
        || job.format == format
        || matches!((job.format, format), (Format::Xz, Format::Lzma) | (Format::Gzip, Format::Lzw))
}
