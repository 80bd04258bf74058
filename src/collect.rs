//! `gc`: the tracing collector on an opened slab, by hand and in the background.

use crate::error::{Error, Result};
use crate::handle::Slab;
use crate::slab::free::bytes_in_use;
use crate::slab::layout::{BLOCK_SIZE, CONTROL_VOLUME};
use crate::slab::mapping::Mapping;
use crate::slab::punch::backed_free;
use crate::trace::{is_due, trace, Progress, Traced, FLOOR};
use std::sync::atomic::Ordering::*;

/// Runs of free blocks of a MiB and more give their disk space back first: fewer calls of the system, and fewer holes in the file.
const RUN: u64 = 16;

/// Bytes of free blocks with disk space beyond what a slab may always hold on top of what is in use.
fn excess(map: &Mapping) -> u64 {
    (backed_free(map) * BLOCK_SIZE).saturating_sub(bytes_in_use(map) / 2 + FLOOR)
}

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
        let punched = (thorough && traced.is_ok()).then(|| self.punch_free(&worker.agent, 1, u64::MAX));
        self.put_worker(worker);
        punched.transpose()?;
        if !thorough {
            self.give_excess_back()?;
        }
        traced
    }

    /// Gives the disk space of free blocks back that the slab can't be expected to need soon: a trace lets half as much as lives become garbage.
    fn give_excess_back(&self) -> Result<()> {
        let excess = excess(self.map()) / BLOCK_SIZE;
        if excess > 0 {
            let worker = self.worker()?;
            // Then the others: what is left of the excess would make every drain look again.
            let punched = self
                .punch_free(&worker.agent, RUN, excess)
                .and_then(|done| self.punch_free(&worker.agent, 1, excess.saturating_sub(done)));
            self.put_worker(worker);
            punched?;
        }
        Ok(())
    }

    /// Does so in the background if it is much. Called when blocks have become free.
    pub(crate) fn give_space_back_if_due(&self) {
        if excess(self.map()) < bytes_in_use(self.map()) / 2 + FLOOR {
            return;
        }
        self.in_background(|slab| _ = slab.give_excess_back());
    }

    /// Starts a trace in the background if one is worth its time. Called when the slab has grown, by an agent that has allocated `volume` bytes since it
    /// did so last.
    pub(crate) fn gc_if_due(&self, volume: u64) {
        self.map().atomic_u64(CONTROL_VOLUME).fetch_add(volume, Relaxed);
        if !is_due(self.map()) {
            return;
        }
        // A failure is nobody's in particular: a damaged slab will tell whoever reads that place.
        self.in_background(|slab| _ = slab.collect(false, &mut |_| Ok(())));
    }

    /// Runs `work` in the background, unless something of the kind goes on.
    fn in_background(&self, work: fn(&Slab)) {
        if self.read_only() || self.tracing().swap(true, AcqRel) {
            return;
        }
        let slab = self.clone();
        let run = move || {
            let _done = Done(&slab);
            work(&slab);
        };
        #[cfg(not(target_family = "wasm"))]
        if std::thread::Builder::new().name("eve-gc".into()).spawn(run).is_err() {
            // No thread to have: the next occasion will do.
            self.tracing().store(false, Release);
        }
        #[cfg(target_family = "wasm")]
        run();
    }
}
