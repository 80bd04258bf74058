//! The operating system. Nothing else in the crate calls it, but for `std::fs`. What a platform doesn't have is absent there.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(target_family = "wasm")]
mod wasm;
#[cfg(target_family = "wasm")]
pub use wasm::*;
