//! The thread that makes versions durable in the background: after the interval asked for, and earlier if the durable version alone keeps
//! much garbage from being freed. The first commit that needs it starts it; it ends with the slab, and a process can end without it.
//!
//! Y1. It waits for no lock: when another thread or process is syncing, it looks again later. So closing never waits for a stopped process.
//! Y2. A commit that finds it IDLE wakes it. It goes IDLE, then looks at the root; a commit swings the root, then looks whether it is IDLE,
//!     a fence between in both: one of them sees the other.

use super::clear::current;
use super::file::{owned, SlabFile};
use super::SyncMode;
use crate::durable::flush::{Candidate, Source};
use crate::epoch::agent::Agent;
use crate::epoch::pin::Slot;
use crate::epoch::Shared;
use crate::error::{Error, Result};
use crate::slab::alloc::Memory;
use crate::slab::free::bytes_in_use;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sys;
use std::sync::atomic::{fence, AtomicBool, AtomicU32, AtomicU64, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// State of the thread: nothing to do, or not started.
const IDLE: u32 = 0;
/// It will sync within the interval.
const AWAKE: u32 = 1;

/// Garbage that the durable version may keep in any slab.
const SPACE_MIN: u64 = 64 << 20;

/// Space-driven syncs take at most one part of this many of the time.
const SHARE: u32 = 4;

/// What commits want of the thread.
#[derive(Debug, Default)]
struct Orders {
    stop: bool,
    /// There are versions to sync after the interval.
    work: bool,
    /// Much garbage waits for a sync.
    space: bool,
}

/// What commits and the thread share.
#[derive(Debug)]
struct Watch {
    interval: Option<Duration>,
    state: AtomicU32,
    /// A commit that brings the slab's retired bytes here looks whether to order a sync for space.
    space: AtomicU64,
    /// A sync has let garbage go.
    freed: AtomicBool,
    orders: Mutex<Orders>,
    bell: Condvar,
}

/// Starts, wakes and ends the thread of one opened slab.
#[derive(Debug)]
pub struct Syncer {
    watch: Arc<Watch>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Syncer {
    /// For the slab `file`. Starts nothing.
    pub fn new(file: &SlabFile) -> Syncer {
        let lasting = file.file.is_some() && !file.read_only();
        let (interval, space) = match file.options().sync {
            SyncMode::Interval(t) if lasting => (Some(t), 0),
            SyncMode::None if lasting => (None, 0),
            _ => (None, u64::MAX),
        };
        Syncer {
            watch: Arc::new(Watch {
                interval,
                state: AtomicU32::new(IDLE),
                space: AtomicU64::new(space),
                freed: AtomicBool::new(false),
                orders: Mutex::default(),
                bell: Condvar::new(),
            }),
            thread: Mutex::default(),
        }
    }

    /// After a commit, and after the fence of its wake-up: sees to it that it becomes durable in time. `retired`: bytes retired by all commits
    /// up to it. True: garbage can be freed that the last durable version has kept.
    #[inline]
    pub fn after_commit(&self, file: &Arc<SlabFile>, retired: u64) -> bool {
        let w = &*self.watch;
        let sleeps = w.interval.is_some() && w.state.load(Acquire) == IDLE;
        if sleeps || retired >= w.space.load(Relaxed) {
            self.look(file, retired);
        }
        w.freed.load(Relaxed) && w.freed.swap(false, Relaxed)
    }

    #[cold]
    fn look(&self, file: &Arc<SlabFile>, retired: u64) {
        let w = &*self.watch;
        let mut orders = owned(&w.orders);
        if orders.stop {
            return;
        }
        if w.interval.is_some() && w.state.swap(AWAKE, AcqRel) == IDLE {
            orders.work = true;
        }
        let allowed = allowed(file.mapping(), retired);
        if retired < allowed {
            w.space.store(allowed, Relaxed);
        } else {
            // The thread sets it again.
            w.space.store(u64::MAX, Relaxed);
            orders.space = true;
        }
        if !orders.work && !orders.space {
            return;
        }
        let mut thread = owned(&self.thread);
        if thread.is_none() {
            let (watch, file) = (self.watch.clone(), file.clone());
            match sys::background("eve-sync", move || watch.run(&file)) {
                Ok(started) => *thread = Some(started),
                Err(_) => return w.take_back(&mut orders),
            }
        }
        w.bell.notify_one();
    }

    /// Ends the thread and waits until it has ended: at most for the write to disk that it is in. No commit starts it again.
    pub fn stop(&self) {
        owned(&self.watch.orders).stop = true;
        self.watch.bell.notify_one();
        if let Some(thread) = owned(&self.thread).take() {
            // It doesn't panic; if it did, it has ended as well.
            let _ = thread.join();
        }
    }

    /// In a forked child: the thread is the parent's.
    pub fn forget(&self) {
        if let Ok(mut thread) = self.thread.try_lock() {
            if let Some(t) = thread.take() {
                std::mem::forget(t);
            }
        }
    }

    /// Is the thread running?
    #[cfg(test)]
    pub(super) fn is_started(&self) -> bool {
        owned(&self.thread).is_some()
    }
}

/// Retired bytes of the slab up to which no sync is needed for space: a quarter of what lives beyond those of the durable version. What lives is
/// reckoned from the blocks in use, which hold that quarter too. `retired`: those up to now; while so little is in use that all of it may be such garbage, only
/// more retired bytes are worth another look.
fn allowed(map: &Mapping, retired: u64) -> u64 {
    let used = bytes_in_use(map);
    if used < SPACE_MIN {
        return retired.saturating_add(SPACE_MIN);
    }
    let synced = map.atomic_u64(CONTROL_SYNC_RETIRED).load(Relaxed);
    synced.saturating_add((used / 5).max(SPACE_MIN))
}

impl Watch {
    /// There is no thread to be had: the next commit tries again.
    fn take_back(&self, orders: &mut Orders) {
        *orders = Orders::default();
        self.state.store(IDLE, Release);
        self.space.store(0, Relaxed);
    }

    fn run(&self, file: &SlabFile) {
        let mut due = None;
        let mut earliest = Duration::ZERO;
        while self.wait(&mut due, earliest) {
            let began = sys::monotonic();
            let last = file.mapping().atomic_u64(CONTROL_SYNC_TIME).load(Acquire);
            if let Some(t) = self.by_others(file.mapping(), last, began) {
                due = Some(t);
                continue;
            }
            let before = file.mapping().atomic_u64(CONTROL_SYNC_RETIRED).load(Relaxed);
            // A failure is noted in the slab, where commits find it. Anything else (a full table, somebody else's sync) is for the next time.
            let _ = file.sync_if_free(&Own(file), last);
            let now = sys::monotonic();
            earliest = now + (now - began) * (SHARE - 1);
            let map = file.mapping();
            if map.atomic_u64(CONTROL_SYNC_RETIRED).load(Relaxed) - before >= SPACE_MIN / 4 {
                self.freed.store(true, Relaxed);
            }
            let synced = map.atomic_u64(CONTROL_SYNC_RETIRED).load(Relaxed);
            self.space.store(allowed(map, synced), Relaxed);
            due = self.rest(map, now);
        }
    }

    /// Sleeps until there is something to do; false: the end.
    fn wait(&self, due: &mut Option<Duration>, earliest: Duration) -> bool {
        let mut orders = owned(&self.orders);
        loop {
            if orders.stop {
                return false;
            }
            let now = sys::monotonic();
            let after = |t: Duration| now.checked_add(t).unwrap_or(Duration::MAX);
            if std::mem::take(&mut orders.work) && due.is_none() {
                *due = self.interval.map(after);
            }
            if std::mem::take(&mut orders.space) {
                *due = Some(due.unwrap_or(Duration::MAX).min(earliest));
            }
            orders = match *due {
                Some(t) if t <= now => return true,
                Some(t) => {
                    let woken = self.bell.wait_timeout(orders, t - now);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.bell.wait(orders).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// If another process has synced within our interval, and not for space: when we would be due.
    fn by_others(&self, map: &Mapping, last: u64, now: Duration) -> Option<Duration> {
        let last = Duration::from_millis(last);
        let due = last.checked_add(self.interval?)?;
        let crowded = self.space.load(Relaxed) == u64::MAX;
        // A time to come is another clock's.
        (!crowded && last <= now && due > now && current(map) > map.atomic_u64(CONTROL_DURABLE).load(Acquire))
            .then_some(due)
    }

    /// Goes IDLE, unless there have been more commits: then says when to sync again.
    fn rest(&self, map: &Mapping, now: Duration) -> Option<Duration> {
        let interval = self.interval?;
        let _orders = owned(&self.orders);
        self.state.store(IDLE, Release);
        // Pairs with the fence between root and state in a commit (Y2).
        fence(SeqCst);
        if current(map) <= map.atomic_u64(CONTROL_DURABLE).load(Acquire) {
            return None;
        }
        self.state.store(AWAKE, Release);
        now.checked_add(interval)
    }
}

/// The current version, pinned by an agent claimed for it.
struct Own<'a>(&'a SlabFile);

impl Source for Own<'_> {
    fn with_current(&self, f: &mut dyn FnMut(Candidate) -> Result<u64>) -> Result<u64> {
        let map = self.0.mapping();
        let memory = Memory { map, file: self.0 };
        let claim = || Agent::claim(memory, self.0.participant());
        let mut agent = match claim() {
            Err(Error::Limit(_)) if self.0.reap()? > 0 => claim()?,
            other => other?,
        };
        let version = agent.pin(map, Slot::A);
        let r = map.record(version.record);
        let done = f(Candidate {
            version: version.number,
            state: r.state.load(Relaxed),
            time: r.time.load(Relaxed),
            retired: r.retired.load(Relaxed),
        });
        agent.release(memory);
        done
    }
}
