#!/bin/sh
# Model checks the protocols: tests/loom.rs with loom's atomics. Arguments go to the test program.
# LOOM_MAX_PREEMPTIONS bounds the search: two find all but exotic bugs, and each one more costs about tenfold.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs rust
LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-2}
RUSTFLAGS="--cfg loom ${RUSTFLAGS:-}"
CARGO_TARGET_DIR=$root/target/loom
export LOOM_MAX_PREEMPTIONS RUSTFLAGS CARGO_TARGET_DIR
exec cargo test --release --test loom -- "$@"
