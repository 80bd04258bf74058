//! The protocols' tables where they lie in a slab.

use super::{AgentLine, GroupEntry, RootRecord, Shared};
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sync::weakened;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};

const _: () = assert!(size_of::<AgentLine>() == AGENT_SIZE as usize);
const _: () = assert!(size_of::<GroupEntry>() == GROUP_SIZE as usize);
const _: () = assert!(size_of::<RootRecord>() == RECORD_SIZE as usize);

impl Shared for Mapping {
    fn root(&self) -> &AtomicU32 {
        self.atomic_u32(CONTROL_ROOT)
    }

    fn records(&self) -> usize {
        (self.atomic_u32(CONTROL_RECORDS_BACKED).load(Acquire) as usize).clamp(1, RECORDS_MAX as usize)
    }

    fn record(&self, i: usize) -> &RootRecord {
        let i = i % RECORDS_MAX as usize;
        // SAFETY: RootRecord is repr(C) of AtomicU64s and RECORD_SIZE long (asserted above); the table lies in the header.
        unsafe { Mapping::table_entry(self, RECORDS + i as u64 * RECORD_SIZE) }
    }

    fn agents(&self) -> usize {
        (self.atomic_u32(CONTROL_AGENTS_BACKED).load(Acquire) as usize).min(AGENTS_MAX as usize)
    }

    fn agent(&self, i: usize) -> &AgentLine {
        let i = i % AGENTS_MAX as usize;
        // SAFETY: as `record`, for AgentLine and AGENT_SIZE.
        unsafe { Mapping::table_entry(self, AGENTS + i as u64 * AGENT_SIZE) }
    }

    fn groups(&self) -> usize {
        (self.atomic_u32(CONTROL_GROUPS_BACKED).load(Acquire) as usize).min(GROUPS_MAX as usize)
    }

    fn group(&self, i: usize) -> &GroupEntry {
        let i = i % GROUPS_MAX as usize;
        // SAFETY: as `record`, for GroupEntry and GROUP_SIZE.
        unsafe { Mapping::table_entry(self, GROUPS + i as u64 * GROUP_SIZE) }
    }

    fn durable(&self) -> [u64; 2] {
        // The versions in the superblock pages, as memory has them: either can reach the disk at any time.
        if weakened("sync: superblocks are pins") {
            return [self.atomic_u64(CONTROL_DURABLE).load(Acquire); 2];
        }
        [SUPERBLOCK_A, SUPERBLOCK_B].map(|at| self.atomic_u64(at + 16).load(Acquire))
    }

    fn releases(&self) -> &AtomicU64 {
        self.atomic_u64(CONTROL_RELEASES)
    }
}
