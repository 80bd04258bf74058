#!/bin/sh
# Hostile slabs from libFuzzer (fuzz/): MINUTES (10) of them, WORKERS (1) at a time. What it finds is in target/fuzz/found, and one that crashes or hangs fails.
# SANITIZER=address: slower, and it looks into memory that isn't a slab's. The inputs that made it go on are kept in target/fuzz/corpus.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs rust
minutes=${MINUTES:-10}
workers=${WORKERS:-1}
target=$root/target/fuzz
mkdir -p "$target/corpus" "$target/found"
if [ ! -e "$target/corpus/base" ]; then
  # The base slabs undamaged: recovered, taken over, read-only.
  for how in 0 1 4; do for base in 0 1 2 3 4 5 6 7; do
    printf '%b' "\\0$how$base" > "$target/corpus/base$how$base"
  done; done
  touch "$target/corpus/base"
fi
RUSTC_BOOTSTRAP=1 # coverage and sanitizer are flags of a nightly compiler
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
RUSTFLAGS="$RUSTFLAGS -Cllvm-args=-sanitizer-coverage-pc-table -Ctarget-cpu=x86-64-v2 --cfg fuzzing"
[ -z "${SANITIZER:-}" ] || RUSTFLAGS="$RUSTFLAGS -Zsanitizer=$SANITIZER -Cunsafe-allow-abi-mismatch=sanitizer"
CARGO_TARGET_DIR=$target
export RUSTC_BOOTSTRAP RUSTFLAGS CARGO_TARGET_DIR
triple=$(host_triple rustc)
# Not for build scripts, which coverage wouldn't link into.
cargo build --release --manifest-path fuzz/Cargo.toml --target "$triple"
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
export ASAN_OPTIONS
# Each worker is a process of its own, and the first finding doesn't end them.
cd "$target"
"$triple/release/slab" -fork="$workers" -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -timeout=20 -rss_limit_mb=6000 -max_len=385 \
  -max_total_time=$((minutes * 60)) -artifact_prefix=found/ corpus "$root/tests/data/hostile"
found=$(find found -type f -name 'crash-*' -o -name 'timeout-*' -o -name 'oom-*')
[ -z "$found" ] || { printf 'fuzz: found\n%s\n' "$found"; exit 1; }
