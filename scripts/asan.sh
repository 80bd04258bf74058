#!/bin/sh
# The Rust tests under AddressSanitizer and LeakSanitizer. Arguments go to cargo test.
# The code is built with --cfg eve_sanitize: tests that need an ordinary build (C programs linked with the library) are off.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs asan
RUSTC_BOOTSTRAP=1 # the -Z flags, on a stable compiler
# The standard library is not instrumented; rustc wants to be told that this is meant.
RUSTFLAGS="-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer --cfg eve_sanitize -Cdebuginfo=line-tables-only"
CARGO_TARGET_DIR=$root/target/asan
export RUSTC_BOOTSTRAP RUSTFLAGS CARGO_TARGET_DIR
# Tests that play a killed process forget what it had open: those are no leaks.
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
export ASAN_OPTIONS
exec cargo test --target "$(host_triple rustc)" --lib --tests "$@"
