//! Superblocks: two checksummed copies of the durable root.
//!
//! A superblock is written with its checksum last: whoever dies in between leaves an invalid one, which the next sync overwrites, never the
//! only valid one (D4).

use crate::slab::checksum::xxh64;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sync::weakened;
use std::sync::atomic::Ordering::*;

const WORDS: usize = SUPERBLOCK_SIZE as usize / 8;
/// Places in words.
const SEQUENCE: usize = 1;
const VERSION: usize = 2;
const CHECKSUM: usize = WORDS - 1;
const FLAG_CLEAN: u32 = 1;

/// A durable root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// One more at each write.
    pub sequence: u64,
    /// The version.
    pub version: u64,
    /// Its state map.
    pub state: u64,
    /// The symbol directory, 0 for none.
    pub symbols: u64,
    /// Number of symbols that the directory may be read for.
    pub symbol_count: u64,
    /// Time of that version, ms since 1970.
    pub time: u64,
    /// backed_len.
    pub backed: u64,
    /// High-water block.
    pub high_water: u64,
    /// Incarnation.
    pub incarnation: u32,
    /// Was the slab closed with nothing waiting in limbo?
    pub clean: bool,
    /// Uuid of its slab.
    pub uuid: [u8; 16],
}

/// The two places.
pub const PLACES: [u64; 2] = [SUPERBLOCK_A, SUPERBLOCK_B];

fn checksum(words: &[u64; WORDS], place: u64) -> u64 {
    let bytes: Vec<u8> = words[..CHECKSUM].iter().flat_map(|w| w.to_le_bytes()).collect();
    xxh64(&bytes, place)
}

impl Superblock {
    /// Its words at `place`, which is part of the checksum: a superblock copied over the other one is seen.
    fn encode(&self, place: u64) -> [u64; WORDS] {
        let mut w = [0; WORDS];
        let uuid = |half: usize| u64::from_le_bytes(self.uuid[half..half + 8].try_into().expect("eight bytes"));
        let flags = if self.clean { FLAG_CLEAN } else { 0 };
        let fields = [
            u64::from_le_bytes(SUPERBLOCK_MAGIC),
            self.sequence,
            self.version,
            self.state,
            self.symbols,
            self.symbol_count,
            self.time,
            self.backed,
            self.high_water,
            self.incarnation as u64 | (flags as u64) << 32,
            uuid(0),
            uuid(8),
        ];
        w[..fields.len()].copy_from_slice(&fields);
        w[CHECKSUM] = checksum(&w, place);
        w
    }

    /// Its bytes at `place`.
    pub fn bytes(&self, place: u64) -> [u8; SUPERBLOCK_SIZE as usize] {
        let words = self.encode(place);
        std::array::from_fn(|i| words[i / 8].to_le_bytes()[i % 8])
    }

    fn decode(w: &[u64; WORDS], place: u64) -> Option<Superblock> {
        if w[0] != u64::from_le_bytes(SUPERBLOCK_MAGIC) || w[CHECKSUM] != checksum(w, place) {
            return None;
        }
        let mut uuid = [0; 16];
        uuid[..8].copy_from_slice(&w[10].to_le_bytes());
        uuid[8..].copy_from_slice(&w[11].to_le_bytes());
        Some(Superblock {
            sequence: w[SEQUENCE],
            version: w[VERSION],
            state: w[3],
            symbols: w[4],
            symbol_count: w[5],
            time: w[6],
            backed: w[7],
            high_water: w[8],
            incarnation: w[9] as u32,
            clean: (w[9] >> 32) as u32 & FLAG_CLEAN != 0,
            uuid,
        })
    }

    /// The superblock at `place`, if it is whole.
    pub fn load(map: &Mapping, place: u64) -> Option<Superblock> {
        let words = std::array::from_fn(|i| map.atomic_u64(place + i as u64 * 8).load(Acquire));
        Superblock::decode(&words, place)
    }

    /// Writes it at `place`. The caller holds the SYNC lock, or is alone.
    pub fn store(&self, map: &Mapping, place: u64) {
        for (i, word) in self.encode(place).into_iter().enumerate() {
            // Release: each store comes after those before it, the checksum last; and a scanner that sees the new version in place of the
            // old one sees what the caller did before, its pin included.
            map.atomic_u64(place + i as u64 * 8).store(word, Release);
        }
    }

    /// Is it one of the slab with that uuid, and does it tell possible sizes?
    fn is_sound(&self, uuid: &[u8; 16]) -> bool {
        let end = self.high_water.checked_mul(BLOCK_SIZE);
        self.uuid == *uuid
            && self.version > 0
            && self.version < FRESH
            && self.high_water >= HEADER_SIZE / BLOCK_SIZE
            && end.is_some_and(|end| end <= self.backed)
    }
}

/// The versions in both superblocks, as memory has them: pins that belong to the slab (D2).
pub fn versions(map: &Mapping) -> [u64; 2] {
    PLACES.map(|at| map.atomic_u64(at + VERSION as u64 * 8).load(Acquire))
}

/// The valid superblocks of the slab with that uuid, best first: the later version, and of equal ones the later write.
pub fn valid(map: &Mapping, uuid: &[u8; 16]) -> Vec<(u64, Superblock)> {
    let mut found: Vec<_> = PLACES
        .iter()
        .filter_map(|&at| Superblock::load(map, at).map(|s| (at, s)))
        .filter(|(_, s)| s.is_sound(uuid))
        .collect();
    found.sort_by_key(|(_, s)| std::cmp::Reverse((s.version, s.sequence)));
    found
}

/// The place that was not written last, whatever it holds: what must not be taken, as a test shows.
fn last_written_other(map: &Mapping) -> u64 {
    let sequence = |at: u64| map.atomic_u64(at + SEQUENCE as u64 * 8).load(Acquire);
    PLACES[(sequence(SUPERBLOCK_A) > sequence(SUPERBLOCK_B)) as usize]
}

/// Where the next superblock goes (an invalid place, else the worse one) and its sequence number.
pub fn next_place(map: &Mapping, uuid: &[u8; 16]) -> (u64, u64) {
    let found = valid(map, uuid);
    let place = match found.first() {
        _ if weakened("sync: the lower superblock") => last_written_other(map),
        Some((best, _)) => PLACES[(*best == SUPERBLOCK_A) as usize],
        None => SUPERBLOCK_A,
    };
    (place, found.iter().map(|(_, s)| s.sequence).max().unwrap_or(0) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::memory::Memory;

    const UUID: [u8; 16] = [9; 16];

    fn at_version(version: u64, sequence: u64) -> Superblock {
        Superblock {
            sequence,
            version,
            state: EMPTY_MAP,
            symbols: 0,
            symbol_count: 3,
            time: 77,
            backed: HEADER_SIZE,
            high_water: 48,
            incarnation: 5,
            clean: true,
            uuid: UUID,
        }
    }

    fn stored(a: Option<Superblock>, b: Option<Superblock>) -> Memory {
        let m = Memory::new(HEADER_SIZE);
        for (place, s) in PLACES.into_iter().zip([a, b]) {
            if let Some(s) = s {
                s.store(&m.map, place);
            }
        }
        m
    }

    fn copy(map: &Mapping, from: u64, to: u64) {
        for i in (0..SUPERBLOCK_SIZE).step_by(8) {
            map.atomic_u64(to + i)
                .store(map.atomic_u64(from + i).load(Relaxed), Relaxed);
        }
    }

    #[test]
    fn a_superblock_reads_back_as_written() {
        let s = at_version(8, 3);
        let m = stored(Some(s), None);
        assert_eq!(Superblock::load(&m.map, SUPERBLOCK_A), Some(s));
        assert_eq!(Superblock::load(&m.map, SUPERBLOCK_B), None);
    }

    #[test]
    fn the_later_version_is_best_and_of_equal_ones_the_later_write() {
        for (a, b, best) in [
            ((8, 3), (7, 4), SUPERBLOCK_A),
            ((7, 4), (8, 3), SUPERBLOCK_B),
            ((8, 3), (8, 4), SUPERBLOCK_B),
        ] {
            let m = stored(Some(at_version(a.0, a.1)), Some(at_version(b.0, b.1)));
            assert_eq!(valid(&m.map, &UUID)[0].0, best);
            let (place, sequence) = next_place(&m.map, &UUID);
            assert_ne!(place, best, "the best superblock must never be overwritten");
            assert_eq!(sequence, 5);
        }
    }

    #[test]
    fn every_flipped_bit_makes_a_superblock_invalid_and_its_place_the_next() {
        let m = stored(Some(at_version(9, 2)), Some(at_version(8, 1)));
        for bit in 0..SUPERBLOCK_SIZE * 8 {
            let word = m.map.atomic_u64(SUPERBLOCK_A + bit / 64 * 8);
            word.fetch_xor(1 << (bit % 64), Relaxed);
            assert_eq!(valid(&m.map, &UUID).len(), 1, "bit {bit}");
            assert_eq!(next_place(&m.map, &UUID).0, SUPERBLOCK_A, "bit {bit}");
            word.fetch_xor(1 << (bit % 64), Relaxed);
        }
        assert_eq!(valid(&m.map, &UUID).len(), 2);
    }

    #[test]
    fn a_superblock_copied_over_the_other_is_seen() {
        let m = stored(Some(at_version(9, 2)), Some(at_version(8, 1)));
        copy(&m.map, SUPERBLOCK_A, SUPERBLOCK_B);
        assert_eq!(
            valid(&m.map, &UUID).iter().map(|v| v.0).collect::<Vec<_>>(),
            [SUPERBLOCK_A]
        );
    }

    #[test]
    fn a_superblock_of_another_slab_or_of_impossible_sizes_is_not_valid() {
        let other = Superblock {
            uuid: [1; 16],
            ..at_version(9, 1)
        };
        let beyond = Superblock {
            high_water: 49,
            ..at_version(9, 1)
        };
        // So far beyond that its offset doesn't fit 64 bits.
        let wrapped = Superblock {
            high_water: 1 << 48 | 48,
            ..at_version(9, 1)
        };
        let zero = Superblock {
            version: 0,
            ..at_version(9, 1)
        };
        for bad in [other, beyond, wrapped, zero] {
            assert!(valid(&stored(Some(bad), None).map, &UUID).is_empty());
        }
    }

    #[test]
    fn a_writer_killed_at_any_store_leaves_the_other_superblock_best_or_a_whole_new_one() {
        let (old, best, new) = (at_version(5, 1), at_version(6, 2), at_version(7, 3));
        for done in 0..=WORDS {
            let m = stored(Some(old), Some(best));
            for (at, word) in new.encode(SUPERBLOCK_A).into_iter().enumerate().take(done) {
                m.map.atomic_u64(SUPERBLOCK_A + at as u64 * 8).store(word, Relaxed);
            }
            let finished = done == WORDS;
            assert_eq!(
                valid(&m.map, &UUID)[0].1,
                if finished { new } else { best },
                "after {done} stores"
            );
            assert_eq!(
                next_place(&m.map, &UUID).0,
                if finished { SUPERBLOCK_B } else { SUPERBLOCK_A },
                "after {done} stores"
            );
            assert!(versions(&m.map).contains(&6), "the valid version must stay pinned");
        }
    }
}
