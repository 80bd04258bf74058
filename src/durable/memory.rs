//! A slab in plain memory, for tests.

use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::alloc::{alloc_zeroed, dealloc, Layout};

/// Zeroed memory that looks like a mapped slab.
pub(crate) struct Memory {
    base: *mut u8,
    layout: Layout,
    pub(crate) map: Mapping,
}

impl Memory {
    pub(crate) fn new(bytes: u64) -> Memory {
        let layout = Layout::from_size_align((bytes + SLACK) as usize, 4096).unwrap();
        // SAFETY: the layout has a size above 0; the memory stays until `drop`, and the mapping covers just it.
        unsafe {
            let base = alloc_zeroed(layout);
            assert!(!base.is_null());
            Memory {
                base,
                layout,
                map: Mapping::from_raw(base, layout.size()),
            }
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.base, self.layout) }
    }
}
