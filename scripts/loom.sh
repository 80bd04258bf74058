#!/bin/sh
# Model checks the protocols: tests/loom.rs with loom's atomics. Arguments go to the test program.
# Each model has its own bound of preemptions; LOOM_MAX_PREEMPTIONS can only raise it.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs rust
LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-2}
RUSTFLAGS="--cfg loom ${RUSTFLAGS:-}"
CARGO_TARGET_DIR=$root/target/loom
export LOOM_MAX_PREEMPTIONS RUSTFLAGS CARGO_TARGET_DIR
exec cargo test --release --test loom -- "$@"
