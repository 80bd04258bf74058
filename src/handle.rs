//! [`Slab`]: what users open. Versions, snapshots, pin groups, waiting; transactions are in [`crate::txn`].

use crate::durable::flush::{Candidate, Source};
use crate::durable::superblock;
use crate::epoch::agent::{grow_table, Agent, Pool};
use crate::epoch::group::{group_add, group_close, group_close_all, group_index, group_open};
use crate::epoch::hold::{hold, let_go, Root};
use crate::epoch::pin::{Slot, Version};
use crate::epoch::wait::{announce, enlist, leave};
use crate::epoch::worker::Worker;
use crate::epoch::Shared;
use crate::error::{Error, NotDurable, Result};
use crate::open::{Options, SlabFile, SyncMode, Syncer};
use crate::slab::alloc::Memory;
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::{Mapping, Reader};
use crate::value::symbol;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::Arc;
use std::time::Duration;

/// Garbage that a close may leave to a trace.
const LEFT_MAX: u64 = 1 << 20;

/// One version, as plain data. It can be read while something pins the version: a [`Snapshot`], a pin group, a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The version.
    pub version: u64,
    /// Its state map: atom name -> value.
    pub state: u64,
    /// Every object of the version starts below this offset.
    pub limit: u64,
    /// Time of its commit, ms since 1970.
    pub time_ms: u64,
    /// Bytes retired by all commits up to it.
    pub retired: u64,
    /// Its root record: while the version is current, the root word has this value.
    pub record: u32,
}

struct Inner {
    pool: Pool<Worker>,
    closed: AtomicBool,
    /// Is a thread of ours tracing?
    tracing: AtomicBool,
    /// Calls of [`Slab::wake`].
    wakes: AtomicU64,
    syncer: Syncer,
    file: Arc<SlabFile>,
}

/// An opened slab. Clones share it; it is closed by [`Slab::close`] or when the last clone goes.
#[derive(Clone)]
pub struct Slab(Arc<Inner>);

impl Slab {
    /// Opens the slab at `path`; creates it if it is missing, unless `options` say otherwise.
    pub fn open(path: &Path, options: &Options) -> Result<Slab> {
        Ok(Slab::over(SlabFile::open(path, options, &rebuild_symbols)?))
    }

    /// A new slab without a name, which lives as long as this process has it open.
    pub fn anonymous(options: &Options) -> Result<Slab> {
        Ok(Slab::over(SlabFile::anonymous(options)?))
    }

    /// The same slab once more, as a participant of its own: for another thread.
    #[cfg(target_family = "wasm")]
    pub fn attach(&self) -> Result<Slab> {
        Ok(Slab::over(self.0.file.attach()?))
    }

    fn over(file: SlabFile) -> Slab {
        Slab(Arc::new(Inner {
            pool: Pool::default(),
            closed: AtomicBool::new(false),
            tracing: AtomicBool::new(false),
            wakes: AtomicU64::new(0),
            syncer: Syncer::new(&file),
            file: Arc::new(file),
        }))
    }

    /// The mapped bytes.
    pub fn map(&self) -> &Mapping {
        self.0.file.mapping()
    }

    /// Mapping and file.
    pub fn memory(&self) -> Memory<'_> {
        Memory {
            map: self.map(),
            file: &*self.0.file,
        }
    }

    /// A reader of all that is allocated now. What is read must be pinned.
    pub fn reader(&self) -> Reader<'_> {
        self.map().reader()
    }

    /// May this process use the slab (not closed, not forked)?
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.0.closed.load(Acquire) {
            return Err(Error::Closed);
        }
        self.0.file.check_fork()
    }

    /// The bytes at `at`, a multiple of 8, as they are now: others may be writing them, so that parts may be old and others new.
    #[cfg(unix)]
    pub(crate) fn copy_bytes(&self, at: u64, out: &mut [u8]) -> Result<()> {
        if self.0.file.read_at(at, out)? {
            return Ok(());
        }
        for (i, word) in out.chunks_exact_mut(8).enumerate() {
            word.copy_from_slice(&self.map().atomic_u64(at + i as u64 * 8).load(Relaxed).to_le_bytes());
        }
        Ok(())
    }

    /// Path of its file; None for an anonymous slab.
    #[cfg(unix)]
    pub fn path(&self) -> Option<&Path> {
        self.0.file.named()
    }

    /// What the slab says about itself.
    pub fn ident(&self) -> &Ident {
        self.0.file.ident()
    }

    /// Was it opened read-only?
    pub fn read_only(&self) -> bool {
        self.0.file.read_only()
    }

    /// An idle or new worker, to write with.
    pub(crate) fn worker(&self) -> Result<Box<Worker>> {
        self.worker_for(true)
    }

    fn worker_for(&self, writes: bool) -> Result<Box<Worker>> {
        if let Some(w) = self.0.pool.take(writes) {
            return Ok(w);
        }
        let claim = || Agent::claim(self.memory(), self.0.file.participant());
        let agent = match claim() {
            // The table is full: perhaps of the dead.
            Err(Error::Limit(_)) if self.0.file.reap()? > 0 => claim()?,
            other => other?,
        };
        Ok(Box::new(Worker::new(agent)))
    }

    /// Takes a worker back.
    pub(crate) fn put_worker(&self, worker: Box<Worker>) {
        let Some(mut w) = self.0.pool.put(worker) else { return };
        w.agent.drain(self.memory(), true);
        if w.agent.limbo.is_empty() {
            w.agent.release(self.memory());
        } else {
            self.0.pool.keep(w);
        }
    }

    /// `version` as plain data; the caller has it pinned or has just made it.
    pub(crate) fn view(&self, version: Version) -> View {
        let map = self.map();
        let r = map.record(version.record);
        View {
            version: version.number,
            state: r.state.load(Relaxed),
            limit: map.backed(),
            time_ms: r.time.load(Relaxed),
            retired: r.retired.load(Relaxed),
            record: version.record as u32,
        }
    }

    /// Pins the current version until the snapshot is dropped.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.check()?;
        let mut worker = self.worker_for(false)?;
        let version = worker.agent.pin(self.map(), Slot::A);
        let view = self.view(version);
        Ok(Snapshot {
            slab: self.clone(),
            worker: Some(worker),
            view,
        })
    }

    /// A new, empty pin group: its number, from 1 on.
    pub fn open_group(&self) -> Result<u32> {
        self.check()?;
        let map = self.map();
        loop {
            let n = map.groups() as u64;
            if let Some(number) = group_open(map, self.owner()) {
                return Ok(number);
            }
            let what = "pin groups at once: too many old values are held; let them go or copy them out";
            let memory = self.memory();
            grow_table(memory, CONTROL_GROUPS_BACKED, n, GROUPS, GROUP_SIZE, GROUPS_MAX, what)?;
        }
    }

    /// How our place among the participants is written in the tables.
    fn owner(&self) -> u64 {
        self.0.file.participant() as u64 + 1
    }

    /// Index of our open group of that number.
    pub(crate) fn group_index(&self, group: u32) -> Result<usize> {
        self.check()?;
        group_index(self.map(), group, self.owner()).ok_or_else(no_such_group)
    }

    /// Adds the current version to `group` and returns it.
    pub fn group_view(&self, group: u32) -> Result<View> {
        let index = self.group_index(group)?;
        let mut worker = self.worker_for(false)?;
        let version = worker.agent.pin(self.map(), Slot::A);
        group_add(self.map(), index, version.number);
        let view = self.view(version);
        worker.agent.unpin(self.map(), Slot::A);
        self.put_worker(worker);
        Ok(view)
    }

    /// A snapshot of `view` is gone: tells those who have garbage waiting if it may have held as much as a group does.
    fn tell_if_much_went(&self, view: &View) {
        const MUCH: u64 = 1 << 20;
        let map = self.map();
        let record = map.root().load(Acquire) as usize;
        // Not pinned, so this may be the count of another version: then the hint is a wrong one.
        if map.record(record).retired.load(Relaxed).wrapping_sub(view.retired) > MUCH {
            map.releases().fetch_add(1, Relaxed);
        }
    }

    /// Lets all versions of `group` go.
    pub fn close_group(&self, group: u32) -> Result<()> {
        self.check()?;
        match group_close(self.map(), group, self.owner()) {
            true => Ok(()),
            false => Err(no_such_group()),
        }
    }

    /// The keyword (kind 0) or symbol (kind 1) of that name, made if it is new.
    pub fn intern(&self, kind: u8, namespace: Option<&[u8]>, name: &[u8]) -> Result<u64> {
        self.check()?;
        if let Some(word) = symbol::find(self.map(), kind, namespace, name)? {
            return Ok(word);
        }
        if self.read_only() {
            return Err(Error::ReadOnly);
        }
        let mut worker = self.worker()?;
        let word = symbol::intern(self.memory(), &mut worker.agent.alloc, kind, namespace, name);
        self.put_worker(worker);
        word
    }

    /// Number of the current version.
    pub fn version(&self) -> Result<u64> {
        Ok(self.snapshot()?.view().version)
    }

    /// Tells waiters of all processes that there is a new version.
    pub(crate) fn notify(&self) {
        let map = self.map();
        let notify = map.atomic_u32(CONTROL_NOTIFY);
        if announce(notify, map.atomic_u32(CONTROL_WAITERS)) {
            crate::sys::futex_wake(notify);
        }
    }

    /// Ends all waits of this opening of the slab.
    pub fn wake(&self) -> Result<()> {
        self.check()?;
        self.0.wakes.fetch_add(1, Release);
        self.notify();
        Ok(())
    }

    /// Sleeps until there is a version later than `seen`, and returns it; None after `timeout`, or when [`Slab::wake`] was
    /// called meanwhile.
    pub fn wait(&self, seen: u64, timeout: Option<Duration>) -> Result<Option<u64>> {
        /// A committer killed between its commit and its wake-up leaves sleepers behind: they look again after this.
        const CAP: Duration = Duration::from_secs(1);
        #[cfg(target_family = "wasm")]
        if timeout != Some(Duration::ZERO) && !crate::sys::can_wait() {
            return Err(Error::arg(
                "this thread must not block: wait in a worker, or look again with a timeout of 0",
            ));
        }
        // A time beyond what the clock can tell is no limit.
        let end = timeout.and_then(|t| crate::sys::monotonic().checked_add(t));
        let map = *self.map();
        let wakes = self.0.wakes.load(Acquire);
        let (notify, waiters) = (map.atomic_u32(CONTROL_NOTIFY), map.atomic_u32(CONTROL_WAITERS));
        loop {
            self.check()?;
            let n = enlist(notify, waiters);
            let now = self.version();
            let left = end.map_or(CAP, |e| e.saturating_sub(crate::sys::monotonic()).min(CAP));
            if matches!(now, Ok(v) if v <= seen) && !left.is_zero() && self.0.wakes.load(Acquire) == wakes {
                crate::sys::futex_wait(notify, n, left);
            }
            leave(waiters);
            let now = now?;
            if now > seen {
                return Ok(Some(now));
            }
            let now = self.version()?;
            if now > seen {
                return Ok(Some(now));
            }
            if self.0.wakes.load(Acquire) != wakes || end.is_some_and(|e| crate::sys::monotonic() >= e) {
                return Ok(None);
            }
        }
    }

    /// Makes the current version survive a crash of the machine. Returns the version that is durable now.
    pub fn sync(&self) -> Result<u64> {
        self.check()?;
        let target = self.version()?;
        self.0.file.sync(self, target)
    }

    /// Sees to it that `view`, just committed, becomes durable as the slab's options ask.
    pub(crate) fn committed(&self, view: &View) -> Result<()> {
        let file = &self.0.file;
        let result = match file.options().sync {
            SyncMode::Commit => file.sync(self, view.version).map(|_| ()),
            mode => {
                if self.0.syncer.after_commit(file, view.retired) {
                    self.reclaim();
                }
                match file.sync_error() {
                    Some(e) if mode != SyncMode::None => Err(e),
                    _ => Ok(()),
                }
            }
        };
        let version = view.version;
        result.map_err(|cause| Error::NotDurable(Box::new(NotDurable { version, cause })))
    }

    /// Is this a process forked after the slab was opened? It doesn't have the mapping: what it drops must not touch it.
    pub(crate) fn is_forked(&self) -> bool {
        self.0.file.check_fork().is_err()
    }

    /// All idle workers of this process, for [`Slab::put_worker`].
    #[allow(clippy::vec_box)] // as the pool has them
    pub(crate) fn idle_workers(&self) -> Vec<Box<Worker>> {
        std::iter::from_fn(|| self.0.pool.take(false)).collect()
    }

    /// Clears what participants that have died left behind. Returns how many had died.
    pub(crate) fn reap(&self) -> Result<usize> {
        self.0.file.reap()
    }

    /// Gives the disk space of free blocks back: of runs of at least `least`, until `most` blocks are done.
    pub(crate) fn punch_free(&self, agent: &Agent, least: u64, most: u64) -> Result<u64> {
        self.0.file.punch_free(agent, least, most)
    }

    /// Set while a thread of this process traces or gives space back in the background.
    pub(crate) fn tracing(&self) -> &AtomicBool {
        &self.0.tracing
    }

    /// The roots of the valid superblocks.
    pub(crate) fn durable_roots(&self) -> Vec<Root> {
        let found = superblock::valid(self.map(), &self.0.file.ident().uuid);
        found
            .into_iter()
            .map(|(_, s)| Root::durable(s.version, s.state))
            .collect()
    }

    /// Frees what no pin holds any more, in all idle agents of this process.
    pub fn reclaim(&self) {
        if self.is_forked() {
            return;
        }
        let mut idle = self.idle_workers();
        idle.iter_mut().for_each(|w| w.agent.drain(self.memory(), true));
        idle.into_iter().for_each(|w| self.put_worker(w));
    }

    /// Frees what no pin holds any more and threads had retired that haven't used the slab since the last call. To be called now and then by who
    /// lets versions go (pin groups), as threads that have stopped writing can't do it themselves.
    pub fn reclaim_idle(&self) -> Result<()> {
        self.check()?;
        self.0.pool.sweep(&mut |w| w.agent.drain(self.memory(), true));
        Ok(())
    }

    /// Before the slab is closed: garbage that only older versions on disk hold is let go by a sync, if it is much. Else it would be left to a trace.
    fn sync_for_space(&self) {
        if self.check().is_err() || self.read_only() {
            return;
        }
        let mut idle = self.idle_workers();
        idle.iter_mut().for_each(|w| w.agent.drain(self.memory(), true));
        let waits: u64 = idle.iter().map(|w| w.agent.limbo.bytes()).sum();
        idle.into_iter().for_each(|w| self.put_worker(w));
        if waits >= LEFT_MAX {
            // The close syncs again, and tells of an error.
            let _ = self.sync();
        }
    }

    /// Closes the slab for all clones: further calls are errors. The memory stays mapped until the last clone goes.
    pub fn close(&self) -> Result<()> {
        self.sync_for_space();
        if self.0.closed.swap(true, AcqRel) {
            return Err(Error::Closed);
        }
        if self.0.file.check_fork().is_ok() {
            // A trace in the background sees `closed` soon. Its agent would keep our place among the participants, and the slab from being closed clean.
            #[cfg(not(target_family = "wasm"))]
            // there it runs in its caller's thread, and nothing may wait for another one
            while self.0.tracing.load(Acquire) {
                std::thread::yield_now();
            }
            self.0.syncer.stop();
            self.0.release_all();
            self.notify();
        }
        self.0.file.close()
    }
}

#[cold]
fn no_such_group() -> Error {
    Error::arg("no such pin group: it was closed, or belongs to another opening of the slab")
}

/// After a recovery: the symbol trie isn't in the superblock, it is made anew from the directory.
fn rebuild_symbols(file: &SlabFile) -> Result<()> {
    let memory = Memory {
        map: file.mapping(),
        file,
    };
    let mut agent = Agent::claim(memory, file.participant())?;
    let result = symbol::rebuild_trie(memory, &mut agent.alloc);
    agent.release(memory);
    result
}

impl Source for Slab {
    fn with_current(&self, f: &mut dyn FnMut(Candidate) -> Result<u64>) -> Result<u64> {
        let view = self.snapshot()?;
        f(Candidate {
            version: view.view.version,
            state: view.view.state,
            time: view.view.time_ms,
            retired: view.view.retired,
        })
    }
}

impl Inner {
    /// Lets everything go that we hold, but for what snapshots and transactions in flight do.
    fn release_all(&self) {
        let map = self.file.mapping();
        let owner = self.file.participant() as u64 + 1;
        // The groups first: what they held can be freed then.
        group_close_all(map, owner, false);
        let file = &*self.file;
        while let Some(w) = self.pool.take(false) {
            w.agent.release(Memory { map, file });
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.file.check_fork().is_err() {
            return self.syncer.forget();
        }
        self.syncer.stop();
        if !self.closed.load(Acquire) {
            self.release_all();
        }
    }
}

/// A pinned version.
pub struct Snapshot {
    slab: Slab,
    worker: Option<Box<Worker>>,
    view: View,
}

impl Snapshot {
    /// The version.
    pub fn view(&self) -> View {
        self.view
    }

    /// The slab.
    pub fn slab(&self) -> &Slab {
        &self.slab
    }

    /// A reader of this version.
    pub fn reader(&self) -> Reader<'_> {
        self.slab.reader()
    }

    /// Keeps the versions of `durable`, which reads the superblocks' roots, that are no later than this one.
    pub(crate) fn hold(&self, durable: &dyn Fn() -> Vec<Root>) -> Holding<'_> {
        let agent = self.worker.as_ref().expect("until it is dropped").agent.index;
        let roots = hold(self.slab.map(), agent, self.view.version, durable);
        Holding {
            map: self.slab.map(),
            agent,
            roots,
        }
    }
}

/// See [`Snapshot::hold`].
pub(crate) struct Holding<'a> {
    map: &'a Mapping,
    agent: usize,
    roots: Vec<Root>,
}

impl Holding<'_> {
    /// Is the root kept? Else its superblock was replaced before it could be.
    pub(crate) fn has(&self, root: &Root) -> bool {
        self.roots.contains(root)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let_go(self.map, self.agent);
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take().filter(|_| !self.slab.is_forked()) {
            worker.agent.unpin(self.slab.map(), Slot::A);
            self.slab.put_worker(worker);
            self.slab.tell_if_much_went(&self.view);
        }
    }
}
