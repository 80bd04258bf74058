//! The operating system. Nothing else in the crate calls it, but for `std::fs`. What a platform doesn't have is absent there.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(target_family = "wasm")]
mod wasm;
#[cfg(target_family = "wasm")]
pub use wasm::*;

/// Keeps this thread busy for `time`, which is too short for a sleep, without a look at shared memory.
pub fn spin(time: std::time::Duration) {
    let end = monotonic() + time;
    // A turn takes 20 ns at least. Browsers may have clocks that stand still for many milliseconds.
    for _ in 0..time.as_micros() * 50 {
        if monotonic() >= end {
            break;
        }
        (0..4).for_each(|_| std::hint::spin_loop());
    }
}
