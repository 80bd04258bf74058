//! Sync: makes a version survive a crash of the machine. All data is flushed, then a superblock is stored and flushed.
//!
//! Whoever syncs may be killed anywhere: both superblocks stay pinned (D2), and the next sync begins anew.

use super::control::MAPS_EXACT;
use super::superblock::{next_place, Superblock, PLACES};
use crate::error::{Error, Result};
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sync::{step_at, weakened};
use crate::sys;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering::*;

/// The disk below a mapping.
pub trait Disk {
    /// Writes all of the file to disk and waits until it is there.
    fn flush(&self) -> io::Result<()>;
    /// The same for one page.
    fn flush_page(&self, offset: u64) -> io::Result<()>;
    /// Makes all that a lost flush may have left unwritten dirty again.
    fn redirty(&self) -> io::Result<()>;
}

/// A version to make durable.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its number.
    pub version: u64,
    /// Its state map.
    pub state: u64,
    /// Time of its commit, ms since 1970.
    pub time: u64,
    /// Bytes retired by all commits up to it.
    pub retired: u64,
}

/// Gives the current version.
pub trait Source {
    /// Runs `f` on the current version, which stays pinned meanwhile.
    fn with_current(&self, f: &mut dyn FnMut(Candidate) -> Result<u64>) -> Result<u64>;
}

/// The current version of a slab that nobody else has open.
pub struct Quiet<'a>(pub &'a Mapping);

impl Source for Quiet<'_> {
    fn with_current(&self, f: &mut dyn FnMut(Candidate) -> Result<u64>) -> Result<u64> {
        use crate::epoch::Shared;
        let r = Shared::record(self.0, self.0.root().load(Acquire) as usize % self.0.records());
        f(Candidate {
            version: r.version.load(Relaxed),
            state: r.state.load(Relaxed),
            time: r.time.load(Relaxed),
            retired: r.retired.load(Relaxed),
        })
    }
}

/// What a sync works on. The caller holds the SYNC lock, or is alone.
pub struct Sync<'a> {
    /// The mapping.
    pub map: &'a Mapping,
    /// Its disk.
    pub disk: &'a dyn Disk,
    /// Uuid of the slab.
    pub uuid: [u8; 16],
    /// For errors.
    pub path: &'a Path,
    /// A sync that was in flight before this process opened the file was cut short: its flush may have failed without anybody knowing.
    pub cut_short: bool,
    /// The last one closes the slab: say in the superblock whether it is clean.
    pub closing: bool,
}

impl Sync<'_> {
    /// Makes version `target` or a later one durable. Returns the durable version.
    ///
    /// # Errors
    /// `Sync` if this or an earlier flush failed. The durable version doesn't move then (D5).
    pub fn run(&self, source: &dyn Source, target: u64) -> Result<u64> {
        let durable = self.map.atomic_u64(CONTROL_DURABLE).load(Acquire);
        if durable >= target && !self.closing {
            return Ok(durable);
        }
        match self.map.atomic_u32(CONTROL_SYNC_ERROR).load(Acquire) {
            0 => source.with_current(&mut |c| self.make_durable(c)),
            errno => Err(Error::sync(self.path, errno as i32)),
        }
    }

    fn make_durable(&self, c: Candidate) -> Result<u64> {
        let durable = self.map.atomic_u64(CONTROL_DURABLE).load(Acquire);
        if c.version <= durable && !self.closing {
            return Ok(durable);
        }
        let mut superblock = self.superblock(c);
        self.map.atomic_u64(CONTROL_SYNC_INFLIGHT).store(c.version, Release);
        self.checked(|| if self.cut_short { self.disk.redirty() } else { Ok(()) })?;
        // Everything, both superblocks included: a dead syncer's may be half on its way, and must be settled before the other is touched (D3).
        if !weakened("sync: data first") {
            self.checked(|| self.disk.flush())?;
            step_at("flushed");
        }
        let (place, sequence) = next_place(self.map, &self.uuid);
        superblock.sequence = sequence;
        superblock.store(self.map, place);
        self.checked(|| self.disk.flush_page(place))?;
        step_at(if place == SUPERBLOCK_A {
            "flushed A"
        } else {
            "flushed B"
        });
        self.map.atomic_u64(CONTROL_SYNC_RETIRED).store(c.retired, Relaxed);
        self.map
            .atomic_u64(CONTROL_SYNC_TIME)
            .store(sys::monotonic().as_millis() as u64, Relaxed);
        self.map.atomic_u64(CONTROL_DURABLE).store(c.version, Release);
        self.map.atomic_u64(CONTROL_SYNC_INFLIGHT).store(0, Release);
        // The other one follows in memory: the version that it held is free at once, and there are two copies soon.
        superblock.sequence += 1;
        superblock.store(self.map, PLACES[(place == SUPERBLOCK_A) as usize]);
        Ok(c.version)
    }

    /// The superblock of `c`. Symbols and sizes are read after `c` was pinned, so that they cover all that `c` reaches; what they count was
    /// written before they were raised, so that the flush covers it. The high-water mark before backed_len, which is never below it.
    fn superblock(&self, c: Candidate) -> Superblock {
        let count = self.map.atomic_u32(CONTROL_SYMBOL_NEXT).load(Acquire);
        let high_water = self.map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
        Superblock {
            sequence: 0,
            version: c.version,
            state: c.state,
            symbols: self.map.atomic_u64(CONTROL_SYMBOLS).load(Acquire),
            symbol_count: count as u64,
            time: c.time,
            backed: self.map.atomic_u64(CONTROL_BACKED).load(Acquire),
            high_water,
            incarnation: self.map.atomic_u32(CONTROL_INCARNATION).load(Relaxed),
            clean: self.closing && self.map.atomic_u32(CONTROL_MAPS).load(Relaxed) == MAPS_EXACT,
            uuid: self.uuid,
        }
    }

    /// Runs a step on the disk. Its failure is remembered in the slab: the kernel calls the pages clean now, and a later flush would report
    /// success with their data lost.
    fn checked(&self, step: impl FnOnce() -> io::Result<()>) -> Result<()> {
        crate::sync::step();
        let result = step();
        crate::sync::step();
        result.map_err(|e| {
            // EIO where the system gave no number.
            let errno = e.raw_os_error().filter(|&n| n != 0).unwrap_or(5);
            if !weakened("sync: errors stay") {
                self.map.atomic_u32(CONTROL_SYNC_ERROR).store(errno as u32, Release);
            }
            Error::sync(self.path, errno)
        })
    }
}

/// Takes the word CLEAN back: the slab is in use again. Only in memory, in the place that a sync would take, so that nothing is lost if
/// the machine stops meanwhile; it shows a copy made of the file from now on that it was in use.
pub fn mark_unclean(map: &Mapping, uuid: &[u8; 16]) {
    if let Some((_, best)) = super::superblock::valid(map, uuid)
        .first()
        .copied()
        .filter(|(_, s)| s.clean)
    {
        let (place, sequence) = next_place(map, uuid);
        Superblock {
            clean: false,
            sequence,
            ..best
        }
        .store(map, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::control;
    use crate::durable::memory::Memory;
    use crate::durable::superblock::{valid, versions};
    use crate::slab::ident::Ident;
    use std::cell::{Cell, RefCell};

    type Page = [u64; 64];

    /// A disk with write-back at any moment, crashes of the machine and errors.
    struct Model {
        memory: Memory,
        uuid: [u8; 16],
        current: Cell<u64>,
        /// Superblocks as they are on disk.
        disk: RefCell<[Page; 2]>,
        /// Highest version whose data is on disk.
        flushed: Cell<u64>,
        /// Steps until the syncer is killed or an error comes.
        budget: Cell<u32>,
        fails: bool,
    }

    impl Model {
        fn new(budget: u32, fails: bool) -> Model {
            let memory = Memory::new(HEADER_SIZE);
            let ident = Ident::new([3; 16], 7);
            control::format(&memory.map, &ident);
            let m = Model {
                memory,
                uuid: ident.uuid,
                current: Cell::new(1),
                disk: RefCell::new([[0; 64]; 2]),
                flushed: Cell::new(1),
                budget: Cell::new(budget),
                fails,
            };
            m.write_back(0);
            m.write_back(1);
            m
        }

        fn write_back(&self, which: usize) {
            self.disk.borrow_mut()[which] =
                std::array::from_fn(|i| self.memory.map.atomic_u64(PLACES[which] + i as u64 * 8).load(Relaxed));
        }

        fn step(&self) -> io::Result<()> {
            self.budget.set(self.budget.get().saturating_sub(1));
            if self.budget.get() == 0 {
                return Err(io::Error::from_raw_os_error(5));
            }
            Ok(())
        }

        fn sync(&self) -> Result<u64> {
            let path = Path::new("model");
            let map = &self.memory.map;
            let result = Sync {
                map,
                disk: self,
                uuid: self.uuid,
                path,
                cut_short: false,
                closing: false,
            }
            .run(self, u64::MAX);
            if result.is_err() && !self.fails {
                // Killed, not failed: nobody noted an error.
                map.atomic_u32(CONTROL_SYNC_ERROR).store(0, Relaxed);
            }
            result
        }

        /// What recovery would find if the machine stopped now.
        fn best_on_disk(&self) -> Superblock {
            let copy = Memory::new(CONTROL);
            for (place, page) in PLACES.into_iter().zip(self.disk.borrow().iter()) {
                for (i, word) in page.iter().enumerate() {
                    copy.map.atomic_u64(place + i as u64 * 8).store(*word, Relaxed);
                }
            }
            valid(&copy.map, &self.uuid)[0].1
        }

        fn check(&self) {
            let best = self.best_on_disk();
            assert!(
                best.version <= self.flushed.get(),
                "a superblock reached the disk before its data"
            );
            assert!(
                versions(&self.memory.map).contains(&best.version),
                "version {} is on disk but not pinned",
                best.version
            );
            assert!(
                best.version >= self.memory.map.atomic_u64(CONTROL_DURABLE).load(Relaxed),
                "a durable version was lost"
            );
        }
    }

    impl Disk for Model {
        fn flush(&self) -> io::Result<()> {
            self.step()?;
            self.write_back(0);
            self.check();
            self.write_back(1);
            self.flushed.set(self.current.get());
            self.step()
        }

        fn flush_page(&self, offset: u64) -> io::Result<()> {
            self.check();
            self.step()?;
            self.write_back(PLACES.iter().position(|&p| p == offset).unwrap());
            self.check();
            self.step()
        }

        fn redirty(&self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Source for Model {
        fn with_current(&self, f: &mut dyn FnMut(Candidate) -> Result<u64>) -> Result<u64> {
            f(Candidate {
                version: self.current.get(),
                state: EMPTY_MAP,
                time: 0,
                retired: 0,
            })
        }
    }

    #[test]
    fn syncers_killed_anywhere_leave_a_pinned_and_flushed_superblock_on_disk() {
        let mut random = 1u64;
        for _ in 0..500 {
            let m = Model::new(u32::MAX, false);
            for _ in 0..12 {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let r = random >> 33;
                m.current.set(m.current.get() + r % 3);
                m.budget
                    .set(if r & 8 == 0 { 1 + (r >> 4) as u32 % 5 } else { u32::MAX });
                let _ = m.sync();
                m.check();
                if r & 0x100 != 0 {
                    m.write_back((r >> 9) as usize & 1);
                    m.check();
                }
            }
            m.budget.set(u32::MAX);
            m.sync().unwrap();
            assert_eq!(m.best_on_disk().version, m.current.get());
        }
    }

    #[test]
    fn a_failed_flush_stays_an_error_and_the_durable_version_stays_behind() {
        for budget in 1..=4 {
            let m = Model::new(u32::MAX, true);
            m.current.set(2);
            m.sync().unwrap();
            m.current.set(3);
            m.budget.set(budget);
            let e = m.sync().unwrap_err();
            assert_eq!((e.code(), e.os_error()), (-3, 5));
            m.budget.set(u32::MAX);
            m.current.set(4);
            assert_eq!(m.sync().unwrap_err(), e, "a later flush must not be believed");
            assert_eq!(m.memory.map.atomic_u64(CONTROL_DURABLE).load(Relaxed), 2);
            m.check();
        }
    }

    #[test]
    fn a_target_that_is_durable_already_costs_no_flush() {
        let m = Model::new(u32::MAX, true);
        m.current.set(5);
        assert_eq!(m.sync().unwrap(), 5);
        m.budget.set(1);
        assert_eq!(m.sync().unwrap(), 5);
    }

    #[test]
    fn a_slab_in_use_is_not_clean_and_only_the_last_close_makes_it_so() {
        let m = Model::new(u32::MAX, true);
        let map = &m.memory.map;
        assert!(valid(map, &m.uuid)[0].1.clean);
        mark_unclean(map, &m.uuid);
        assert!(!valid(map, &m.uuid)[0].1.clean);
        let close = Sync {
            map,
            disk: &m,
            uuid: m.uuid,
            path: Path::new("model"),
            cut_short: false,
            closing: true,
        };
        close.run(&m, 1).unwrap();
        assert!(valid(map, &m.uuid)[0].1.clean);
        map.atomic_u32(CONTROL_MAPS).store(control::MAPS_SUPERSET, Relaxed);
        close.run(&m, 1).unwrap();
        assert!(!valid(map, &m.uuid)[0].1.clean);
    }
}
