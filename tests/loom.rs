//! Loom models of the protocols. They run the crate's own `epoch::pin`, `epoch::record`, `epoch::wait` and `slab::cell`, over tables of
//! loom's atomics; `docs/concurrency.md` has the arguments, `docs/testing.md` the list of what each model catches.
//!
//! Every model is run as it is and must pass, then once for each ordering, fence or rule that it shows to be needed, with that one switched
//! off, and must fail. Run with `scripts/loom.sh`.

#![cfg(loom)]

#[path = "loom/cells.rs"]
mod cells;
#[path = "loom/commits.rs"]
mod commits;
#[path = "loom/copies.rs"]
mod copies;
#[path = "loom/pins.rs"]
mod pins;
#[path = "loom/slab.rs"]
mod slab;
#[path = "loom/traces.rs"]
mod traces;
#[path = "loom/waits.rs"]
mod waits;

use std::cell::Cell;
use std::io::Write;
use std::panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Once};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs every schedule of `model` with at most `preemptions` involuntary switches, or as many as LOOM_MAX_PREEMPTIONS says if that is more.
/// Returns their number.
fn explore(preemptions: usize, model: fn()) -> usize {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.max(Some(preemptions));
    builder.max_branches = 100_000;
    let executions = Arc::new(AtomicUsize::new(0));
    let count = executions.clone();
    builder.check(move || {
        count.fetch_add(1, Relaxed);
        model();
    });
    executions.load(Relaxed)
}

/// The panic that a weakened model must end with is not worth a report.
fn silence_expected_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Loom's coroutines install a hook of their own at their first use; ours has to come after it.
        explore(1, || loom::thread::spawn(|| {}).join().unwrap());
        let report = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                report(info);
            }
        }));
    });
}

/// To the terminal itself: the list of what was caught is the result of the stage, also of one that passes.
fn say(line: String) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// `model` passes, and fails without any one of `rules`.
fn check(name: &str, preemptions: usize, model: fn(), rules: &[&'static str]) {
    silence_expected_panics();
    eve::sync::weaken("");
    let executions = explore(preemptions, model);
    say(format!("PASS   {name}: {executions} executions"));
    let mut missed = Vec::new();
    for rule in rules {
        eve::sync::weaken(rule);
        QUIET.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| explore(preemptions, model)));
        QUIET.set(false);
        eve::sync::weaken("");
        match result {
            Ok(n) => missed.push(format!("`{rule}` ({n} executions)")),
            Err(e) => {
                let text = e
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or(e.downcast_ref::<&str>().copied())
                    .unwrap_or("?");
                say(format!(
                    "CAUGHT {name} without `{rule}`: {}",
                    text.trim().lines().next().unwrap_or("?")
                ));
            }
        }
    }
    assert!(missed.is_empty(), "{name} passes without {}", missed.join(", "));
}
