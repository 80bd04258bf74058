//! Transactions: read a version, build the next one beside it, swing the root.
//!
//! T1. A transaction keeps its base pinned until its commit has succeeded or been given up.
//! T2. Nothing that can fail stands between the first stamp and the root CAS.
//! T3. A commit makes exactly version base + 1; it fails only because another commit succeeded.
//! T4. What the transaction made and its commit doesn't reach is freed with it, or goes to limbo if handles to it may have escaped.

pub mod ops;

use crate::coll::map;
use crate::epoch::group::group_add;
use crate::epoch::limbo::Retired;
use crate::epoch::pin::{Slot, Version};
use crate::epoch::record::{is_beaten, publish, release, still_current, Content};
use crate::epoch::retire::Plan;
use crate::epoch::worker::{Atoms, Worker};
use crate::epoch::Shared;
use crate::error::{Error, Result};
use crate::handle::{Slab, View};
use crate::slab::cell;
use crate::slab::free::{generation, size_of_object};
use crate::slab::layout::*;
use crate::slab::writer::{Uncommitted, Writer};
use crate::sys;
use crate::value::{equal, hash_word};
use std::sync::atomic::Ordering::*;

/// How a commit ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// The view is the new version, or the base if nothing changed.
    Committed(View),
    /// Another commit changed what this transaction had read. Run it again.
    Conflict,
}

/// A transaction in flight. Dropping it aborts it.
pub struct Txn {
    slab: Slab,
    worker: Option<Box<Worker>>,
    base: Version,
    slot: Slot,
    /// Does the other slot still pin the base before this one?
    keeps_last: bool,
    state: u64,
    retired: u64,
    uncommitted: Uncommitted,
    /// Atoms read or written, with their words in the base.
    seen: Atoms,
    writes: Atoms,
    /// Index of its group.
    group: Option<usize>,
}

impl Txn {
    /// Begins on the current version. With a group, every version that the transaction sees or makes is added to it.
    pub fn begin(slab: &Slab, group: Option<u32>) -> Result<Txn> {
        if slab.read_only() {
            return Err(Error::ReadOnly);
        }
        Txn::scratch(slab, group)
    }

    /// A transaction that must not be committed, also of a slab that is open read-only: its memory is private to this process.
    pub(crate) fn scratch(slab: &Slab, group: Option<u32>) -> Result<Txn> {
        slab.check()?;
        let group = group.map(|g| slab.group_index(g)).transpose()?;
        let mut worker = slab.worker()?;
        let map = slab.map();
        let base = worker.agent.pin(map, Slot::A);
        map.agent(worker.agent.index).floor.store(base.number + 1, Release);
        if let Some(g) = group {
            group_add(map, g, base.number);
        }
        let r = map.record(base.record);
        let (state, retired) = (r.state.load(Relaxed), r.retired.load(Relaxed));
        let uncommitted = std::mem::take(&mut worker.uncommitted);
        let (seen, writes) = (std::mem::take(&mut worker.seen), std::mem::take(&mut worker.writes));
        Ok(Txn {
            slab: slab.clone(),
            worker: Some(worker),
            base,
            slot: Slot::A,
            keeps_last: false,
            state,
            retired,
            uncommitted,
            seen,
            writes,
            group,
        })
    }

    /// The version that the transaction reads.
    pub fn base(&self) -> View {
        self.slab.view(self.base)
    }

    /// The slab.
    pub fn slab(&self) -> &Slab {
        &self.slab
    }

    /// Runs `f` with the transaction's writer.
    pub fn write<T>(&mut self, f: impl FnOnce(&mut Writer) -> T) -> T {
        let worker = self.worker.as_mut().expect("the transaction is in flight");
        let memory = self.slab.memory();
        f(&mut Writer::new(
            memory,
            &mut worker.agent.alloc,
            self.base.number,
            &mut self.uncommitted,
        ))
    }

    fn in_state(&self, state: u64, atom: u64) -> Result<Option<u64>> {
        let r = self.slab.map().reader();
        map::get(r, state, atom, hash_word(r, atom)?)
    }

    /// Where `atom` stands in `list`. Names that are objects, like long strings, can be equal without being one word.
    fn find(&self, list: &[(u64, Option<u64>)], atom: u64) -> Result<Option<usize>> {
        if let Some(i) = list.iter().position(|e| e.0 == atom) {
            return Ok(Some(i));
        }
        let r = self.slab.map().reader();
        for (i, e) in list.iter().enumerate() {
            if (is_pointer(atom) || is_pointer(e.0)) && equal(r, e.0, atom)? {
                return Ok(Some(i));
            }
        }
        Ok(None)
    }

    /// Notes that the outcome depends on `atom`.
    fn see(&mut self, atom: u64) -> Result<Option<u64>> {
        if let Some(i) = self.find(&self.seen, atom)? {
            return Ok(self.seen[i].1);
        }
        let v = self.in_state(self.state, atom)?;
        self.seen.push((atom, v));
        Ok(v)
    }

    /// Value of the atom named `atom`, as this transaction has left it. None if there is no such atom.
    pub fn get(&mut self, atom: u64) -> Result<Option<u64>> {
        if let Some(i) = self.find(&self.writes, atom)? {
            return Ok(self.writes[i].1);
        }
        self.see(atom)
    }

    /// Sets the atom named `atom`, making it if there is none.
    pub fn set(&mut self, atom: u64, value: u64) -> Result<()> {
        self.put(atom, Some(value))
    }

    /// Removes the atom named `atom`.
    pub fn remove(&mut self, atom: u64) -> Result<()> {
        self.put(atom, None)
    }

    fn put(&mut self, atom: u64, value: Option<u64>) -> Result<()> {
        self.see(atom)?;
        match self.find(&self.writes, atom)? {
            Some(i) => self.writes[i].1 = value,
            None => self.writes.push((atom, value)),
        }
        Ok(())
    }

    /// The base's state map with the writes in it.
    fn new_state(&mut self) -> Result<u64> {
        let writes = std::mem::take(&mut self.writes);
        let mut state = self.state;
        let result = self.write(|w| {
            for &(atom, value) in &writes {
                let hash = hash_word(w.reader(), atom)?;
                state = match value {
                    Some(v) => map::assoc(w, 0, state, atom, hash, v)?,
                    None => map::dissoc(w, 0, state, atom, hash)?,
                };
            }
            Ok(state)
        });
        self.writes = writes;
        result
    }

    /// Commits. `escaped`: handles to objects of this transaction may be used after it.
    ///
    /// # Errors
    /// Nothing was committed, except after [`Error::NotDurable`]: then the new version is there, but it
    /// couldn't be written to disk as [`SyncMode`](crate::SyncMode) asks, or an earlier one couldn't.
    pub fn commit(mut self, escaped: bool) -> Result<Outcome> {
        let outcome = self.commit_in_place(escaped)?;
        if let Outcome::Committed(view) = outcome {
            self.slab.committed(&view)?;
        }
        Ok(outcome)
    }

    /// [`Txn::commit`] without the write to disk that [`SyncMode`](crate::SyncMode) asks for: the caller makes up for it by [`Slab::committed`].
    pub(crate) fn commit_unsynced(mut self, escaped: bool) -> Result<Outcome> {
        self.commit_in_place(escaped)
    }

    /// Commits and ends.
    fn commit_in_place(&mut self, escaped: bool) -> Result<Outcome> {
        if self.writes.is_empty() {
            let view = self.base();
            self.end(escaped);
            return Ok(Outcome::Committed(view));
        }
        let mut plan = self.worker.as_mut().expect("in flight").plan.take().unwrap_or_default();
        let outcome = self.attempts(&mut plan, escaped);
        if let Some(w) = self.worker.as_mut() {
            w.plan = Some(plan);
        }
        self.end(escaped);
        outcome
    }

    fn attempts(&mut self, plan: &mut Plan, escaped: bool) -> Result<Outcome> {
        let mut first = true;
        loop {
            if self.base.number + 1 >= FRESH {
                return Err(Error::limit("versions of a slab (2^47)"));
            }
            // A race that is lost already costs no plan.
            if is_beaten(self.slab.map(), self.base) {
                self.step_aside();
                if !self.move_on()? {
                    return Ok(Outcome::Conflict);
                }
            }
            let state = self.new_state()?;
            if state == self.state {
                return Ok(Outcome::Committed(self.base()));
            }
            let old = self.state;
            self.write(|w| plan.compute(w, old, state))?;
            if self.let_go() && !can_move(plan) {
                return Ok(Outcome::Conflict);
            }
            let worker = self.worker.as_mut().expect("in flight");
            if let Some(record) = worker.agent.claim_record(self.slab.memory(), self.base)? {
                if let Some(view) = self.publish(plan, state, record) {
                    self.slab.notify();
                    if first {
                        self.worker.as_mut().expect("in flight").contention.won();
                    }
                    self.after_commit(plan, escaped);
                    return Ok(Outcome::Committed(view));
                }
                let agent = self.worker.as_ref().expect("in flight").agent.index;
                release(self.slab.map(), record, agent, self.base);
            }
            self.write(|w| w.unstamp());
            first = false;
            self.worker.as_mut().expect("in flight").contention.lost();
            self.step_aside();
            if !self.rebase(plan)? {
                return Ok(Outcome::Conflict);
            }
        }
    }

    /// Lets others commit for a moment, if races were lost lately.
    fn step_aside(&mut self) {
        let pause = self.worker.as_mut().expect("in flight").contention.pause();
        if !pause.is_zero() {
            sys::spin(pause);
        }
    }

    /// Steps 3 to 7 of the commit (`docs/concurrency.md`): nothing in here can fail but the race itself (T2).
    /// The view is made of what we stored: the record isn't pinned, and may hold a later version as soon as it is the root.
    fn publish(&mut self, plan: &Plan, state: u64, record: usize) -> Option<View> {
        let map = self.slab.map();
        if !still_current(map, self.base) {
            return None;
        }
        let version = self.base.number + 1;
        for &at in &plan.reached {
            cell::stamp(map.atomic_u64(at), version);
        }
        for &at in &plan.shared {
            cell::share(map.atomic_u64(at));
        }
        if let Some(g) = self.group {
            group_add(map, g, version);
        }
        let bytes: u64 = plan.dead.iter().map(|d| d.bytes).sum();
        let (time_ms, retired) = (sys::now_ms(), self.retired.wrapping_add(bytes));
        let done = publish(
            map,
            record,
            self.base,
            Content {
                state,
                time: time_ms,
                retired,
            },
        );
        done.then(|| View {
            version,
            state,
            limit: map.backed(),
            time_ms,
            retired,
            record: record as u32,
        })
    }

    /// Retires what died, frees or retires what the commit doesn't reach.
    fn after_commit(&mut self, plan: &Plan, escaped: bool) {
        let death = self.base.number + 1;
        let map = *self.slab.map();
        let limbo = &mut self.worker.as_mut().expect("in flight").agent.limbo;
        for d in &plan.dead {
            limbo.push(Retired::new(d.at, d.name, death, d.generation, d.bytes));
        }
        if plan.orphans != 0 {
            map.atomic_u64(CONTROL_ORPHANS).fetch_add(plan.orphans, Relaxed);
        }
        if plan.reached.len() == self.uncommitted.live() {
            return self.uncommitted.clear();
        }
        // What is stamped was reached; what is still fresh wasn't.
        self.write(|w| w.forget_committed(&map));
        self.drop_fresh(escaped);
    }

    /// Frees the objects that are still fresh, or retires them with the interval of the base (T4).
    fn drop_fresh(&mut self, escaped: bool) {
        if self.uncommitted.live() == 0 {
            return self.uncommitted.clear();
        }
        if !escaped {
            return self.write(|w| w.free_all());
        }
        let map = *self.slab.map();
        let base = self.base.number;
        let fresh: Vec<u64> = self.write(|w| {
            w.unstamp();
            w.fresh().iter().filter(|f| f.at != 0).map(|f| f.at).collect()
        });
        self.uncommitted.clear();
        let limbo = &mut self.worker.as_mut().expect("in flight").agent.limbo;
        for at in fresh {
            let name = map.atomic_u64(at).load(Relaxed);
            let (generation, bytes) = (generation(&map, at), size_of_object(&map, at));
            limbo.push(Retired::new(at, name, base + 1, generation, bytes));
        }
    }

    /// After a lost race: moves the transaction to the current version if what it has read and linked is there as it was.
    fn rebase(&mut self, plan: &Plan) -> Result<bool> {
        let moved = can_move(plan) && self.move_on()?;
        self.let_go();
        Ok(moved)
    }

    /// Moves the transaction to the current version if what it has read is there as it was. The last base stays pinned until [`Txn::let_go`]: what the
    /// transaction has linked is alive there, and may be nowhere else if [`can_move`] says no.
    fn move_on(&mut self) -> Result<bool> {
        let map = *self.slab.map();
        let other = self.slot.other();
        let worker = self.worker.as_mut().expect("in flight");
        let now = worker.agent.pin(&map, other);
        let state = map.record(now.record).state.load(Relaxed);
        let same = self.is_unmoved(state);
        if !matches!(same, Ok(true)) {
            let worker = self.worker.as_mut().expect("in flight");
            worker.agent.unpin(&map, other);
            return same;
        }
        if let Some(g) = self.group {
            group_add(&map, g, now.number);
        }
        self.keeps_last = true;
        self.slot = other;
        self.base = now;
        self.state = state;
        self.retired = map.record(now.record).retired.load(Relaxed);
        Ok(true)
    }

    /// Unpins the base before this one. False: that wasn't pinned.
    fn let_go(&mut self) -> bool {
        if let (true, Some(worker)) = (self.keeps_last, &self.worker) {
            worker.agent.unpin(self.slab.map(), self.slot.other());
        }
        std::mem::take(&mut self.keeps_last)
    }

    /// Did only other atoms change from the base to `state`? Not if a name in it was removed, for which an atom's equal value doesn't vouch.
    fn is_unmoved(&self, state: u64) -> Result<bool> {
        if self.writes.iter().any(|(a, v)| v.is_none() && is_pointer(*a)) {
            return Ok(false);
        }
        let r = self.slab.map().reader();
        for &(atom, was) in &self.seen {
            let old_name = is_pointer(atom) && !header_fresh(r.node(atom)?.header());
            if old_name || self.in_state(state, atom)? != was {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives the transaction up. `escaped` as in [`Txn::commit`].
    pub fn abort(mut self, escaped: bool) {
        self.end(escaped);
    }

    /// Frees what is left, drops the pin, returns the worker. Does nothing the second time.
    fn end(&mut self, escaped: bool) {
        if self.worker.is_none() {
            return;
        }
        if self.slab.is_forked() {
            self.worker = None;
            return;
        }
        self.drop_fresh(escaped);
        let mut worker = self.worker.take().expect("checked");
        worker.uncommitted = std::mem::take(&mut self.uncommitted);
        self.seen.clear();
        self.writes.clear();
        (worker.seen, worker.writes) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.writes));
        let map = self.slab.map();
        map.agent(worker.agent.index).floor.store(0, Release);
        worker.agent.unpin(map, self.slot);
        if std::mem::take(&mut self.keeps_last) {
            worker.agent.unpin(map, self.slot.other());
        }
        let (starved, grown) = (worker.agent.alloc.was_starved(), worker.agent.alloc.has_grown());
        worker.agent.drain(self.slab.memory(), false);
        let given = worker.agent.alloc.has_given();
        self.slab.put_worker(worker);
        if given {
            self.slab.give_space_back_if_due();
        }
        if starved {
            // The slab can't grow. Whoever tries again finds all that could be freed.
            self.slab.reclaim();
        }
        if let Some(volume) = grown {
            self.slab.gc_if_due(volume);
        }
    }
}

impl Drop for Txn {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// May a transaction with that plan move to another version? What it has linked must live there: so it links no old object a second time, nor the base's
/// state map. (Of a plan beside a version other than the base all links to what isn't there are second ones.)
fn can_move(plan: &Plan) -> bool {
    !plan.keeps_state && plan.shared.is_empty()
}

/// Runs `f` until its transaction commits. `f` sees the transaction and returns what to hand back.
pub fn transact<T>(slab: &Slab, mut f: impl FnMut(&mut Txn) -> Result<T>) -> Result<(T, View)> {
    loop {
        let mut txn = Txn::begin(slab, None)?;
        let t = f(&mut txn)?;
        if let Outcome::Committed(view) = txn.commit(false)? {
            return Ok((t, view));
        }
    }
}

/// Error for an operation on an atom that doesn't exist.
pub fn no_such_atom() -> Error {
    Error::arg("there is no atom of that name in the slab")
}
