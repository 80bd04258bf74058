//! Replays inputs of the fuzzer: hostile slabs give values or errors, and end. Each file of `tests/data/hostile` is an input; a name that begins with a
//! finding says what it was once. The slabs are also read from the JVM and Node (`tests/hostile/write.rs` writes them for those).
#![cfg(unix)]

#[allow(dead_code, reason = "the fuzzer and the program that writes slabs use the rest")]
mod hostile;

use hostile::image::Input;
use std::sync::mpsc;
use std::time::Duration;

/// Uses the slab of an input, once for each way to open it.
fn replay(bytes: &[u8]) {
    let folder = hostile::folder();
    for read_only in [true, false] {
        let path = hostile::make(bytes, folder.path());
        hostile::walk::use_slab(&path, read_only, Input::of(bytes).copies);
        std::fs::remove_file(path).unwrap();
    }
}

/// Runs `f` in a thread of the usual stack size; fails if it panics, or after a minute.
fn watched(name: &str, f: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        f();
        let _ = done.send(());
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name} hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{name} panicked"),
    }
}

#[test]
fn inputs_that_were_kept_give_values_or_errors_and_end() {
    for (name, bytes) in hostile::kept() {
        watched(&name, move || replay(&bytes));
    }
}

#[test]
fn without_damage_every_base_can_be_opened_in_every_way() {
    for base in 0..hostile::bases::BASES.len() as u8 {
        // Recovered, taken over, read-only; with copies.
        for (flags, read_only) in [(0, false), (8, false), (0, true)] {
            let folder = hostile::folder();
            let path = hostile::make(&[base | flags | 64], folder.path());
            assert!(hostile::walk::use_slab(&path, read_only, true), "base {base}");
        }
    }
}

#[test]
fn random_inputs_give_values_or_errors_and_end() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    // More of them: EVE_ROUNDS, with another EVE_SEED.
    let (mut x, rounds) = (number("EVE_SEED").unwrap_or(1), number("EVE_ROUNDS").unwrap_or(100));
    let mut random = move || {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (x >> 33) as u8
    };
    for round in 0..rounds {
        let len = 1 + 8 * (1 + random() as usize % 12);
        // Small numbers are met most: words that exist, objects in use.
        let mut bytes: Vec<u8> = (0..len)
            .map(|_| if random() % 3 == 0 { random() } else { random() % 12 })
            .collect();
        bytes[0] = random();
        let shown = bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        watched(&format!("round {round}, input {shown}"), move || replay(&bytes));
    }
}
