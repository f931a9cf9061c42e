//! Variables that the language gives a meaning, by their indexes.

pub const NF: u32 = 0;
pub const NR: u32 = 1;
pub const FNR: u32 = 2;
pub const FS: u32 = 3;
pub const OFS: u32 = 4;
pub const RS: u32 = 5;
pub const ORS: u32 = 6;
pub const FILENAME: u32 = 7;
pub const SUBSEP: u32 = 8;
pub const CONVFMT: u32 = 9;
pub const OFMT: u32 = 10;
pub const RSTART: u32 = 11;
pub const RLENGTH: u32 = 12;
pub const RT: u32 = 13;
pub const IGNORECASE: u32 = 14;
pub const FIELDWIDTHS: u32 = 15;
pub const FPAT: u32 = 16;
pub const ARGC: u32 = 17;
pub const ARGV: u32 = 18;
pub const ENVIRON: u32 = 19;
pub const PROCINFO: u32 = 20;
pub const ERRNO: u32 = 21;
/// The number of them.
pub const COUNT: u32 = 22;
