//! Calls from C: no panic gets out, errors become a status and a text, pointers are looked at before they are used.

use super::{EveError, EveStatus, EVE_E_PANIC, EVE_OK};
use crate::error::{Error, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `f`; writes its error to `err`, if that isn't NULL.
///
/// # Safety
/// `err` is NULL or points to a writable `EveError`.
pub(super) unsafe fn guard(err: *mut EveError, f: impl FnOnce() -> Result<EveStatus>) -> EveStatus {
    let (code, os_error, text) = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(status)) => return status,
        Ok(Err(e)) => (e.code(), e.os_error(), e.to_string()),
        Err(panic) => {
            let what = panic
                .downcast_ref::<&str>()
                .map(|s| s.to_string())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            let what = what.unwrap_or_else(|| "no message".into());
            (
                EVE_E_PANIC,
                0,
                format!("a bug in eve: it panicked ({what}); please report it"),
            )
        }
    };
    if !err.is_null() {
        // SAFETY: not NULL, and the caller promises that it is writable.
        let e = unsafe { &mut *err };
        e.code = code;
        e.os_error = os_error;
        let mut n = text.len().min(e.message.len() - 1);
        while !text.is_char_boundary(n) {
            n -= 1;
        }
        for (to, from) in e.message.iter_mut().zip(text.as_bytes()[..n].iter().chain([&0])) {
            *to = *from as std::ffi::c_char;
        }
    }
    code
}

/// Stores `value` through an out-parameter.
///
/// # Safety
/// `out` is NULL or points to a writable `T`.
pub(super) unsafe fn store<T>(out: *mut T, value: T) -> Result<EveStatus> {
    if out.is_null() {
        return Err(Error::arg("a required out-parameter is NULL"));
    }
    // SAFETY: not NULL, and the caller promises that it is writable.
    unsafe { out.write(value) };
    Ok(EVE_OK)
}

/// Refuses a NULL out-parameter before anything is done.
pub(super) fn required<T>(out: *const T) -> Result<()> {
    if out.is_null() {
        return Err(Error::arg("a required pointer is NULL"));
    }
    Ok(())
}

/// The bytes of an argument; NULL is allowed for no bytes.
///
/// # Safety
/// `at` is NULL or points to `len` readable bytes that nobody changes during the call.
pub(super) unsafe fn bytes<'a>(at: *const u8, len: u64) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if at.is_null() || len > isize::MAX as u64 {
        return Err(Error::arg("a buffer is NULL or its length is impossible"));
    }
    // SAFETY: not NULL, and the caller promises `len` readable bytes.
    Ok(unsafe { std::slice::from_raw_parts(at, len as usize) })
}

/// Copies as much of `text` as fits to `buf` and its whole length to `len`.
///
/// # Safety
/// `buf` is NULL (only if `cap` is 0) or points to `cap` writable bytes; `len` is NULL or writable.
pub(super) unsafe fn copy_out(text: &[u8], buf: *mut u8, cap: u64, len: *mut u64) -> Result<EveStatus> {
    if cap > 0 && buf.is_null() {
        return Err(Error::arg("the buffer is NULL but its capacity isn't 0"));
    }
    let n = text.len().min(usize::try_from(cap).unwrap_or(usize::MAX));
    if n > 0 {
        // SAFETY: `n <= cap` writable bytes, promised by the caller; the text is ours.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), buf, n) };
    }
    // SAFETY: promised by the caller.
    unsafe { store(len, text.len() as u64) }
}
