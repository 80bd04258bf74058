//! A bit for every place where an object can start.

use crate::slab::layout::BLOCK_BITS;

/// log2 of the objects' alignment.
const ALIGN_BITS: u32 = 4;
const BLOCK_WORDS: u64 = 1 << (BLOCK_BITS - ALIGN_BITS - 6);

/// A set of offsets. It takes 1/128 of the slab's size, of which the system gives only what is used.
#[derive(Debug)]
pub struct Marks(Vec<u64>);

impl Marks {
    /// An empty set of offsets in the first `blocks` blocks.
    pub fn new(blocks: u64) -> Marks {
        Marks(vec![0; (blocks * BLOCK_WORDS) as usize])
    }

    /// Adds `at`. None: it lies outside. Some(false): it was there.
    #[inline]
    pub fn insert(&mut self, at: u64) -> Option<bool> {
        let word = self.0.get_mut((at >> (ALIGN_BITS + 6)) as usize)?;
        let bit = 1 << (at >> ALIGN_BITS & 63);
        let new = *word & bit == 0;
        *word |= bit;
        Some(new)
    }

    /// Is `at` in the set?
    #[inline]
    pub fn contains(&self, at: u64) -> bool {
        let word = self.0.get((at >> (ALIGN_BITS + 6)) as usize);
        word.is_some_and(|w| w & 1 << (at >> ALIGN_BITS & 63) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_set_of_offsets() {
        let mut marks = Marks::new(2);
        let mut model = std::collections::BTreeSet::new();
        let mut x = 7u64;
        for _ in 0..10_000 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let at = ((x >> 40) % (2 << BLOCK_BITS)) & !15;
            assert_eq!(marks.contains(at), model.contains(&at));
            assert_eq!(marks.insert(at), Some(model.insert(at)));
        }
        assert_eq!(marks.insert(2 << BLOCK_BITS), None);
        assert!(!marks.contains(!15));
    }
}
