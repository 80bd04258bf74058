#!/bin/sh
# Runs tests as stages and prints a summary. Usage: scripts/test.sh [--quick] [STAGE...]
# All stages by default; --quick: the fast loop (`make check`). V=1 shows all output; logs are in target/logs.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/lib.sh

all='scripts build fmt clippy rust clojure node multi torture mutations loom wasm asan tsan'
quick='scripts build fmt clippy rust-quick clojure node'

# The shell scripts parse, and shellcheck has nothing to say where it is installed.
stage_scripts() {
  files="bin/clojure bin/java-home bin/clojure-tool/stand-in .ci/run $(find scripts tests -name '*.sh' | sort)"
  for file in $files; do sh -n "$file" || return 1; done
  if command -v shellcheck >/dev/null; then
    # shellcheck disable=SC2086 # a list
    shellcheck -S warning -e SC3013 -x $files || return 1
  fi
}
stage_fmt() {
  cargo fmt --version >/dev/null 2>&1 || skip "no rustfmt: rustup component add rustfmt"
  cargo fmt --check
}
stage_clippy() {
  cargo clippy --version >/dev/null 2>&1 || skip "no clippy: rustup component add clippy"
  cargo clippy --quiet --all-targets --features cli -- -D warnings
}
# What the others load; each builds what it needs itself too, which costs nothing after this.
stage_build() { needs rust && scripts/build.sh rust; }
stage_rust() {
  # Ignored tests are the slow ones. Documentation tests apart: there `ignore` means not to be run.
  cargo test --release --features cli --lib --bins --tests -- --include-ignored && cargo test --release --features cli --doc
}
stage_rust_quick() { cargo test --lib --tests; } # tidy among them
# The slabs of the fuzzer's kept inputs, for the tests of other runtimes.
hostile_slabs() { cargo build --release --features cli --quiet --example hostile && target/release/examples/hostile target/hostile; }
stage_clojure() {
  needs rust jdk && scripts/build.sh rust java && hostile_slabs || return 1
  if [ -n "$quick_run" ]; then bin/clojure -M:test -e :slow -e :long; else bin/clojure -M:test -e :long; fi
}
stage_node() {
  needs rust node && scripts/build.sh rust node && hostile_slabs || return 1
  if [ -n "$quick_run" ]; then EVE_RUNS=0.25 && export EVE_RUNS; fi
  (cd js && npm test --silent)
}
stage_multi() { needs rust jdk node && scripts/build.sh && sh tests/multi/run.sh; }
stage_torture() { needs rust jdk node && scripts/build.sh && sh tests/torture/run.sh; }
stage_mutations() { needs rust && scripts/mutations.sh; }
stage_loom() { scripts/loom.sh; }
stage_asan() { scripts/asan.sh; }
# Without what one thread does by itself, which takes half of the time.
stage_tsan() { scripts/tsan.sh -- --skip value:: --skip coll:: --skip inputs_that_were_kept --skip random_inputs --skip without_damage; }
stage_wasm() { scripts/check-wasm.sh; }

quick_run=
if [ "${1:-}" = --quick ]; then
  quick_run=1
  shift
  [ $# -gt 0 ] || set -- $quick
fi
[ $# -gt 0 ] || set -- $all
for name; do
  case " $all $quick " in
    *" $name "*) ;;
    *) echo "test: no stage $name; there are: $all $quick" >&2; exit 2 ;;
  esac
done

for name; do
  stage "$name" "stage_$(echo "$name" | tr - _)"
  if [ "$name" = build ] && [ "$result" = FAILED ]; then break; fi
done
summary
