//! The ident: the first page of a slab, which says what it is and never changes.

use super::checksum::xxh64;
use super::layout::*;
use super::mapping::Mapping;
use crate::error::{Error, Result};
use std::path::Path;
use std::sync::atomic::Ordering::*;

/// Bytes of an ident, checksum included.
pub const IDENT_BYTES: usize = 80;
const CHECKSUM: usize = 72;
/// Features that this library knows.
const KNOWN_RO_COMPAT: u64 = 0;
const KNOWN_INCOMPAT: u64 = 0;

/// What a slab says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident {
    /// Features that may be ignored.
    pub compat: u64,
    /// Features that a writer must know.
    pub ro_compat: u64,
    /// Features that everybody must know.
    pub incompat: u64,
    /// The slab's uuid.
    pub uuid: [u8; 16],
    /// Time of creation, ms since 1970.
    pub created: u64,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

impl Ident {
    /// The ident of a new slab. `random` becomes its uuid.
    pub fn new(random: [u8; 16], created: u64) -> Ident {
        let mut uuid = random;
        uuid[6] = uuid[6] & 0x0F | 0x40;
        uuid[8] = uuid[8] & 0x3F | 0x80;
        Ident {
            compat: 0,
            ro_compat: 0,
            incompat: 0,
            uuid,
            created,
        }
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; IDENT_BYTES] {
        let mut b = [0; IDENT_BYTES];
        b[..8].copy_from_slice(&MAGIC);
        b[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        b[12..16].copy_from_slice(&(HEADER_SIZE as u32).to_le_bytes());
        for (i, features) in [self.compat, self.ro_compat, self.incompat].into_iter().enumerate() {
            b[16 + 8 * i..][..8].copy_from_slice(&features.to_le_bytes());
        }
        b[40..56].copy_from_slice(&self.uuid);
        b[56..64].copy_from_slice(&self.created.to_le_bytes());
        b[64..68].copy_from_slice(&BLOCK_BITS.to_le_bytes());
        b[68..72].copy_from_slice(&SEGMENT_BITS.to_le_bytes());
        let sum = xxh64(&b[..CHECKSUM], 0);
        b[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
        b
    }

    /// Stores it in a new slab.
    pub fn store(&self, map: &Mapping) {
        for (i, word) in self.encode().chunks_exact(8).enumerate() {
            map.atomic_u64(IDENT + i as u64 * 8).store(u64_at(word, 0), Relaxed);
        }
    }

    /// Reads the ident from a file's first bytes. `path` is for the error.
    pub fn decode(b: &[u8; IDENT_BYTES], path: &Path) -> Result<Ident> {
        if b[..8] != MAGIC {
            let why =
                "it doesn't begin as a slab does. It was left as it is: choose another name, or remove the file first";
            return Err(Error::not_a_slab(path, why));
        }
        if u32_at(b, 8) != FORMAT_VERSION {
            return Err(Error::Version(u32_at(b, 8)));
        }
        if xxh64(&b[..CHECKSUM], 0) != u64_at(b, CHECKSUM) {
            return Err(Error::corrupt(
                "the checksum of its first page is wrong",
                IDENT + CHECKSUM as u64,
            ));
        }
        if (u32_at(b, 12) as u64, u32_at(b, 64), u32_at(b, 68)) != (HEADER_SIZE, BLOCK_BITS, SEGMENT_BITS) {
            return Err(Error::corrupt("its first page tells impossible sizes", IDENT + 12));
        }
        let ident = Ident {
            compat: u64_at(b, 16),
            ro_compat: u64_at(b, 24),
            incompat: u64_at(b, 32),
            uuid: b[40..56].try_into().expect("sixteen bytes"),
            created: u64_at(b, 56),
        };
        match ident.incompat & !KNOWN_INCOMPAT {
            0 => Ok(ident),
            bits => Err(Error::features(
                "it takes a newer version of the library to open it",
                bits,
            )),
        }
    }

    /// May a writer open the slab?
    pub fn check_writable(&self) -> Result<()> {
        match self.ro_compat & !KNOWN_RO_COMPAT {
            0 => Ok(()),
            bits => Err(Error::features("it can only be opened read-only", bits)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(at: usize, value: u8) -> [u8; IDENT_BYTES] {
        let mut b = Ident::new([7; 16], 5).encode();
        b[at] = value;
        let sum = xxh64(&b[..CHECKSUM], 0);
        b[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
        b
    }

    #[test]
    fn an_ident_reads_back_as_written_and_its_uuid_is_random_version_4() {
        let ident = Ident::new([0xFF; 16], 1234);
        assert_eq!(Ident::decode(&ident.encode(), Path::new("x")).unwrap(), ident);
        assert_eq!((ident.uuid[6], ident.uuid[8]), (0x4F, 0xBF));
    }

    #[test]
    fn any_flipped_bit_of_an_ident_is_refused() {
        for bit in 0..IDENT_BYTES * 8 {
            let mut b = Ident::new([7; 16], 5).encode();
            b[bit / 8] ^= 1 << (bit % 8);
            assert!(Ident::decode(&b, Path::new("x")).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn unknown_features_are_ignored_refuse_writers_or_refuse_everybody() {
        let decode = |at| Ident::decode(&patched(at, 4), Path::new("x"));
        decode(16).unwrap().check_writable().unwrap();
        assert!(matches!(decode(24).unwrap().check_writable(), Err(Error::Features(_))));
        assert!(matches!(decode(32), Err(Error::Features(_))));
        assert_eq!(Ident::decode(&patched(8, 2), Path::new("x")), Err(Error::Version(2)));
    }
}
