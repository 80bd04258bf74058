//! wasm32 with shared memory: no files, no processes. Time, sleeping and random bytes come from the host, as imports from the module `eve`.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

mod host {
    #[link(wasm_import_module = "eve")]
    extern "C" {
        /// ms since 1970.
        pub fn now_ms() -> f64;
        /// ms since some moment, never going back.
        pub fn monotonic_ms() -> f64;
        /// 1 if this thread may sleep, 0 on a page's main thread.
        pub fn can_wait() -> u32;
        /// `Atomics.wait` on the i32 at `address`.
        pub fn wait(address: *const u32, expected: u32, timeout_ms: f64);
        /// `Atomics.notify` on the i32 at `address`.
        pub fn wake(address: *const u32);
        /// Fills `len` bytes at `address` with random ones.
        pub fn random(address: *mut u8, len: usize);
    }
}

/// Time of day, ms since 1970.
pub fn now_ms() -> u64 {
    // SAFETY: the host's function takes nothing and returns a number.
    (unsafe { host::now_ms() }) as u64
}

/// Time since some moment of the past; never goes back.
pub fn monotonic() -> Duration {
    // SAFETY: as `now_ms`.
    Duration::from_secs_f64(unsafe { host::monotonic_ms() }.max(0.0) / 1000.0)
}

/// Bytes of stack that are left: not told here.
pub fn stack_left() -> usize {
    usize::MAX
}

/// May this thread sleep?
pub fn can_wait() -> bool {
    // SAFETY: as `now_ms`.
    unsafe { host::can_wait() != 0 }
}

/// Sleeps while `word` is `expected`, until somebody wakes it, `timeout` at most. May return early.
pub fn futex_wait(word: &AtomicU32, expected: u32, timeout: Duration) {
    // SAFETY: the address is that of a live, aligned word; the host only compares it and sleeps.
    unsafe { host::wait(word.as_ptr(), expected, timeout.as_secs_f64() * 1000.0) }
}

/// Wakes everybody who sleeps on `word`.
pub fn futex_wake(word: &AtomicU32) {
    // SAFETY: as `futex_wait`.
    unsafe { host::wake(word.as_ptr()) }
}

/// Random bytes.
pub fn random() -> std::io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the host writes just these bytes.
    unsafe { host::random(bytes.as_mut_ptr(), bytes.len()) };
    Ok(bytes)
}
