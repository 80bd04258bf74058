//! Level 1: slabs, snapshots, pin groups, waiting.

use super::guard::{bytes, guard, required, store};
use super::table::{Table, Use};
use super::*;
use crate::error::{Error, Result};
use crate::open::{Options, SyncMode};
use crate::slab::layout::{CONTROL, CONTROL_INCARNATION, CONTROL_ROOT, IDENT};
use crate::{Slab, Snapshot};
use std::ffi::{c_char, CStr};
use std::path::Path;
use std::sync::atomic::Ordering::*;
use std::time::Duration;

static SLABS: Table<Slab> = Table::new(1);
static SNAPSHOTS: Table<Snapshot> = Table::new(2);

/// `eve_options.flags`: create the slab if it is missing (the default when no flag is given).
pub const EVE_CREATE: u32 = 1;
/// `eve_options.flags`: the slab must exist.
pub const EVE_MUST_EXIST: u32 = 2;
/// `eve_options.flags`: open for reading only.
pub const EVE_READ_ONLY: u32 = 4;
/// `eve_options.flags`: the slab must not exist.
pub const EVE_EXCLUSIVE_NEW: u32 = 8;

/// `eve_options.sync_mode`: commits are written to disk in the background, at most `sync_interval_ms` after they were made (the default). When
/// a write has failed, this and each further commit is EVE_E_NOT_DURABLE.
pub const EVE_SYNC_INTERVAL: u32 = 0;
/// `eve_options.sync_mode`: commits are not written by themselves.
pub const EVE_SYNC_NONE: u32 = 1;
/// `eve_options.sync_mode`: a commit is on disk when it returns. Those made at the same time share one write.
pub const EVE_SYNC_COMMIT: u32 = 2;

/// How to open a slab; NULL means all defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EveOptions {
    /// sizeof(EveOptions).
    pub size: u32,
    /// EVE_CREATE, ...; 0 = EVE_CREATE. EVE_MUST_EXIST excludes EVE_CREATE and EVE_EXCLUSIVE_NEW, and that EVE_READ_ONLY.
    pub flags: u32,
    /// File mode of a new slab, at most 0777; 0 = 0600.
    pub mode: u32,
    /// When commits are written to disk, other than at the last close and by eve_sync: EVE_SYNC_INTERVAL (0), EVE_SYNC_NONE, EVE_SYNC_COMMIT.
    pub sync_mode: u32,
    /// Largest size of the slab in bytes; 0 = as much as there is address space.
    pub max_bytes: u64,
    /// Longest time in ms from a commit until it is written, for EVE_SYNC_INTERVAL; 0 = 1000. (An eve_options may end before this field.)
    pub sync_interval_ms: u32,
    /// 0.
    pub reserved: u32,
}

/// Bytes of the first eve_options: callers may pass one that ends here.
const OPTIONS_LEAST: usize = 24;

/// Where an opened slab lies in this process. The address never changes until `eve_close`; the slab grows in place.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EveMemory {
    /// Address of offset 0.
    pub base: u64,
    /// Bytes of address space.
    pub reserved: u64,
    /// Bytes allocated now.
    pub backed: u64,
    /// Offset of the control page.
    pub control: u64,
    /// The slab's uuid.
    pub uuid: [u8; 16],
    /// Count of openings after a crash: symbol ids may be cached per uuid and incarnation.
    pub incarnation: u32,
    /// 1 if opened read-only.
    pub read_only: u32,
}

/// The slab of a handle.
pub(super) fn slab(handle: EveSlab) -> Result<Use<Slab>> {
    let slab = SLABS.get(handle)?;
    slab.check()?;
    Ok(slab)
}

/// A handle for `slab`.
pub(super) fn insert(slab: Slab) -> Result<EveSlab> {
    SLABS.insert(slab)
}

/// # Safety
/// `options` is NULL or points to at least `size` readable bytes.
unsafe fn options(options: *const EveOptions) -> Result<Options> {
    if options.is_null() {
        return Ok(Options::default());
    }
    // SAFETY: not NULL, and `size` is its first field. A caller with a shorter struct has no more than it says.
    let size = unsafe { (*options).size } as usize;
    if size < OPTIONS_LEAST {
        return Err(Error::arg("eve_options.size is not sizeof(eve_options)"));
    }
    let mut o = std::mem::MaybeUninit::<EveOptions>::zeroed();
    // SAFETY: `size` readable bytes, the caller's promise. Zeros, what is left of the others, are valid integers.
    let o = unsafe {
        std::ptr::copy_nonoverlapping(
            options.cast::<u8>(),
            o.as_mut_ptr().cast(),
            size.min(size_of::<EveOptions>()),
        );
        o.assume_init()
    };
    let unusual = o.sync_mode != EVE_SYNC_INTERVAL && o.sync_interval_ms != 0;
    if o.flags & !15 != 0 || o.sync_mode > EVE_SYNC_COMMIT || o.reserved != 0 || unusual {
        return Err(Error::arg(
            "eve_options has an unknown flag or sync_mode, an interval for another mode, or a reserved field that isn't 0",
        ));
    }
    let sync = match (o.sync_mode, o.sync_interval_ms) {
        (EVE_SYNC_NONE, _) => SyncMode::None,
        (EVE_SYNC_COMMIT, _) => SyncMode::Commit,
        (_, 0) => SyncMode::USUAL,
        (_, ms) => SyncMode::Interval(Duration::from_millis(ms.into())),
    };
    let must_exist = o.flags & EVE_MUST_EXIST != 0 && o.flags & (EVE_CREATE | EVE_EXCLUSIVE_NEW) != 0;
    if must_exist || o.flags & EVE_EXCLUSIVE_NEW != 0 && o.flags & EVE_READ_ONLY != 0 {
        return Err(Error::arg(
            "eve_options.flags contradict each other: EVE_MUST_EXIST excludes EVE_CREATE and EVE_EXCLUSIVE_NEW, and that EVE_READ_ONLY",
        ));
    }
    if o.mode & !0o777 != 0 {
        return Err(Error::arg("eve_options.mode has other bits than those of 0777"));
    }
    let usual = Options::default();
    Ok(Options {
        create: o.flags & (EVE_MUST_EXIST | EVE_READ_ONLY) == 0,
        must_be_new: o.flags & EVE_EXCLUSIVE_NEW != 0,
        read_only: o.flags & EVE_READ_ONLY != 0,
        mode: if o.mode == 0 { usual.mode } else { o.mode },
        sync,
        max_bytes: if o.max_bytes == 0 { usual.max_bytes } else { o.max_bytes },
    })
}

/// Number of the library's ABI; compare it with EVE_ABI_VERSION of the header.
#[no_mangle]
pub extern "C" fn eve_abi_version() -> u32 {
    EVE_ABI_VERSION
}

/// # Safety
/// `path` is NULL or NUL-terminated.
pub(super) unsafe fn path_of<'a>(path: *const c_char) -> Result<&'a Path> {
    required(path)?;
    // SAFETY: not NULL, and NUL-terminated as the caller promises.
    let path = unsafe { CStr::from_ptr(path) };
    path.to_str()
        .map(Path::new)
        .map_err(|_| Error::arg("the path is not UTF-8"))
}

/// Opens the slab at `path` (UTF-8, NUL-terminated); creates it if it is missing. Every opening is a participant of its own.
///
/// # Safety
/// Pointers are NULL or valid; `path` is NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn eve_open(
    path: *const c_char,
    options: *const EveOptions,
    out: *mut EveSlab,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise, for every pointer used inside.
    unsafe {
        guard(err, || {
            let path = path_of(path)?;
            required(out)?;
            let slab = Slab::open(path, &self::options(options)?)?;
            store(out, insert(slab)?)
        })
    }
}

/// A new slab without a file name, shared by the threads of this process.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_open_anonymous(
    options: *const EveOptions,
    out: *mut EveSlab,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            store(out, insert(Slab::anonymous(&self::options(options)?)?)?)
        })
    }
}

/// Closes the slab; the last process to close it writes it to disk. Transactions, snapshots and iterators of it that are still open give
/// EVE_E_CLOSED from then on; words read from it may not be followed any more.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_close(slab: EveSlab, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let s = SLABS.get(slab)?.clone();
            SLABS.remove(slab)?;
            s.close()?;
            Ok(EVE_OK)
        })
    }
}

/// Address and size of the mapping, for readers in place.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_slab_memory(slab: EveSlab, out: *mut EveMemory, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let s = self::slab(slab)?;
            let map = s.map();
            let mut uuid = [0; 16];
            for (half, at) in [IDENT + 40, IDENT + 48].into_iter().enumerate() {
                uuid[half * 8..][..8].copy_from_slice(&map.atomic_u64(at).load(Relaxed).to_le_bytes());
            }
            let memory = EveMemory {
                base: map.base() as u64,
                reserved: map.reserved(),
                backed: map.backed(),
                control: CONTROL,
                uuid,
                incarnation: map.atomic_u32(CONTROL_INCARNATION).load(Relaxed),
                read_only: s.read_only() as u32,
            };
            store(out, memory)
        })
    }
}

/// The root word: index of the current root record.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_root_load(slab: EveSlab, out: *mut u32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            store(out, self::slab(slab)?.map().atomic_u32(CONTROL_ROOT).load(Acquire))
        })
    }
}

/// Pins the current version until `eve_snapshot_close`. `view` may be NULL.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_snapshot_open(
    slab: EveSlab,
    out: *mut EveSnapshot,
    view: *mut EveView,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let s = self::slab(slab)?.snapshot()?;
            if !view.is_null() {
                store(view, s.view().into())?;
            }
            store(out, SNAPSHOTS.insert(s)?)
        })
    }
}

/// Lets the snapshot's version go.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_snapshot_close(snapshot: EveSnapshot, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || SNAPSHOTS.remove(snapshot).map(|()| EVE_OK)) }
}

/// A new, empty pin group: an interval of versions that stay readable until `eve_group_close`. For runtimes whose collector finds dead handles.
/// Group numbers start at 1.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_group_open(slab: EveSlab, group: *mut u32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(group)?;
            store(group, self::slab(slab)?.open_group()?)
        })
    }
}

/// Lets all versions of the group go.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_group_close(slab: EveSlab, group: u32, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || self::slab(slab)?.close_group(group).map(|()| EVE_OK)) }
}

/// Frees what no pin holds any more and threads had retired that haven't used the slab since the last call of this. A runtime that closes groups
/// calls it about once a second: a thread that has stopped writing frees nothing by itself.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_reclaim(slab: EveSlab, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || self::slab(slab)?.reclaim_idle().map(|()| EVE_OK)) }
}

/// The current version, added to the group.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_group_view(
    slab: EveSlab,
    group: u32,
    view: *mut EveView,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(view)?;
            store(view, self::slab(slab)?.group_view(group)?.into())
        })
    }
}

/// Makes the current version survive a crash of the machine; `durable_version` (may be NULL) gets the version that is durable now.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_sync(slab: EveSlab, durable_version: *mut u64, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            let v = self::slab(slab)?.sync()?;
            if !durable_version.is_null() {
                store(durable_version, v)?;
            }
            Ok(EVE_OK)
        })
    }
}

/// Sleeps until there is a version later than `seen_version`: EVE_OK and the version, or EVE_TIMEOUT after `timeout_ms` (< 0: no limit) or `eve_wake`.
///
/// # Safety
/// Pointers are NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_wait(
    slab: EveSlab,
    seen_version: u64,
    timeout_ms: i64,
    version: *mut u64,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            // A clone, not a use: closing the slab must not wait for a sleeper.
            let s = self::slab(slab)?.clone();
            let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
            match s.wait(seen_version, timeout)? {
                Some(v) if version.is_null() => Ok((v, EVE_OK).1),
                Some(v) => store(version, v),
                None => Ok(EVE_TIMEOUT),
            }
        })
    }
}

/// Ends all calls of `eve_wait` on this handle with EVE_TIMEOUT.
///
/// # Safety
/// `err` is NULL or valid.
#[no_mangle]
pub unsafe extern "C" fn eve_wake(slab: EveSlab, err: *mut EveError) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe { guard(err, || self::slab(slab)?.wake().map(|()| EVE_OK)) }
}

/// The keyword (kind 0) or symbol (kind 1) of that name, made if it is new. `ns_len` -1: no namespace.
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_symbol_intern(
    slab: EveSlab,
    kind: u32,
    ns: *const u8,
    ns_len: i64,
    name: *const u8,
    name_len: u64,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let ns = u64::try_from(ns_len).ok().map(|n| bytes(ns, n)).transpose()?;
            store(
                out,
                self::slab(slab)?.intern(symbol_kind(kind)?, ns, bytes(name, name_len)?)?,
            )
        })
    }
}

/// The same without making it: EVE_NOT_FOUND if it was never interned (then no value holds it).
///
/// # Safety
/// Pointers are NULL or valid for their lengths.
#[no_mangle]
pub unsafe extern "C" fn eve_symbol_find(
    slab: EveSlab,
    kind: u32,
    ns: *const u8,
    ns_len: i64,
    name: *const u8,
    name_len: u64,
    out: *mut EveWord,
    err: *mut EveError,
) -> EveStatus {
    // SAFETY: the caller's promise.
    unsafe {
        guard(err, || {
            required(out)?;
            let ns = u64::try_from(ns_len).ok().map(|n| bytes(ns, n)).transpose()?;
            let s = self::slab(slab)?;
            match crate::value::symbol::find(s.map(), symbol_kind(kind)?, ns, bytes(name, name_len)?)? {
                Some(w) => store(out, w),
                None => Ok(EVE_NOT_FOUND),
            }
        })
    }
}

fn symbol_kind(kind: u32) -> Result<u8> {
    match kind {
        0 | 1 => Ok(kind as u8),
        _ => Err(Error::arg("the kind of a symbol is 0 (keyword) or 1 (symbol)")),
    }
}
