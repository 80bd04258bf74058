//! Epochs: who may still be reading what, and what may be freed.
//!
//! The protocols are functions over [`Shared`], a view of the slab's tables, so that loom checks the very code that runs (`tests/loom.rs`).
//! `docs/concurrency.md` holds the arguments.
//!
//! E1. A pin word PINNED(v), or PENDING from before a scan's fence on, protects every object with birth <= v < death.
//! E2. A scan's answer judges only deaths up to the root version that its caller had seen before it.
//! E3. An object is freed only when no pin, group, durable version or tracer interval meets [birth, death).
//! E4. A record is recycled only when no pin is on its version; so while a base is pinned, root == its index means "still that version".

#[cfg(not(loom))]
pub mod agent;
pub mod contention;
pub mod group;
#[cfg(all(unix, not(loom)))]
pub mod held;
pub mod hold;
#[cfg(not(loom))]
pub mod limbo;
pub mod pin;
pub mod record;
#[cfg(not(loom))]
pub mod retire;
#[cfg(not(loom))]
mod tables;
pub mod wait;
#[cfg(not(loom))]
pub mod worker;

use crate::sync::{AtomicU32, AtomicU64};

/// One thread's, transaction's or snapshot's line in the agent table.
#[repr(C)]
#[derive(Debug)]
pub struct AgentLine {
    /// Participant + 1, 0 when free.
    pub owner: AtomicU64,
    /// Pin A, pin B, and H: the pin used to help others.
    pub pins: [AtomicU64; 3],
    /// First base + 1 of the transaction in flight, 0 when none.
    pub floor: AtomicU64,
    /// Block + 1 in which cells are being freed.
    pub hazard: AtomicU64,
    /// Tracer's interval: lowest version + 1, 0 when none.
    pub sec_lo: AtomicU64,
    /// Tracer's interval: highest version.
    pub sec_hi: AtomicU64,
}

/// An interval of versions that a runtime's collected handles may still read.
#[repr(C)]
#[derive(Debug)]
pub struct GroupEntry {
    /// Participant + 1 and generation: see [`group`].
    pub owner: AtomicU64,
    /// Lowest version + 1, 0 when empty.
    pub lo: AtomicU64,
    /// Highest version.
    pub hi: AtomicU64,
    /// Zero.
    pub reserved: AtomicU64,
}

/// What a version is: recycled when nobody can read that version any more.
#[repr(C)]
#[derive(Debug)]
pub struct RootRecord {
    /// FREE, FILLING or LIVE (see [`record`]).
    pub meta: AtomicU64,
    /// The version.
    pub version: AtomicU64,
    /// Its state map.
    pub state: AtomicU64,
    /// Time of the commit, ms since 1970.
    pub time: AtomicU64,
    /// Bytes retired by all commits up to this one.
    pub retired: AtomicU64,
    /// Zero.
    pub reserved: [AtomicU64; 3],
}

/// The tables that the protocols run over.
pub trait Shared {
    /// The root word.
    fn root(&self) -> &AtomicU32;
    /// Number of records in use or usable.
    fn records(&self) -> usize;
    /// Record `i`, below [`Shared::records`].
    fn record(&self, i: usize) -> &RootRecord;
    /// Number of agent lines.
    fn agents(&self) -> usize;
    /// Agent line `i`.
    fn agent(&self, i: usize) -> &AgentLine;
    /// Number of pin groups.
    fn groups(&self) -> usize;
    /// Pin group `i`.
    fn group(&self, i: usize) -> &GroupEntry;
    /// The versions in the two superblocks.
    fn durable(&self) -> [u64; 2];
    /// Counts what has let old versions go: a hint that a scan may find less than before.
    fn releases(&self) -> &AtomicU64;
}
