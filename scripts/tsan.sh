#!/bin/sh
# The Rust tests under ThreadSanitizer. Arguments go to cargo test.
# The standard library is built with it: else each Arc, channel and scope of std would look like a race.
# The code is built with --cfg eve_sanitize: tests that need an ordinary build (C programs linked with the library) are off.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs tsan
RUSTC_BOOTSTRAP=1 # the -Z flags, on a stable compiler
RUSTFLAGS="-Zsanitizer=thread --cfg eve_sanitize -Cdebuginfo=line-tables-only"
CARGO_TARGET_DIR=$root/target/tsan
cargo=cargo
rustc=rustc
if [ ! -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then
  # Debian's compiler has the library's sources but no sanitizer runtime; that comes from clang.
  cargo=/usr/bin/cargo
  rustc=/usr/bin/rustc
  RUSTC=$rustc
  export RUSTC
  clang=$(find /usr/bin -name 'clang-[0-9]*' | sort -V | tail -n 1)
  RUSTFLAGS="$RUSTFLAGS -Zexternal-clangrt -Clinker=$clang -Clink-arg=-fsanitize=thread"
fi
export RUSTC_BOOTSTRAP RUSTFLAGS CARGO_TARGET_DIR
exec "$cargo" test -Zbuild-std --target "$(host_triple "$rustc")" --lib --tests "$@"
