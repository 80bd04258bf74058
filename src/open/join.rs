//! Joining a slab behind the GATE: adopted, recovered, or beside others who have it open; or for reading only.
//!
//! Who may only read can't lock for writing and can't publish a pin. So readers hold a shared lock that keeps writers out, and read what the
//! best superblock says. The tables and the control page are private copies, in which pins work as ever.

use super::clear::current;
use super::create;
use super::file::{Rebuild, SlabFile};
use super::found::{lock_gate, reserve, Found};
use super::liveness;
use super::{Options, LOCK_READ_ONLY};
use crate::durable::control::{self, Start, MAPS_SUPERSET, TABLES};
use crate::durable::flush::{mark_unclean, Quiet};
use crate::durable::recover::Recovery;
use crate::durable::superblock::{valid, Superblock};
use crate::error::{Error, Result};
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sync::weakened;
use crate::sys::{self, LockKind, Region, PAGE};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering::*;

/// How often a newcomer looks at a control page in use before it calls it damaged.
const LOOKS: usize = 1000;

/// Room for what a reader makes for itself, such as the keys that it looks for.
const SCRATCH: u64 = 1 << 30;

impl Found {
    /// Opens for writing. None: the name belongs to another file by now.
    pub(super) fn join(self, options: &Options, rebuild: Rebuild) -> Result<Option<SlabFile>> {
        self.ident.check_writable()?;
        let gate_file = self.file.try_clone().map_err(self.failed("dup"))?;
        let _gate = lock_gate(&gate_file, LockKind::Write, &self.path)?;
        if !self.is_named()? {
            return Ok(None);
        }
        if sys::is_locked(&self.file, LOCK_READ_ONLY, 1).map_err(self.failed("lock"))? {
            return Err(Error::locked(
                &self.path,
                "programs have it open read-only; close it there first",
            ));
        }
        let len = self.len()?;
        let region = reserve(|len| Region::shared(&self.file, len), len, options, &self.path)?;
        // SAFETY: the region outlives this function's use of the mapping; it is page-aligned, and the file holds the whole header.
        let map = unsafe { Mapping::from_raw(region.base(), region.len() as usize) };
        let alive = liveness::someone_alive(&self.file, None).map_err(self.failed("lock"))?;
        let system = System::of(&self)?;
        let mut here = system.left_ready(&map, len, &self.ident);
        // The file grows and the root moves while we look, if somebody uses them: only what stays wrong is damage.
        for _ in 0..if alive { LOOKS } else { 0 } {
            if here {
                break;
            }
            std::thread::yield_now();
            here = system.left_ready(&map, self.len()?, &self.ident);
        }
        let adoptable = here && system.is_known();
        let inflight = map.atomic_u64(CONTROL_SYNC_INFLIGHT).load(Acquire);
        if alive {
            if !here {
                return Err(Error::corrupt(
                    "others have the slab open, but its control page or its length is damaged",
                    CONTROL,
                ));
            }
            liveness::reap(&self.file, &map).map_err(self.failed("lock"))?;
        } else if !adoptable {
            let allocates = sys::allocate(&self.file, IDENT, IDENT_SIZE).map_err(self.failed("allocate"))?;
            Recovery {
                file: &self.file,
                map: &map,
                uuid: self.ident.uuid,
                path: &self.path,
                allocates,
            }
            .run()?;
        } else {
            liveness::adopt(&map);
        }
        let own = self.reopen()?;
        let Some(participant) = liveness::claim(own, &map, self.file_system).map_err(self.failed("lock"))? else {
            return Err(liveness::too_many(&self.path));
        };
        let slab = SlabFile::new(self, options, region, inflight, Some(participant))?;
        if !alive && !adoptable {
            rebuild(&slab)?;
            control::set_ready(&map, system.boot, system.file);
        }
        if !alive {
            create::keep_name(slab.path())?;
            settle(&slab)?;
        }
        Ok(Some(slab))
    }

    /// Opens for reading. None: the name belongs to another file by now.
    pub(super) fn join_reading(self, options: &Options) -> Result<Option<SlabFile>> {
        let gate_file = self.file.try_clone().map_err(self.failed("dup"))?;
        let _gate = lock_gate(&gate_file, LockKind::Read, &self.path)?;
        if !self.is_named()? {
            return Ok(None);
        }
        let failed = self.failed("lock");
        if liveness::someone_alive(&self.file, None).map_err(&failed)? {
            let why = "programs have it open for writing, which excludes read-only ones: open it for writing too, or close it there";
            return Err(Error::locked(&self.path, why));
        }
        // Shared, and who locks it for writing holds the GATE: nobody does now.
        sys::lock(&self.file, LOCK_READ_ONLY, LockKind::Read).map_err(&failed)?;
        let len = self.len()?;
        let region = Region::private(&self.file, len.next_multiple_of(PAGE), SCRATCH).map_err(self.failed("mmap"))?;
        // SAFETY: the region outlives this function's use of the mapping; it is page-aligned and may be written.
        let map = unsafe { Mapping::from_raw(region.base(), region.len() as usize) };
        self.start_reading(&map, len)?;
        drop(failed);
        SlabFile::new(self, options, region, 0, None).map(Some)
    }

    /// Fills the private copies of control page and tables from the best superblock.
    fn start_reading(&self, map: &Mapping, len: u64) -> Result<()> {
        let Some(&(_, durable)) = valid(map, &self.ident.uuid).first() else {
            return Err(Error::corrupt("both superblocks are invalid", SUPERBLOCK_A));
        };
        if len < durable.high_water * BLOCK_SIZE + SLACK {
            let what =
                "the file was truncated, or a recovery of it was cut short (then it takes one opening for writing)";
            return Err(Error::corrupt(what, len));
        }
        let system = System::of(self)?;
        // The trie finds symbols by name. It isn't in the superblock: after a crash only the directory can be believed.
        let trusted = system.is_known() && system.left_ready(map, len, &self.ident);
        let trie = if trusted {
            map.atomic_u64(CONTROL_SYMBOL_TRIE).load(Relaxed)
        } else {
            0
        };
        for (offset, len) in TABLES {
            hide(&self.file, map, offset, len).map_err(self.failed("read"))?;
        }
        let from = Superblock {
            backed: durable.backed.min(len - SLACK),
            ..durable
        };
        control::start(
            map,
            &Start {
                from,
                version: durable.version,
                free_blocks: 0,
                unbacked: 0,
                maps: MAPS_SUPERSET,
            },
        );
        map.atomic_u64(CONTROL_SYMBOL_TRIE).store(trie, Relaxed);
        control::set_ready(map, system.boot, system.file);
        Ok(())
    }
}

/// What tells whether the page cache is the one that the slab was last used in.
struct System {
    boot: [u8; 16],
    file: sys::FileId,
}

impl System {
    fn of(found: &Found) -> Result<System> {
        Ok(System {
            boot: sys::boot_id().map_err(found.failed("read the boot id"))?,
            file: sys::file_id(&found.file).map_err(found.failed("stat"))?,
        })
    }

    /// Does the system tell its boot id? Without it, a slab that nobody has open counts as left by another one.
    fn is_known(&self) -> bool {
        self.boot != [0; 16]
    }

    /// Is the control page one that this system has left, and does it fit the file?
    fn left_ready(&self, map: &Mapping, len: u64, ident: &Ident) -> bool {
        // The live root can't be older than a superblock.
        let floor = valid(map, &ident.uuid).first().map_or(0, |(_, s)| s.version);
        let file = if weakened("open: only the same file") {
            control::noted_file(map)
        } else {
            self.file
        };
        control::is_ready(map, self.boot, file) && liveness::is_adoptable(map, len, floor)
    }
}

/// Behind the GATE, with nobody else alive: makes durable what is not.
fn settle(slab: &SlabFile) -> Result<()> {
    let map = slab.mapping();
    match slab.sync(&Quiet(map), current(map)) {
        // The disk fails. The slab can still be read and copied, and whoever wants durability is told.
        Err(Error::Sync(_)) => {}
        done => _ = done?,
    }
    mark_unclean(map, &slab.ident().uuid);
    Ok(())
}

/// Sets a part of private memory to zero, page by page, where the file has something else. Holes of the file aren't touched: on tmpfs even
/// reading them through a mapping takes memory.
fn hide(file: &File, map: &Mapping, offset: u64, len: u64) -> std::io::Result<()> {
    let mut page = [0; PAGE as usize];
    for at in (offset..offset + len).step_by(PAGE as usize) {
        file.read_exact_at(&mut page, at)?;
        if page.iter().any(|&b| b != 0) {
            (at..at + PAGE)
                .step_by(8)
                .for_each(|w| map.atomic_u64(w).store(0, Relaxed));
        }
    }
    Ok(())
}
