//! Atomics and fences of the protocols: `core`'s, or loom's when a model runs. The only file that names loom.
//!
//! An ordering, fence or rule that a model shows to be needed has a name, and is passed through [`order`], [`full_fence`] or [`weakened`].
//! Those do nothing but under loom, where `tests/loom.rs` weakens one name at a time and expects its model to fail.

#[cfg(loom)]
pub use loom::sync::atomic::{fence, AtomicU32, AtomicU64, Ordering};
#[cfg(not(loom))]
pub use std::sync::atomic::{fence, AtomicU32, AtomicU64, Ordering};

#[cfg(loom)]
std::thread_local! {
    static WEAKENED: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") };
}

#[cfg(loom)]
loom::lazy_static! {
    static ref TURN: AtomicU64 = AtomicU64::new(0);
}

/// Switches the ordering, fence or rule `name` off for models on this thread; "" switches all on.
#[cfg(loom)]
pub fn weaken(name: &'static str) {
    WEAKENED.set(name);
}

/// Does a model, or a test with EVE_WEAKEN in its environment, run without the rule `name`? A constant in real builds.
#[inline(always)]
pub fn weakened(name: &'static str) -> bool {
    #[cfg(loom)]
    return WEAKENED.get() == name;
    #[cfg(all(test, not(loom)))]
    return steps::is_weakened(name);
    #[cfg(not(any(test, loom)))]
    {
        let _ = name;
        false
    }
}

/// `ordering`; Relaxed in the model without `name`.
#[inline(always)]
pub fn order(name: &'static str, ordering: Ordering) -> Ordering {
    if weakened(name) {
        Ordering::Relaxed
    } else {
        ordering
    }
}

/// A place where a process may be killed. Tests put something here; in real builds there is nothing.
#[inline(always)]
pub fn step() {
    step_at("");
}

/// The same, with a name.
#[inline(always)]
pub fn step_at(name: &'static str) {
    #[cfg(all(test, not(loom)))]
    steps::reach(name);
    #[cfg(not(all(test, not(loom))))]
    let _ = name;
}

/// What the tests of this crate do at each step of a thread.
#[cfg(all(test, not(loom)))]
pub mod steps {
    use std::cell::RefCell;

    std::thread_local! {
        static WEAKENED: Option<String> = std::env::var("EVE_WEAKEN").ok();
        static HOOK: RefCell<Option<Box<dyn FnMut(&'static str)>>> = const { RefCell::new(None) };
    }

    /// Calls `hook` at each step of this thread from now on.
    pub fn watch(hook: impl FnMut(&'static str) + 'static) {
        HOOK.set(Some(Box::new(hook)));
    }

    pub(super) fn is_weakened(name: &str) -> bool {
        WEAKENED.try_with(|w| w.as_deref() == Some(name)) == Ok(true)
    }

    #[inline(never)]
    pub(super) fn reach(name: &'static str) {
        // Taken out meanwhile: the hook's own steps don't count.
        let taken = HOOK.try_with(|h| h.try_borrow_mut().ok().and_then(|mut h| h.take()));
        if let Ok(Some(mut hook)) = taken {
            hook(name);
            HOOK.set(Some(hook));
        }
    }
}

/// A fence that all threads agree on the order of; none in the model without `name`.
#[inline(always)]
pub fn full_fence(name: &'static str) {
    if !weakened(name) {
        // Loom runs a fence at once with the operation before it. A word that all fences touch makes it try their orders.
        #[cfg(loom)]
        TURN.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }
}
