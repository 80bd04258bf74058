//! The C ABI: the only `extern "C"` of the crate, and what every other language uses. `include/eve.h` is made from these files.
//!
//! Every function returns a status: 0 is `EVE_OK`, above 0 an outcome, below 0 an error whose text is in `*err` (which may be NULL). No panic
//! crosses the border. Handles are numbers with a generation: a closed or made-up one is `EVE_E_HANDLE`. There is no thread-local state: any
//! thread may make any call, but one transaction or iterator is used by one thread at a time (else `EVE_E_BUSY`).
//!
//! A word that is a pointer must belong to a version that the caller keeps pinned: by a snapshot, a pin group or a transaction.

pub mod guard;
pub mod read;
pub mod slab;
pub mod sorted;
pub mod table;
#[cfg(not(target_family = "wasm"))]
pub mod tools;
pub mod txn;
#[cfg(target_family = "wasm")]
pub mod wasm;

use std::ffi::c_char;

/// 0 (`EVE_OK`), an outcome (> 0) or an error (< 0).
pub type EveStatus = i32;
/// A tagged word: docs/format.md, section 2.
pub type EveWord = u64;
/// Handle of an opened slab.
pub type EveSlab = u64;
/// Handle of a transaction.
pub type EveTxn = u64;
/// Handle of a snapshot.
pub type EveSnapshot = u64;
/// Handle of an iterator.
pub type EveIter = u64;

/// Number of this ABI; `eve_abi_version` returns the library's.
pub const EVE_ABI_VERSION: u32 = 1;

/// It worked.
pub const EVE_OK: EveStatus = 0;
/// The key, atom or symbol is not there.
pub const EVE_NOT_FOUND: EveStatus = 1;
/// Another commit changed what the transaction had read: run it again.
pub const EVE_CONFLICT: EveStatus = 2;
/// The time was over first.
pub const EVE_TIMEOUT: EveStatus = 3;
/// The iterator has no more elements.
pub const EVE_END: EveStatus = 4;
/// The operation doesn't apply to the atom's value: do it the general way, by a transaction. Nothing happened.
pub const EVE_RERUN: EveStatus = 5;

/// A required pointer is NULL, or an argument is out of range.
pub const EVE_E_ARG: EveStatus = -1;
/// Not a live handle.
pub const EVE_E_HANDLE: EveStatus = -2;
/// The operating system reported an error; `os_error` has its number.
pub const EVE_E_IO: EveStatus = -3;
/// The file is not a slab.
pub const EVE_E_NOT_A_SLAB: EveStatus = -4;
/// The slab has another format version or unknown features.
pub const EVE_E_VERSION: EveStatus = -5;
/// The slab is damaged.
pub const EVE_E_CORRUPT: EveStatus = -6;
/// No room: the disk, the address space or a limit given at open.
pub const EVE_E_FULL: EveStatus = -7;
/// The value has another type than the operation needs.
pub const EVE_E_TYPE: EveStatus = -8;
/// In use by another thread or process.
pub const EVE_E_BUSY: EveStatus = -9;
/// The slab was closed.
pub const EVE_E_CLOSED: EveStatus = -10;
/// The slab was opened before fork(): open it again in this process.
pub const EVE_E_FORKED: EveStatus = -11;
/// The file lies on a network or user-space file system, where shared memory isn't coherent.
pub const EVE_E_REMOTE: EveStatus = -12;
/// The slab is open read-only.
pub const EVE_E_READ_ONLY: EveStatus = -13;
/// A limit of the format.
pub const EVE_E_LIMIT: EveStatus = -14;
/// A build buffer is not well formed.
pub const EVE_E_BUFFER: EveStatus = -15;
/// The operating system denies access.
pub const EVE_E_PERMISSION: EveStatus = -16;
/// File or folder missing.
pub const EVE_E_NOT_FOUND: EveStatus = -17;
/// The commit was made, but it couldn't be written to disk as `eve_options.sync_mode` asks. Don't run it again.
pub const EVE_E_NOT_DURABLE: EveStatus = -18;
/// A bug in the library: it panicked. The handle used is closed.
pub const EVE_E_PANIC: EveStatus = -99;

/// Where an error's text goes; may be NULL in every call.
#[repr(C)]
pub struct EveError {
    /// The status returned.
    pub code: i32,
    /// errno, or 0.
    pub os_error: i32,
    /// UTF-8, NUL-terminated: what was wrong, where, and what to do.
    pub message: [c_char; 504],
}

/// One version, as plain data.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EveView {
    /// Number of the version.
    pub version: u64,
    /// Its state map: atom name -> value.
    pub state: EveWord,
    /// Every object of the version starts below this offset.
    pub limit: u64,
    /// Time of its commit, ms since 1970.
    pub time_ms: u64,
    /// Bytes retired by all commits up to it.
    pub retired_bytes: u64,
    /// Index of its root record. The version is current while the root word has this value and the record's version is `version`.
    pub record: u32,
    /// 0.
    pub reserved: u32,
}

impl From<crate::View> for EveView {
    fn from(v: crate::View) -> EveView {
        EveView {
            version: v.version,
            state: v.state,
            limit: v.limit,
            time_ms: v.time_ms,
            retired_bytes: v.retired,
            record: v.record,
            reserved: 0,
        }
    }
}
