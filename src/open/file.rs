//! [`SlabFile`]: an opened slab's file, mapping and place among the participants.

use super::clear::{clear, is_busy};
use super::create::create;
use super::found::{lock_gate, reserve, Found, Locked};
use super::grow::HeaderPages;
use super::liveness::{self, Participant};
use super::{anonymous_name, Options, LOCK_READ_ONLY, LOCK_SYNC};
use crate::durable::control::{self, MAPS_SUPERSET};
use crate::durable::flush::{Disk, Quiet, Source, Sync};
use crate::error::{Error, Result};
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sys::{self, FileSystem, ForkMark, LockKind, Region, PAGE};
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Locks `mutex`, also after a panic of its holder: what it guards is outside this process's memory.
pub(super) fn owned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a name may turn out to belong to another file meanwhile.
const ATTEMPTS: usize = 16;

/// Called after a recovery, before anybody else gets in: rebuilds what is not in the superblock (the symbol trie, from the directory).
pub type Rebuild<'a> = &'a dyn Fn(&SlabFile) -> Result<()>;

/// An opened slab.
#[derive(Debug)]
pub struct SlabFile {
    pub(super) map: Mapping,
    fork: ForkMark,
    pub(super) path: PathBuf,
    pub(super) options: Options,
    /// None: an anonymous slab, which is memory of this process alone.
    pub(super) file: Option<File>,
    pub(super) file_system: FileSystem,
    /// Can the file system allocate ranges?
    pub(super) allocates: bool,
    pub(super) header_pages: HeaderPages,
    pub(super) growing: Mutex<()>,
    /// In front of the PUNCH lock.
    pub(super) punching: Mutex<()>,
    pub(super) region: ManuallyDrop<Region>,
    ident: Ident,
    participant: Mutex<Option<Participant>>,
    index: u32,
    /// In front of the GATE lock and of our use of participants' bytes.
    gate: Mutex<()>,
    /// In front of the SYNC lock. Holds the version that another's sync had in flight when we opened, 0 if there was none.
    sync: Mutex<u64>,
}

impl SlabFile {
    /// Opens the slab at `path`, or makes it, as `options` say. `rebuild` is called if the slab had to be recovered.
    pub fn open(path: &Path, options: &Options, rebuild: Rebuild) -> Result<SlabFile> {
        if path.as_os_str().is_empty() || path.as_os_str().as_bytes().contains(&0) {
            return Err(Error::arg("the path of a slab must not be empty or contain NUL"));
        }
        options.check()?;
        for _ in 0..ATTEMPTS {
            if options.must_be_new && !create(path, options)? {
                return Err(Error::io(
                    "create",
                    path,
                    &std::io::Error::from_raw_os_error(libc::EEXIST),
                ));
            }
            // Open first, without creating: some systems refuse to open another user's file for creation in a shared folder.
            let found = match Found::open(path, !options.read_only) {
                Err(Error::NotFound(_)) if options.create && !options.read_only && !options.must_be_new => {
                    create(path, options)?;
                    continue;
                }
                other => other?,
            };
            let opened = if options.read_only {
                found.join_reading(options)?
            } else {
                found.join(options, rebuild)?
            };
            if let Some(slab) = opened {
                return Ok(slab);
            }
        }
        Err(Error::locked(path, "its name keeps being given to other files"))
    }

    /// A new slab in memory without a name, for the threads of this process.
    pub fn anonymous(options: &Options) -> Result<SlabFile> {
        options.check()?;
        let path = anonymous_name();
        let region = reserve(Region::memory, HEADER_SIZE + SLACK, options, &path)?;
        let random = sys::random().map_err(|e| Error::io("getrandom", &path, &e))?;
        let slab = SlabFile::over(region, path, Ident::new(random, sys::now_ms()), options)?;
        control::format(&slab.map, &slab.ident);
        control::set_ready(&slab.map, [0; 16], [0; 3]);
        Ok(slab)
    }

    /// Puts an opened file together. `inflight`: the version that a sync had in flight when the file was opened. Without a participant it is
    /// read-only.
    pub(super) fn new(
        found: Found,
        options: &Options,
        region: Region,
        inflight: u64,
        participant: Option<Participant>,
    ) -> Result<SlabFile> {
        let allocates =
            !options.read_only && sys::allocate(&found.file, IDENT, IDENT_SIZE).map_err(found.failed("allocate"))?;
        let mut slab = SlabFile::over(region, found.path, found.ident, options)?;
        slab.file = Some(found.file);
        slab.file_system = found.file_system;
        slab.allocates = allocates;
        slab.index = participant.as_ref().map_or(0, |p| p.index);
        slab.participant = Mutex::new(participant);
        slab.sync = Mutex::new(inflight);
        Ok(slab)
    }

    /// A slab in `region`, so far without a file.
    fn over(region: Region, path: PathBuf, ident: Ident, options: &Options) -> Result<SlabFile> {
        let fork = ForkMark::new().map_err(|e| Error::io("madvise(MADV_WIPEONFORK)", &path, &e))?;
        // SAFETY: the region stays mapped until the SlabFile is dropped, and is page-aligned. What is stored to lies below backed_len or in
        // a table's allocated piece.
        let map = unsafe { Mapping::from_raw(region.base(), region.len() as usize) };
        Ok(SlabFile {
            map,
            fork,
            path,
            options: options.clone(),
            file: None,
            file_system: FileSystem::Memory,
            allocates: true,
            header_pages: HeaderPages::default(),
            growing: Mutex::new(()),
            punching: Mutex::new(()),
            region: ManuallyDrop::new(region),
            ident,
            index: 0,
            participant: Mutex::new(None),
            gate: Mutex::new(()),
            sync: Mutex::new(0),
        })
    }

    /// The mapped bytes.
    pub fn mapping(&self) -> &Mapping {
        &self.map
    }

    /// Error in a process that was forked after the slab was opened: it has neither the mapping nor a place among the participants.
    #[inline]
    pub fn check_fork(&self) -> Result<()> {
        if self.fork.is_ours() {
            return Ok(());
        }
        Err(Error::Forked)
    }

    /// Was it opened read-only? Then the tables are private copies: pins can be taken, but objects can't be made.
    pub fn read_only(&self) -> bool {
        self.options.read_only
    }

    /// Index of our place among the participants.
    pub fn participant(&self) -> u32 {
        self.index
    }

    /// Path, or what stands for it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Path, None if it has no file.
    pub fn named(&self) -> Option<&Path> {
        self.file.as_ref().map(|_| self.path.as_path())
    }

    /// Reads from the file what its mapping holds at `at`: the kernel copies, so others may be writing there. False: there is no file, or what is mapped
    /// are private copies of it.
    pub fn read_at(&self, at: u64, out: &mut [u8]) -> Result<bool> {
        let Some(file) = self.file.as_ref().filter(|_| !self.read_only()) else {
            return Ok(false);
        };
        file.read_exact_at(out, at)
            .map_err(|e| Error::io("read", &self.path, &e))?;
        Ok(true)
    }

    /// Error that a write to disk has met since the slab was recovered, if any.
    pub fn sync_error(&self) -> Option<Error> {
        match self.map.atomic_u32(CONTROL_SYNC_ERROR).load(Acquire) {
            0 => None,
            errno => Some(Error::sync(&self.path, errno as i32)),
        }
    }

    /// How it was opened.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What the slab says about itself.
    pub fn ident(&self) -> &Ident {
        &self.ident
    }

    /// What it lies on. In memory it doesn't survive the machine; on an overlay a program that closes all its descriptors loses its lock.
    pub fn file_system(&self) -> FileSystem {
        self.file_system
    }

    /// Makes version `target` or a later one survive a crash of the machine; `source` gives the current version, pinned. Threads and processes
    /// that wait here at the same time share one flush. Returns the durable version.
    pub fn sync(&self, source: &dyn Source, target: u64) -> Result<u64> {
        self.check_fork()?;
        if self.read_only() {
            return Err(Error::ReadOnly);
        }
        if self.file.is_none() {
            // No version outlives the memory, so each is as durable as it can be.
            return Ok(target);
        }
        let durable = self.map.atomic_u64(CONTROL_DURABLE).load(Acquire);
        if durable >= target {
            return Ok(durable);
        }
        let seen = owned(&self.sync);
        // Perhaps the one that we have waited for has made ours durable too.
        let durable = self.map.atomic_u64(CONTROL_DURABLE).load(Acquire);
        if durable >= target {
            return Ok(durable);
        }
        self.locked_sync(seen, source, target, false)
    }

    /// The same for the current version, unless somebody else is syncing, or has since `last`, the CONTROL_SYNC_TIME that the caller has seen: then None.
    pub(super) fn sync_if_free(&self, source: &dyn Source, last: u64) -> Result<Option<u64>> {
        let seen = match self.sync.try_lock() {
            Ok(seen) => seen,
            Err(TryLockError::Poisoned(e)) => e.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        let Some(file) = &self.file else { return Ok(None) };
        if !sys::try_lock(file, LOCK_SYNC, LockKind::Write).map_err(|e| Error::io("lock", &self.path, &e))? {
            return Ok(None);
        }
        if self.map.atomic_u64(CONTROL_SYNC_TIME).load(Acquire) != last {
            return sys::unlock(file, LOCK_SYNC)
                .map(|()| None)
                .map_err(|e| Error::io("unlock", &self.path, &e));
        }
        // We hold the byte: to lock it once more changes nothing.
        self.locked_sync(seen, source, u64::MAX, false).map(Some)
    }

    fn locked_sync(&self, mut seen: MutexGuard<u64>, source: &dyn Source, target: u64, closing: bool) -> Result<u64> {
        let _lock = match &self.file {
            None => None,
            Some(file) => {
                sys::lock(file, LOCK_SYNC, LockKind::Write).map_err(|e| Error::io("lock", &self.path, &e))?;
                Some(Locked { file, byte: LOCK_SYNC })
            }
        };
        let inflight = self.map.atomic_u64(CONTROL_SYNC_INFLIGHT).load(Acquire);
        let cut_short = inflight != 0 && inflight == *seen;
        let sync = Sync {
            map: &self.map,
            disk: self,
            uuid: self.ident.uuid,
            path: &self.path,
            cut_short,
            closing,
        };
        let durable = sync.run(source, target)?;
        *seen = 0;
        Ok(durable)
    }

    /// Clears what participants that have died left behind: pins, groups, agents, half-made objects. Returns how many had died. Worth its
    /// time (a system call for each participant) when pins hold much garbage or a table is full.
    pub fn reap(&self) -> Result<usize> {
        self.check_fork()?;
        let Some(file) = self.file.as_ref().filter(|_| !self.read_only()) else {
            return Ok(0);
        };
        let _alone = owned(&self.gate);
        liveness::reap(file, &self.map).map_err(|e| Error::io("lock", &self.path, &e))
    }

    /// Closes the slab: the last one to do so makes it durable. Agents that are still claimed (open snapshots and transactions) keep our place
    /// among the participants until the `SlabFile` is dropped. Closing twice does nothing.
    ///
    /// # Errors
    /// The slab is closed all the same; an error says that it is not known to be on disk.
    pub fn close(&self) -> Result<()> {
        self.check_fork()?;
        self.finish(false)
    }

    fn finish(&self, dropped: bool) -> Result<()> {
        let mut participant = owned(&self.participant);
        let (Some(file), true) = (&self.file, participant.is_some()) else {
            // Closed already, anonymous, or read-only: a reader's lock goes with the mapping, as threads may still be reading.
            return Ok(());
        };
        let _alone = owned(&self.gate);
        let gate = lock_gate(file, LockKind::Write, &self.path);
        let used = is_busy(&self.map, self.index);
        if dropped && used {
            // Agents that nobody can use any more, as whoever used them held us: what they have retired is left to a trace.
            self.map.atomic_u32(CONTROL_MAPS).store(MAPS_SUPERSET, Relaxed);
        }
        let synced = match &gate {
            Ok(_) => self.sync_if_last(file, dropped || !used),
            Err(e) => Err(e.clone()),
        };
        if dropped || !used {
            clear(&self.map, self.index, false);
            if let Some(p) = participant.take() {
                p.release();
            }
        }
        synced
    }

    /// Behind the GATE lock: nobody can come, and if nobody else is there the slab is quiet.
    fn sync_if_last(&self, file: &File, closing: bool) -> Result<()> {
        let others = liveness::someone_alive(file, Some(self.index)).map_err(|e| Error::io("lock", &self.path, &e))?;
        if others {
            return Ok(());
        }
        if closing {
            self.give_space_back(file);
        }
        self.locked_sync(owned(&self.sync), &Quiet(&self.map), u64::MAX, closing)
            .map(|_| ())
    }
}

impl Disk for SlabFile {
    fn flush(&self) -> std::io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn flush_page(&self, offset: u64) -> std::io::Result<()> {
        if self.file.is_none() {
            return Ok(());
        }
        self.region.flush_page(offset)
    }

    /// Stores to every page in memory of superblocks, descriptors and blocks in use, without changing it: a page whose write failed is called
    /// clean by the kernel though the disk has other bytes. A free block may be without disk space, and has nothing to lose.
    fn redirty(&self) -> std::io::Result<()> {
        let _unpunched = self.keep_unpunched()?;
        let in_use = |b: u64| {
            let state = || self.map.atomic_u64(descriptor(b)).load(Acquire) as u8;
            !is_block(b) || !matches!(state(), BLOCK_FREE | BLOCK_UNBACKED | BLOCK_RECLAIM)
        };
        let high_water = self.map.atomic_u64(CONTROL_HIGH_WATER).load(Acquire);
        let descriptors = (
            DESCRIPTORS,
            (high_water.min(SEGMENT_BLOCKS) * DESCRIPTOR_SIZE).next_multiple_of(PAGE),
        );
        let blocks = (HEADER_SIZE, high_water * BLOCK_SIZE - HEADER_SIZE);
        const CHUNK: u64 = 1 << 30;
        for (start, len) in [(SUPERBLOCK_A, PAGE), (SUPERBLOCK_B, PAGE), descriptors, blocks] {
            for at in (start..start + len).step_by(CHUNK as usize) {
                let pages = CHUNK.min(start + len - at) / PAGE;
                let resident = self.region.resident(at, pages as usize)?;
                let pages = resident.iter().enumerate().filter(|(_, &r)| r);
                for page in pages.map(|(i, _)| at + i as u64 * PAGE) {
                    if page < HEADER_SIZE || in_use(page >> BLOCK_BITS) {
                        touch(self.map.atomic_u64(page));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Stores the word's own value. A compare-and-swap, as compilers turn an addition of 0 into a load. If it fails, somebody else has stored.
fn touch(word: &AtomicU64) {
    let v = word.load(Relaxed);
    let _ = word.compare_exchange(v, v, Relaxed, Relaxed);
}

impl Drop for SlabFile {
    fn drop(&mut self) {
        if !self.fork.is_ours() {
            // A forked child doesn't have the mappings; what lies at their addresses now is somebody else's.
            return;
        }
        // Nobody is left to tell of an error; `close` tells.
        let _ = self.finish(true);
        // SAFETY: dropped once, and whoever reads the mapping holds the SlabFile.
        unsafe { ManuallyDrop::drop(&mut self.region) };
        if let (true, Some(file)) = (self.options.read_only, &self.file) {
            // To close the file isn't enough: a child that is between fork and exec has it too, and would keep writers out.
            let _ = sys::unlock(file, LOCK_READ_ONLY);
        }
    }
}
