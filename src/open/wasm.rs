//! wasm32: a slab in the linear memory that the threads of one page share. No files, no other processes, nothing durable.

use super::{anonymous_name, Options};
use crate::durable::control;
use crate::durable::flush::{Disk, Source, Sync};
use crate::error::{Error, Result};
use crate::slab::alloc::Grow;
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sys;
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::sync::atomic::{AtomicBool, Ordering::*};

/// Size of a slab if the options don't limit it. Linear memory can't be reserved without being there, and a slab never moves.
const DEFAULT_BYTES: u64 = 64 << 20;
const PAGE: usize = 4096;

/// A slab in memory.
#[derive(Debug)]
pub struct SlabFile {
    map: Mapping,
    layout: Layout,
    options: Options,
    ident: Ident,
    syncing: AtomicBool,
}

impl SlabFile {
    /// A new slab of at most `options.max_bytes` bytes, all of which are taken at once.
    pub fn anonymous(options: &Options) -> Result<SlabFile> {
        let bytes = if options.max_bytes == u64::MAX {
            DEFAULT_BYTES
        } else {
            options.max_bytes
        };
        let bytes = bytes.max(HEADER_SIZE + BLOCK_SIZE).next_multiple_of(BLOCK_SIZE) + SLACK;
        let no_room = || {
            Error::full(
                "the linear memory: ask for fewer max_bytes, or give the module more memory",
                bytes,
            )
        };
        let size = usize::try_from(bytes).map_err(|_| no_room())?;
        let layout = Layout::from_size_align(size, PAGE).map_err(|_| no_room())?;
        // SAFETY: the size is not 0.
        let base = unsafe { alloc_zeroed(layout) };
        if base.is_null() {
            return Err(no_room());
        }
        // SAFETY: the memory is page-aligned, zeroed and ours until the SlabFile is dropped.
        let map = unsafe { Mapping::from_raw(base, size) };
        let ident = Ident::new(
            sys::random().map_err(|e| Error::io("random", &anonymous_name(), &e))?,
            sys::now_ms(),
        );
        control::format(&map, &ident);
        control::set_ready(&map, [0; 16], [0; 3]);
        Ok(SlabFile {
            map,
            layout,
            options: options.clone(),
            ident,
            syncing: AtomicBool::new(false),
        })
    }

    /// The mapped bytes.
    pub fn mapping(&self) -> &Mapping {
        &self.map
    }

    /// Never an error: there is no fork.
    pub fn check_fork(&self) -> Result<()> {
        Ok(())
    }

    /// Never.
    pub fn read_only(&self) -> bool {
        false
    }

    /// The only one.
    pub fn participant(&self) -> u32 {
        0
    }

    /// How it was opened.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What the slab says about itself.
    pub fn ident(&self) -> &Ident {
        &self.ident
    }

    /// Nothing becomes durable, but the version that the superblocks pin moves on to `target` or a later one.
    pub fn sync(&self, source: &dyn Source, target: u64) -> Result<u64> {
        // Threads share the superblocks: one at a time, and who finds another at it has nothing to wait for.
        if self.syncing.swap(true, Acquire) {
            return Ok(self.map.atomic_u64(CONTROL_DURABLE).load(Acquire));
        }
        let path = anonymous_name();
        let sync = Sync {
            map: &self.map,
            disk: self,
            uuid: self.ident.uuid,
            path: &path,
            cut_short: false,
            closing: false,
        };
        let durable = sync.run(source, target);
        self.syncing.store(false, Release);
        durable
    }

    /// Nothing is left to do: the memory goes with the last user.
    pub fn close(&self) -> Result<()> {
        Ok(())
    }
}

impl Grow for SlabFile {
    fn grow(&self, backed: u64) -> Result<()> {
        let limit = self.map.reserved() - SLACK;
        if backed > limit {
            return Err(Error::full("the slab's memory (max_bytes)", limit));
        }
        self.map.atomic_u64(CONTROL_BACKED).fetch_max(backed, AcqRel);
        Ok(())
    }

    fn ensure(&self, _offset: u64, _len: u64) -> Result<()> {
        // All memory is there from the start.
        Ok(())
    }
}

impl Disk for SlabFile {
    fn flush(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn flush_page(&self, _offset: u64) -> std::io::Result<()> {
        Ok(())
    }

    fn redirty(&self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for SlabFile {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout; whoever reads the slab holds the SlabFile.
        unsafe { dealloc(self.map.base(), self.layout) }
    }
}
