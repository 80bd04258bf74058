//! Persistent maps, vectors, sets and lists in shared memory.
//!
//! A [`Slab`] is a memory-mapped file (or anonymous memory) in which immutable values live. Any number of processes, written in Rust, Clojure,
//! JavaScript, C or C++, read the same bytes where they lie; one atomic word selects the current version. Writers build new objects beside the
//! old ones and swing that word with one compare-and-swap; nothing is serialized or copied.
//!
//! The layers, lowest first; a module uses only those above it in this list:
//!
//! - [`sync`], `sys`, [`error`]: atomics, the operating system, errors
//! - [`slab`]: memory: the mapped bytes, the layout, cells and blocks
//! - [`epoch`]: who may still be reading what; root records
//! - `durable`, `open`: superblocks, creating, opening and closing files
//! - [`value`], [`coll`]: words, numbers, text, symbols; maps, sets, vectors, lists
//! - [`handle`], [`txn`]: what users open; transactions
//! - [`tools`]: verify, backup, compact
//! - `capi`: the C ABI, which all other languages use

// The tests inside the crate share support with those outside.
#[cfg(test)]
extern crate self as eve;

#[cfg(not(loom))]
pub mod capi;
#[cfg(not(loom))]
pub mod coll;
#[cfg(not(loom))]
mod collect;
#[cfg(not(loom))]
pub mod durable;
pub mod epoch;
#[cfg(not(loom))]
pub mod error;
#[cfg(not(loom))]
pub mod handle;
#[cfg(not(loom))]
pub mod open;
pub mod slab;
pub mod sync;
#[cfg(not(loom))]
pub mod sys;
#[cfg(all(unix, not(loom)))]
pub mod tools;
#[cfg(not(loom))]
pub mod trace;
#[cfg(not(loom))]
pub mod txn;
#[cfg(not(loom))]
pub mod value;

#[cfg(not(loom))]
pub use error::{Error, Result};
#[cfg(not(loom))]
pub use handle::{Slab, Snapshot, View};
#[cfg(not(loom))]
pub use open::{Options, SyncMode};
#[cfg(not(loom))]
pub use txn::{transact, Outcome, Txn};
