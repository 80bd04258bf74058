//! Durability: what survives a crash of the machine.
//!
//! D1. While one participant lives, the live root is the truth. With none alive it is so only if the page cache is the same one; else the
//!     best superblock is. The two are never mixed.
//! D2. The versions in both superblocks, as memory has them, are pinned: either page can reach the disk at any time.
//! D3. A superblock is stored only after all that its version reaches, and all that the other superblock says, was flushed.
//! D4. At every moment one of the two superblocks is valid, in memory and on disk: the invalid or the worse one is overwritten.
//! D5. After a failed flush nothing is called durable any more until the slab is recovered.
//! D6. Recovery may be cut short anywhere and is then done again: it never changes what the best superblock reaches.

pub mod control;
pub mod flush;
#[cfg(unix)]
pub mod recover;
pub mod superblock;

#[cfg(test)]
pub(crate) mod memory;
