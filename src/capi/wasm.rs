//! wasm32 only: what the threads of one page need beyond the C ABI. Not in `eve.h`.
//!
//! All threads instantiate the same module over one shared memory, so they share its static data and its heap: a handle that one thread got
//! can be used by any other. Still each thread should attach: what it pins and allocates is its own then, and goes when it closes.

use super::guard::{guard, required, store};
use super::slab::{insert, slab};
use super::*;
use std::alloc::{alloc, dealloc, Layout};
use std::ptr::null_mut;

/// The slab of `slab`, opened by any thread, once more: a participant of its own, to be closed by `eve_close`.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_attach(slab: EveSlab, out: *mut EveSlab, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            store(out, insert(self::slab(slab)?.attach()?)?)
        })
    }
}

/// Memory for the host: arguments and results of calls, a thread's stack and its thread-local data. NULL if there is no room, or if `align` is
/// not a power of two.
#[no_mangle]
pub extern "C" fn eve_alloc(size: usize, align: usize) -> *mut u8 {
    match Layout::from_size_align(size, align) {
        // SAFETY: the size is not 0.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        _ => null_mut(),
    }
}

/// Gives back what `eve_alloc` gave for the same `size` and `align`; NULL is ignored.
///
/// # Safety
/// `at` is NULL or was returned by `eve_alloc(size, align)`, and nobody uses it any more.
#[no_mangle]
pub unsafe extern "C" fn eve_free(at: *mut u8, size: usize, align: usize) {
    if let (false, Ok(layout)) = (at.is_null(), Layout::from_size_align(size, align)) {
        // SAFETY: the caller's promise.
        unsafe { dealloc(at, layout) }
    }
}
