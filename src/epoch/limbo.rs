//! Limbo: objects that a commit made unreachable, waiting until no pin meets their interval.

use super::agent::Agent;
use super::pin::Pinned;
use crate::slab::alloc::Memory;
use crate::slab::free::size_of_object;
use crate::slab::layout::{header_birth, header_fresh};

/// A retired object.
#[derive(Clone, Copy, Debug)]
pub struct Retired {
    /// Offset.
    pub at: u64,
    /// Its header when it was retired: its name.
    pub name: u64,
    /// First version that doesn't reach it.
    pub death: u64,
    /// Generation of its block when it was retired.
    pub generation: u32,
}

impl Retired {
    /// First version that reaches it. An object that was never committed may be in use by handles of its transaction's base.
    fn birth(&self) -> u64 {
        if header_fresh(self.name) {
            self.death - 1
        } else {
            header_birth(self.name)
        }
    }
}

/// Entries below which a drain isn't worth its scan.
const BATCH: usize = 256;

/// Headers fetched ahead by a drain: they have been waiting, so most are in no cache.
const AHEAD: usize = 16;

/// Bytes below which the same holds.
const BATCH_BYTES: u64 = 4 << 20;

/// An agent's retired objects.
#[derive(Debug, Default)]
pub struct Limbo {
    entries: Vec<Retired>,
    survivors: usize,
    bytes: u64,
    bytes_survived: u64,
}

impl Limbo {
    /// Adds a retired object of `bytes` bytes.
    pub fn push(&mut self, r: Retired, bytes: u64) {
        self.entries.push(r);
        self.bytes += bytes;
    }

    /// Number of objects that wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Has enough come since the last drain to try again? Grows with what pins hold, so that the work stays proportional to the garbage.
    pub fn is_due(&self) -> bool {
        self.entries.len() >= BATCH + 2 * self.survivors || self.bytes >= BATCH_BYTES + 2 * self.bytes_survived
    }

    /// What waits.
    pub fn entries(&self) -> &[Retired] {
        &self.entries
    }

    /// Does something wait that was never committed? Its block must stay its owner's.
    pub fn has_uncommitted(&self) -> bool {
        self.entries.iter().any(|r| header_fresh(r.name))
    }

    /// Nothing waits?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Frees what was never committed, whatever is pinned.
    pub(crate) fn free_uncommitted(agent: &mut Agent, memory: Memory) {
        agent.limbo.entries.retain(|r| {
            let fresh = header_fresh(r.name);
            if fresh {
                agent.alloc.free_retired(memory.map, r.at, r.name, r.generation);
            }
            !fresh
        });
    }

    /// Frees what no pin meets, judged by `pinned`, the answer of a scan at root version `seen`.
    pub(crate) fn drain(agent: &mut Agent, memory: Memory, pinned: &Pinned, seen: u64) {
        let (mut kept, mut bytes) = (0, 0);
        let mut entries = std::mem::take(&mut agent.limbo.entries);
        for i in 0..entries.len() {
            let r = entries[i];
            if r.death > seen || pinned.meets(r.birth(), r.death) {
                entries[kept] = r;
                kept += 1;
                bytes += size_of_object(memory.map, r.at);
            } else {
                // What stands together died together: the next ones will most likely be freed as well.
                if let Some(ahead) = entries.get(i + AHEAD) {
                    memory.map.prefetch(ahead.at, 8);
                }
                agent.alloc.free_retired(memory.map, r.at, r.name, r.generation);
            }
        }
        entries.truncate(kept);
        agent.alloc.trim(memory.map);
        agent.limbo = Limbo {
            entries,
            survivors: kept,
            bytes,
            bytes_survived: bytes,
        };
    }
}
