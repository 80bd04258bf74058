#!/bin/sh
# Two JVMs, two Nodes and two Rust processes change one slab at once, for SECONDS_ seconds each (20). Every read checks that its version is whole;
# at the end the totals must be exact. Needs the libraries, Java classes and addon (scripts/build.sh).
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh
seconds=${SECONDS_:-20}
limit=$((seconds + 300)) # a worker that hangs is a failure, not a test that never ends

cargo build --release --features cli --quiet --example multi-worker
rust=target/release/examples/multi-worker
dir=$(mktemp -d)
slab=$dir/bank.eve
workers=
# shellcheck disable=SC2154,SC2317 # called by the trap
clean() {
  for worker in $workers; do kill "${worker#*=}" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: its output goes to $dir/NAME
start() {
  name=$1
  shift
  timeout "$limit" "$@" > "$dir/$name" 2>&1 &
  workers="$workers $name=$!"
}

# A JVM needs seconds to start: the others wait for it, else they would hardly run together.
ready() {
  while ! grep -q '^ready' "$dir/$1" && kill -0 "$2" 2>/dev/null; do sleep 0.2; done
}

"$rust" "$slab" init 200
start jvm-1 bin/clojure -M tests/multi/worker.clj "$slab" "$seconds" 1 watch
ready jvm-1 $!
start jvm-2 bin/clojure -M tests/multi/worker.clj "$slab" "$seconds" 2
ready jvm-2 $!
start node-1 node tests/multi/worker.mjs "$slab" "$seconds" 3
start node-2 node tests/multi/worker.mjs "$slab" "$seconds" 4
start rust-1 "$rust" "$slab" "$seconds" 5
start rust-2 "$rust" "$slab" "$seconds" 6

failed=0
sum=0
for worker in $workers; do
  name=${worker%=*}
  status=0
  wait "${worker#*=}" || status=$?
  moves=$(sed -n 's/^\([0-9][0-9]*\) moves.*/\1/p' "$dir/$name")
  if [ "$status" -ne 0 ] || [ -z "$moves" ] || [ "$moves" -eq 0 ]; then
    echo "multi: $name failed with status $status:" >&2
    sed 's/^/  | /' "$dir/$name" >&2
    failed=1
  else
    printf '%-7s %s\n' "$name" "$(grep ' moves ' "$dir/$name")"
    sum=$((sum + moves))
  fi
done
workers=
[ "$failed" -eq 0 ] || exit 1
"$rust" "$slab" check "$sum" || { echo "multi: the totals are wrong: the workers made $sum moves" >&2; exit 1; }
