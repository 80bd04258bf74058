//! Disk space: what a slab doesn't need goes back to the file system, and blocks get it again before anybody stores to them.

use super::file::{owned, SlabFile};
use super::found::Locked;
use super::LOCK_PUNCH;
use crate::epoch::agent::Agent;
use crate::error::{Error, Result};
use crate::slab::alloc::Memory;
use crate::slab::layout::*;
use crate::slab::punch::punch;
use crate::sys::{self, LockKind};
use std::fs::File;
use std::sync::atomic::Ordering::*;
use std::sync::MutexGuard;

/// Keeps blocks from being punched, by this process or another one, while it lives.
pub(super) struct Unpunched<'a>(
    #[allow(dead_code)] Option<Locked<'a>>,
    #[allow(dead_code)] MutexGuard<'a, ()>,
);

impl SlabFile {
    /// Gives the disk space (the memory, of an anonymous slab) of free blocks back: of runs of at least `least`, until `most` blocks are done. Does
    /// nothing while another process is about it. Returns the number of blocks.
    pub fn punch_free(&self, agent: &Agent, least: u64, most: u64) -> Result<u64> {
        if self.read_only() || !self.allocates {
            return Ok(0);
        }
        // A collection by hand gives back what our own background leaves; another process may be stopped.
        let _alone = owned(&self.punching);
        let failed = |e: std::io::Error| Error::io("lock", &self.path, &e);
        let _lock = match &self.file {
            None => None,
            Some(file) if sys::try_lock(file, LOCK_PUNCH, LockKind::Write).map_err(failed)? => {
                Some(Locked { file, byte: LOCK_PUNCH })
            }
            Some(_) => return Ok(0),
        };
        let map = &self.map;
        punch(Memory { map, file: self }, agent.index as u16, least, most)
    }

    /// Waits until nobody punches, and keeps others from beginning.
    pub(super) fn keep_unpunched(&self) -> std::io::Result<Unpunched<'_>> {
        let alone = owned(&self.punching);
        let lock = match &self.file {
            None => None,
            Some(file) => {
                sys::lock(file, LOCK_PUNCH, LockKind::Write)?;
                Some(Locked { file, byte: LOCK_PUNCH })
            }
        };
        Ok(Unpunched(lock, alone))
    }

    /// The last one closes the slab, behind the GATE: all free blocks, and what was allocated beyond the last block, go back. The file stays as long as it
    /// is. It is no promise: what fails here is left as it is.
    pub(super) fn give_space_back(&self, file: &File) {
        let memory = Memory {
            map: &self.map,
            file: self,
        };
        if !self.allocates {
            return;
        }
        if let Ok(agent) = Agent::claim(memory, self.participant()) {
            let _ = self.punch_free(&agent, 1, u64::MAX);
            agent.release(memory);
        }
        let (end, backed) = (
            self.map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire) * BLOCK_SIZE,
            self.map.atomic_u64(CONTROL_BACKED),
        );
        let was = backed.load(Acquire);
        if was > end {
            // First: what lies below it is allocated.
            backed.store(end, Release);
            let _ = sys::punch(file, end + SLACK, was - end);
        }
    }
}
