//! `gc`: the tracing collector on an opened slab.

use crate::error::Result;
use crate::handle::Slab;
use crate::trace::{trace, Progress, Traced};

impl Slab {
    /// Frees everything that no version in use reaches, and gives empty blocks back for any use. Readers and writers of all processes go on meanwhile.
    /// What the two last synced versions, snapshots or other processes' old values still hold is freed when they let it go.
    pub fn gc(&self) -> Result<Traced> {
        self.gc_telling(&mut |_| Ok(()))
    }

    /// [`Slab::gc`] that tells now and then how far it is; an error of `tell` ends it, and nothing is lost.
    pub fn gc_telling(&self, tell: &mut dyn FnMut(Progress) -> Result<()>) -> Result<Traced> {
        self.check()?;
        if self.read_only() {
            return Err(crate::error::Error::ReadOnly);
        }
        let mut worker = self.worker()?;
        let mut idle = self.idle_workers();
        let mut known = Vec::new();
        for w in idle.iter_mut().chain([&mut worker]) {
            w.agent.drain(self.memory(), true);
            known.extend(w.agent.limbo.entries().iter().map(|r| r.at));
            // So that the sweep can give their empty blocks back, and others use the rest.
            if !w.agent.limbo.has_uncommitted() {
                w.agent.alloc.shelve_all(self.map());
            }
        }
        let roots = || self.durable_roots();
        let check = &mut |p| {
            self.check()?;
            tell(p)
        };
        let traced = trace(self.memory(), &mut worker.agent, &roots, &known, check);
        worker.agent.drain(self.memory(), false);
        self.put_worker(worker);
        idle.into_iter().for_each(|w| self.put_worker(w));
        traced
    }
}
