//! Memory: the mapped bytes of a slab, what lies where in them, and who may write which cell.
//!
//! S1. A mapping never moves and is never cut while a [`mapping::Mapping`] lives; bytes below `backed_len` plus one page are allocated on disk, but for
//!     those of UNBACKED blocks, which read as zeros and are allocated before anybody stores there.
//! S2. The header of a cell is the only truth about it: 0 is free. Bitmaps and free counts are hints.
//! S3. Only the agent that owns a block makes cells of it fresh. Anyone may free a cell, by its exact name.
//! S4. A committed object never changes, but for the SHARED flag of its header.

#[cfg(not(loom))]
pub mod alloc;
pub mod cell;
#[cfg(not(loom))]
pub mod checksum;
#[cfg(not(loom))]
pub mod free;
#[cfg(not(loom))]
pub mod ident;
pub mod layout;
#[cfg(not(loom))]
pub mod mapping;
#[cfg(not(loom))]
pub mod punch;
#[cfg(not(loom))]
pub mod slots;
#[cfg(all(test, not(loom)))]
pub mod test_memory;
#[cfg(not(loom))]
pub mod writer;
