//! `gc`: the tracing collector on an opened slab, by hand and in the background.

use crate::error::{Error, Result};
use crate::handle::Slab;
use crate::slab::layout::CONTROL_VOLUME;
use crate::trace::{is_due, trace, Progress, Traced};
use std::sync::atomic::Ordering::*;

/// Lets the next trace of this process start, also after a panic.
struct Done<'a>(&'a Slab);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.tracing().store(false, Release);
    }
}

impl Slab {
    /// Frees everything that no version in use reaches, and gives empty blocks back for any use; processes that were killed hold
    /// nothing any more. Readers and writers of all processes go on meanwhile.
    /// What the two last synced versions, snapshots or other processes' old values still hold is freed when they let it go.
    pub fn gc(&self) -> Result<Traced> {
        self.gc_telling(&mut |_| Ok(()))
    }

    /// [`Slab::gc`] that tells now and then how far it is; an error of `tell` ends it, and nothing is lost.
    pub fn gc_telling(&self, tell: &mut dyn FnMut(Progress) -> Result<()>) -> Result<Traced> {
        self.collect(true, tell)
    }

    /// `thorough`: idle agents give their blocks back, so that the sweep finds the empty ones.
    fn collect(&self, thorough: bool, tell: &mut dyn FnMut(Progress) -> Result<()>) -> Result<Traced> {
        self.check()?;
        if self.read_only() {
            return Err(Error::ReadOnly);
        }
        self.reap()?;
        let mut worker = self.worker()?;
        let mut idle = self.idle_workers();
        let mut known = Vec::new();
        for w in idle.iter_mut().chain([&mut worker]) {
            w.agent.drain(self.memory(), true);
            known.extend(w.agent.limbo.entries().iter().map(|r| r.at));
            if thorough && !w.agent.limbo.has_uncommitted() {
                w.agent.alloc.shelve_all(self.map());
            }
        }
        idle.into_iter().for_each(|w| self.put_worker(w));
        let roots = || self.durable_roots();
        let check = &mut |p| {
            self.check()?;
            tell(p)
        };
        let traced = trace(self.memory(), &mut worker.agent, &roots, &known, check);
        worker.agent.drain(self.memory(), false);
        self.put_worker(worker);
        traced
    }

    /// Starts a trace in the background if one is worth its time. Called when the slab has grown, by an agent that has allocated `volume` bytes since it
    /// did so last.
    pub(crate) fn gc_if_due(&self, volume: u64) {
        self.map().atomic_u64(CONTROL_VOLUME).fetch_add(volume, Relaxed);
        if self.read_only() || !is_due(self.map()) || self.tracing().swap(true, AcqRel) {
            return;
        }
        let slab = self.clone();
        let run = move || {
            let _done = Done(&slab);
            // A failure is nobody's in particular: a damaged slab will tell whoever reads that place.
            let _ = slab.collect(false, &mut |_| Ok(()));
        };
        #[cfg(not(target_family = "wasm"))]
        if std::thread::Builder::new().name("eve-gc".into()).spawn(run).is_err() {
            // No thread to have: the next growth tries again.
            self.tracing().store(false, Release);
        }
        #[cfg(target_family = "wasm")]
        run();
    }
}
