#!/bin/sh
# Builds the library as wasm32 with shared memory and atomics, and runs tests/wasm/run.mjs on it.
# The module imports its memory (env.memory) and exports what the host needs to give each thread a stack and its TLS.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs wasm
RUSTC_BOOTSTRAP=1 # -Zbuild-std, on a stable compiler
CARGO_TARGET_DIR=$root/target/wasm
CARGO_PROFILE_RELEASE_PANIC=abort # wasm32 cannot unwind
RUSTFLAGS='-C target-feature=+atomics,+bulk-memory,+mutable-globals'
RUSTFLAGS="$RUSTFLAGS -C link-arg=--import-memory -C link-arg=--shared-memory -C link-arg=--max-memory=4294967296"
for symbol in __stack_pointer __tls_base __tls_size __tls_align __wasm_init_tls __heap_base; do
  RUSTFLAGS="$RUSTFLAGS -C link-arg=--export=$symbol"
done
cargo=cargo
if [ ! -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then
  # Debian's compiler comes without a linker for wasm
  cargo=/usr/bin/cargo
  RUSTC=/usr/bin/rustc
  export RUSTC
  RUSTFLAGS="$RUSTFLAGS -C linker=$(find /usr/bin -name 'lld-[0-9]*' | sort -V | tail -n 1) -C linker-flavor=wasm-ld"
fi
export RUSTC_BOOTSTRAP CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_PANIC RUSTFLAGS
"$cargo" rustc --release --lib --crate-type cdylib --target wasm32-unknown-unknown -Zbuild-std=std,panic_abort
exec node tests/wasm/run.mjs "$root/target/wasm/wasm32-unknown-unknown/release/eve.wasm"
