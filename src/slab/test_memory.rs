//! Slab memory without a file, for tests and benchmarks.

use super::alloc::{Grow, Memory};
use super::layout::*;
use super::mapping::Mapping;
use crate::error::{Error, Result};
use std::sync::atomic::Ordering::*;

/// Address space of a test's slab.
const RESERVED: usize = 8 << 30;

/// Anonymous memory that looks like an opened, empty slab to the layers above files.
#[derive(Debug)]
pub struct TestMemory {
    map: Mapping,
    limit: u64,
}

impl TestMemory {
    /// 8 GiB of address space, of which pages are used as they are touched.
    pub fn new() -> TestMemory {
        TestMemory::with_limit(RESERVED as u64)
    }

    /// The same, but growth beyond `limit` bytes fails as on a full disk.
    pub fn with_limit(limit: u64) -> TestMemory {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new anonymous mapping at an address of the system's choice.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                RESERVED,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        assert!(base != libc::MAP_FAILED, "no address space");
        // SAFETY: just mapped, page-aligned, zeroed and writable, until `drop`.
        let map = unsafe { Mapping::from_raw(base.cast(), RESERVED) };
        map.atomic_u64(CONTROL_BACKED).store(HEADER_SIZE, Release);
        map.atomic_u64(CONTROL_HIGH_WATER)
            .store(HEADER_SIZE / BLOCK_SIZE, Release);
        map.atomic_u32(CONTROL_STATE).store(STATE_READY, Release);
        TestMemory { map, limit }
    }

    /// What writers and allocators need.
    pub fn memory(&self) -> Memory<'_> {
        Memory {
            map: &self.map,
            file: self,
        }
    }
}

impl Default for TestMemory {
    fn default() -> TestMemory {
        TestMemory::new()
    }
}

impl Grow for TestMemory {
    fn grow(&self, backed: u64) -> Result<()> {
        if backed > self.limit {
            return Err(Error::full("test memory", self.limit));
        }
        self.map.atomic_u64(CONTROL_BACKED).fetch_max(backed, AcqRel);
        Ok(())
    }

    fn ensure(&self, _offset: u64, _len: u64) -> Result<()> {
        Ok(())
    }

    fn back(&self, _offset: u64, _len: u64) -> Result<()> {
        Ok(())
    }

    fn punch(&self, _offset: u64, _len: u64) -> Result<bool> {
        Ok(true)
    }
}

impl Drop for TestMemory {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`; whoever borrowed the memory is gone.
        unsafe { libc::munmap(self.map.base().cast(), RESERVED) };
    }
}
