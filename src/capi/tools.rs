//! Tools over a whole slab: verify, backup, compact.

use super::guard::{copy_out, guard, required, store};
use super::slab::{path_of, slab};
use super::*;
use crate::tools::{self, quiet, Report};
use std::ffi::c_char;

/// What `eve_verify` found.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EveReport {
    /// The version that was checked.
    pub version: u64,
    /// Number of things that are wrong; 0: the slab is sound.
    pub findings: u64,
    /// Objects that are reachable.
    pub reachable_objects: u64,
    /// Bytes of the cells of reachable objects.
    pub reachable_bytes: u64,
    /// All objects.
    pub allocated_objects: u64,
    /// Bytes of the cells of all objects.
    pub allocated_bytes: u64,
    /// Committed objects that nothing reaches which was checked: leaked, or held by a pin.
    pub unreachable_objects: u64,
    /// Bytes of the cells of unreachable objects.
    pub unreachable_bytes: u64,
    /// Keywords and symbols.
    pub symbols: u64,
    /// Checksums of a backup that were compared, 0 if it isn't one or is open for writing.
    pub checksums: u64,
}

impl EveReport {
    fn of(r: &Report) -> EveReport {
        EveReport {
            version: r.versions.first().map_or(0, |v| v.version),
            findings: r.findings.total(),
            reachable_objects: r.reachable_objects,
            reachable_bytes: r.reachable_bytes,
            allocated_objects: r.allocated_objects,
            allocated_bytes: r.allocated_bytes,
            unreachable_objects: r.unreachable_objects,
            unreachable_bytes: r.unreachable_bytes,
            symbols: r.symbols,
            checksums: r.checksums.unwrap_or(0),
        }
    }
}

/// What `eve_gc` did. Bytes are those of cells.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EveGc {
    /// The version that was traced.
    pub version: u64,
    /// Objects that stay: in use, or waiting until nobody holds them.
    pub live_objects: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// Objects freed.
    pub freed_objects: u64,
    /// Their bytes.
    pub freed_bytes: u64,
    /// Unreachable objects that an old version which is held, or synced, may reach: they are freed when it is let go.
    pub held_objects: u64,
    /// Their bytes.
    pub held_bytes: u64,
    /// Blocks of 64 KiB that are free now and weren't.
    pub freed_blocks: u64,
}

/// Frees everything that no version in use reaches, and gives empty blocks back for any use. The slab does so by itself when it grows; by hand it makes room at
/// once. Others go on reading and writing. `report` may be NULL.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_gc(slab: EveSlab, report: *mut EveGc, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise, for every pointer used inside.
    unsafe {
        guard(err, || {
            let traced = self::slab(slab)?.gc()?;
            if report.is_null() {
                return Ok(EVE_OK);
            }
            let s = traced.swept;
            store(
                report,
                EveGc {
                    version: traced.version,
                    live_objects: s.live,
                    live_bytes: s.live_bytes,
                    freed_objects: s.freed,
                    freed_bytes: s.freed_bytes,
                    held_objects: s.held,
                    held_bytes: s.held_bytes,
                    freed_blocks: s.blocks,
                },
            )
        })
    }
}

/// The findings that are listed: a line each of kind, offset, path and what is wrong, with tabs between.
fn lines(r: &Report) -> String {
    let plain = |text: &str| text.replace(|c: char| c.is_control(), " ");
    let line = |f: &tools::Finding| {
        format!(
            "{}\t{:#x}\t{}\t{}\n",
            f.kind.name(),
            f.offset,
            plain(&f.path),
            plain(&f.what)
        )
    };
    r.findings.list.iter().map(line).collect()
}

/// Checks everything that the slab's current version, both superblocks and the symbol table reach, and the allocation maps; of a backup that is open
/// read-only also its checksums. Others may go on writing. Damage is no error: it is in `*report`. `buf` gets as much as fits of the findings (the
/// first 1000), a line each: kind, offset, path, what is wrong, with tabs between; `len` (may be NULL) their whole length.
///
/// # Safety
/// Pointers are NULL or valid; `buf` has `cap` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn eve_verify(
    slab: EveSlab,
    report: *mut EveReport,
    buf: *mut u8,
    cap: u64,
    len: *mut u64,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise, for every pointer used inside.
    unsafe {
        guard(err, || {
            required(report)?;
            let found = tools::verify(&*self::slab(slab)?, &mut quiet)?;
            let mut whole = 0;
            copy_out(lines(&found).as_bytes(), buf, cap, &mut whole)?;
            if !len.is_null() {
                store(len, whole)?;
            }
            store(report, EveReport::of(&found))
        })
    }
}

/// Copies the current version of the slab, which may be in use, to a new file at `path` (UTF-8, NUL-terminated), durably and with checksums. A file
/// that is there already is EVE_E_ARG and is left as it is. `version` (may be NULL) gets the version that was copied.
///
/// # Safety
/// Pointers are NULL or valid; `path` is NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn eve_backup(
    slab: EveSlab,
    path: *const c_char,
    version: *mut u64,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise, for every pointer used inside.
    unsafe {
        guard(err, || {
            let done = tools::backup(&*self::slab(slab)?, path_of(path)?, &mut quiet)?;
            if !version.is_null() {
                store(version, done.version)?;
            }
            Ok(EVE_OK)
        })
    }
}

/// Copies the values of the current version of the slab, which may be in use, into a new slab at `path` (UTF-8, NUL-terminated), without garbage and
/// free room. A file that is there already is EVE_E_ARG and is left as it is. `before` and `after` (may be NULL) get the bytes of both slabs' blocks.
///
/// # Safety
/// Pointers are NULL or valid; `path` is NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn eve_compact(
    slab: EveSlab,
    path: *const c_char,
    before: *mut u64,
    after: *mut u64,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise, for every pointer used inside.
    unsafe {
        guard(err, || {
            let done = tools::compact(&*self::slab(slab)?, path_of(path)?, &mut quiet)?;
            for (out, bytes) in [(before, done.before), (after, done.after)] {
                if !out.is_null() {
                    store(out, bytes)?;
                }
            }
            Ok(EVE_OK)
        })
    }
}
