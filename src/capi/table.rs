//! Handles: numbers that name objects of this process, safe to use after close and safe to make up. Lock-free.

use crate::error::{Error, Result};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};

const CHUNK: usize = 256;
const CHUNKS: usize = 256;

/// Low half of a slot's state: number of users and these bits. The high half is the generation.
const REFS: u64 = (1 << 28) - 1;
const FILLING: u64 = 1 << 29;
const LIVE: u64 = 1 << 30;
const CLOSING: u64 = 1 << 31;
const LOW: u64 = 0xFFFF_FFFF;

struct Slot<T> {
    state: AtomicU64,
    value: UnsafeCell<Option<T>>,
}

/// A table of handles to `T`s.
pub struct Table<T: 'static> {
    /// Handle of the first slot, without its generation: the table's kind in the highest byte of the low half, and 1.
    first: u64,
    chunks: [AtomicPtr<[Slot<T>; CHUNK]>; CHUNKS],
    hint: AtomicUsize,
}

// SAFETY: a slot's value is only reached by whoever holds a reference counted in its state (shared), or is its only user (exclusive).
unsafe impl<T: Send + Sync> Sync for Table<T> {}

/// A handle in use: the object stays until this is dropped.
pub struct Use<T: 'static> {
    slot: &'static Slot<T>,
}

impl<T> std::ops::Deref for Use<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: our reference keeps the value in place (`leave` takes it only when the last user has gone); it was checked to be there.
        unsafe { (*self.slot.value.get()).as_ref().unwrap_unchecked() }
    }
}

impl<T> Drop for Use<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody knows in what state the panic has left it.
            self.slot.state.fetch_or(CLOSING, AcqRel);
        }
        self.slot.leave();
    }
}

/// A handle in use by one thread alone.
pub struct Exclusive<T: 'static>(Use<T>);

impl<T> std::ops::Deref for Exclusive<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Exclusive<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: `enter` with `alone` made us the only user, and others are refused until we leave.
        unsafe { (*self.0.slot.value.get()).as_mut().unwrap_unchecked() }
    }
}

impl<T> Slot<T> {
    fn leave(&self) {
        let before = self.state.fetch_sub(1, AcqRel);
        if before & REFS == 1 && before & CLOSING != 0 {
            self.empty(before - 1);
        }
    }

    /// Takes the value out, if we are the one to do it: closing, and nobody uses it.
    fn empty(&self, state: u64) {
        let next = ((state >> 32) + 1) << 32;
        if state & REFS == 0
            && self
                .state
                .compare_exchange(state, state & !LOW | FILLING, AcqRel, Relaxed)
                .is_ok()
        {
            // SAFETY: FILLING keeps everyone else out.
            let value = unsafe { (*self.value.get()).take() };
            self.state.store(next, Release);
            drop(value);
        }
    }
}

impl<T: Send + Sync> Table<T> {
    /// An empty table, for a static. Tables have kinds of their own, so that a handle means nothing to the others.
    pub const fn new(kind: u8) -> Table<T> {
        Table {
            first: (kind as u64) << 24 | 1,
            chunks: [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS],
            hint: AtomicUsize::new(0),
        }
    }

    fn slot(&'static self, i: usize) -> Option<&'static Slot<T>> {
        let p = self.chunks.get(i / CHUNK)?.load(Acquire);
        // SAFETY: a chunk, once installed, is never freed.
        (!p.is_null()).then(|| unsafe { &(*p)[i % CHUNK] })
    }

    /// Not inlined, and never on the stack: a chunk is large, and a caller in a deep recursion may have little stack left.
    #[cold]
    #[inline(never)]
    fn make_chunk(&'static self, k: usize) {
        let empty = || Slot {
            state: AtomicU64::new(1 << 32),
            value: UnsafeCell::new(None),
        };
        let slots: Box<[Slot<T>]> = std::iter::repeat_with(empty).take(CHUNK).collect();
        let p = Box::into_raw(slots).cast::<[Slot<T>; CHUNK]>();
        if self.chunks[k]
            .compare_exchange(std::ptr::null_mut(), p, AcqRel, Relaxed)
            .is_err()
        {
            // SAFETY: not installed, so still ours.
            drop(unsafe { Box::from_raw(p) });
        }
    }

    /// A new handle for `value`.
    pub fn insert(&'static self, value: T) -> Result<u64> {
        let start = self.hint.load(Relaxed);
        for k in 0..CHUNK * CHUNKS {
            let i = (start + k) % (CHUNK * CHUNKS);
            let Some(slot) = self.slot(i).or_else(|| {
                self.make_chunk(i / CHUNK);
                self.slot(i)
            }) else {
                continue;
            };
            let s = slot.state.load(Relaxed);
            if s & LOW == 0 && slot.state.compare_exchange(s, s | FILLING, AcqRel, Relaxed).is_ok() {
                // SAFETY: FILLING keeps everyone else out.
                unsafe { *slot.value.get() = Some(value) };
                slot.state.store(s | LIVE, Release);
                self.hint.store(i, Relaxed);
                return Ok(s & !LOW | (i as u64 + self.first));
            }
        }
        Err(Error::limit("handles open at once in this process (65536)"))
    }

    fn enter(&'static self, handle: u64, alone: bool) -> Result<Use<T>> {
        let slot = (handle & LOW)
            .checked_sub(self.first)
            .and_then(|i| self.slot(i as usize))
            .ok_or(Error::Handle)?;
        loop {
            let s = slot.state.load(Acquire);
            if s >> 32 != handle >> 32 || s & (LIVE | CLOSING) != LIVE {
                return Err(Error::Handle);
            }
            if alone && s & REFS != 0 {
                return Err(Error::Busy);
            }
            if slot.state.compare_exchange_weak(s, s + 1, AcqRel, Relaxed).is_ok() {
                return Ok(Use { slot });
            }
        }
    }

    /// The object that `handle` names.
    pub fn get(&'static self, handle: u64) -> Result<Use<T>> {
        self.enter(handle, false)
    }

    /// The object, for one user alone. (Meant for tables whose handles are only used this way.)
    pub fn get_alone(&'static self, handle: u64) -> Result<Exclusive<T>> {
        self.enter(handle, true).map(Exclusive)
    }

    /// Ends the handle. The object goes when its last user has left.
    pub fn remove(&'static self, handle: u64) -> Result<()> {
        let used = self.enter(handle, false)?;
        let before = used.slot.state.fetch_or(CLOSING, AcqRel);
        if before & CLOSING != 0 {
            return Err(Error::Handle);
        }
        Ok(())
    }

    /// Ends the handle and returns the object, which nobody else may be using.
    pub fn take(&'static self, handle: u64) -> Result<T> {
        let used = self.enter(handle, true)?;
        let slot = used.slot;
        slot.state.fetch_or(CLOSING, AcqRel);
        // SAFETY: we were the only user, and CLOSING keeps new ones out.
        let value = unsafe { (*slot.value.get()).take() };
        drop(used);
        value.ok_or(Error::Handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_or_made_up_handle_is_an_error() {
        static T: Table<String> = Table::new(1);
        let h = T.insert("a".into()).unwrap();
        assert_eq!(T.get(h).unwrap().as_str(), "a");
        T.remove(h).unwrap();
        assert!(matches!(T.get(h), Err(Error::Handle)));
        let again = T.insert("b".into()).unwrap();
        assert_ne!(h, again);
        for bad in [0, 1, h, u64::MAX, again + (1 << 32), 65_535, 1 << 32] {
            assert!(T.get(bad).is_err(), "{bad:x}");
        }
        assert_eq!(T.take(again).unwrap(), "b");
        assert!(T.take(again).is_err());
    }

    #[test]
    fn a_panic_closes_the_handle_in_use() {
        static T: Table<String> = Table::new(1);
        let h = T.insert("a".into()).unwrap();
        let result = std::panic::catch_unwind(|| {
            let _used = T.get_alone(h);
            std::panic::panic_any("on purpose");
        });
        assert!(result.is_err());
        assert!(matches!(T.get(h), Err(Error::Handle)));
    }

    #[test]
    fn a_handle_of_another_table_is_an_error() {
        static A: Table<String> = Table::new(1);
        static B: Table<String> = Table::new(2);
        let (a, b) = (A.insert("a".into()).unwrap(), B.insert("b".into()).unwrap());
        assert!(matches!(B.remove(a), Err(Error::Handle)));
        assert!(matches!(A.remove(b), Err(Error::Handle)));
        assert!(matches!(A.take(b), Err(Error::Handle)));
        assert_eq!(format!("{}{}", *A.get(a).unwrap(), *B.get(b).unwrap()), "ab");
    }

    #[test]
    fn an_object_outlives_its_handle_while_it_is_used() {
        static T: Table<String> = Table::new(1);
        let h = T.insert("a".into()).unwrap();
        let used = T.get(h).unwrap();
        assert!(matches!(T.get_alone(h), Err(Error::Busy)));
        T.remove(h).unwrap();
        assert_eq!(used.as_str(), "a");
        drop(used);
        assert!(T.get(h).is_err());
    }

    #[test]
    fn handles_can_be_closed_and_used_by_several_threads_at_once() {
        static T: Table<Vec<u64>> = Table::new(1);
        std::thread::scope(|s| {
            for t in 0..4u64 {
                s.spawn(move || {
                    for i in 0..2000 {
                        let h = T.insert(vec![t, i]).unwrap();
                        assert_eq!(*T.get(h).unwrap(), [t, i]);
                        std::thread::scope(|s| {
                            if i % 100 == 0 {
                                s.spawn(move || T.get(h).map(|v| assert_eq!(v[1], i)).ok());
                            }
                            assert!(T.remove(h).is_ok());
                        });
                        assert!(T.get(h).is_err());
                    }
                });
            }
        });
    }
}
