//! Limbo: objects that a commit made unreachable, waiting until no pin meets their interval.

use super::agent::Agent;
use super::pin::Pinned;
use crate::slab::alloc::{size_of_object, Memory};
use crate::slab::layout::header_fresh;
use crate::slab::writer::Writer;

/// A retired object.
#[derive(Clone, Copy, Debug)]
pub struct Retired {
    /// Offset.
    pub at: u64,
    /// Its header when it was retired: its name.
    pub name: u64,
    /// First version that reaches it.
    pub birth: u64,
    /// First version that doesn't.
    pub death: u64,
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

    /// Nothing waits?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Frees what was never committed, whatever is pinned.
    pub(crate) fn free_uncommitted(agent: &mut Agent, memory: Memory) {
        agent.limbo.entries.retain(|r| {
            let fresh = header_fresh(r.name);
            if fresh {
                Writer::free_retired(&mut agent.alloc, memory, r.at, r.name);
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
            if r.death > seen || pinned.meets(r.birth, r.death) {
                entries[kept] = r;
                kept += 1;
                bytes += size_of_object(memory.map, r.at);
            } else {
                // What stands together died together: the next ones will most likely be freed as well.
                if let Some(ahead) = entries.get(i + AHEAD) {
                    memory.map.prefetch(ahead.at, 8);
                }
                Writer::free_retired(&mut agent.alloc, memory, r.at, r.name);
            }
        }
        entries.truncate(kept);
        agent.limbo = Limbo {
            entries,
            survivors: kept,
            bytes,
            bytes_survived: bytes,
        };
    }
}
