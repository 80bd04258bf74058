//! Limbo: objects that a commit made unreachable, waiting until no pin meets their interval.

use super::agent::Agent;
use super::pin::Pinned;
use crate::slab::alloc::Memory;
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

/// An agent's retired objects.
#[derive(Debug, Default)]
pub struct Limbo {
    entries: Vec<Retired>,
    survivors: usize,
}

impl Limbo {
    /// Adds a retired object.
    pub fn push(&mut self, r: Retired) {
        self.entries.push(r);
    }

    /// Number of objects that wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Has enough come since the last drain to try again? Grows with what pins hold, so that the work stays proportional to the garbage.
    pub fn is_due(&self) -> bool {
        self.entries.len() >= BATCH + 2 * self.survivors
    }

    /// Nothing waits?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Frees what no pin meets, judged by `pinned`, the answer of a scan at root version `seen`.
    pub(crate) fn drain(agent: &mut Agent, memory: Memory, pinned: &Pinned, seen: u64) {
        let mut kept = 0;
        let mut entries = std::mem::take(&mut agent.limbo.entries);
        for i in 0..entries.len() {
            let r = entries[i];
            if r.death > seen || pinned.meets(r.birth, r.death) {
                entries[kept] = r;
                kept += 1;
            } else {
                Writer::free_committed(&mut agent.alloc, memory, r.at, r.name);
            }
        }
        entries.truncate(kept);
        agent.limbo = Limbo { entries, survivors: kept };
    }
}
