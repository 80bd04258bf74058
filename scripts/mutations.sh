#!/bin/sh
# Takes rules of durability out, one at a time, and expects the test beside each to fail (docs/testing.md). The switches are `weakened("..")` in the
# source, for builds of the tests only.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
binary=$(cargo test --release --lib --no-run 2>&1 | sed -n 's/.*(\(.*\))$/\1/p' | tail -n 1)
failed=0

# passes_without NAME TEST SEED: TEST passes without the rule NAME.
passes_without() {
  EVE_WEAKEN=$1 EVE_SEED=$3 timeout 300 "$binary" --include-ignored "$2" > "$logs/mutation.log" 2>&1
}

# mutation NAME TEST [SEED..]: TEST passes, and fails without the rule NAME, with one of the seeds at least.
mutation() {
  caught=no
  for seed in ${3:-7}; do
    passes_without "$1" "$2" "$seed" || { caught=yes; break; }
  done
  if [ "$caught" = no ]; then
    echo "not caught: $1 ($2 passes without it)"
    failed=1
  else
    printf '%-36s %s\n' "$1" "$(sed -n 's/^    \(open\|durable\)\(::.*\)/\1\2/p' "$logs/mutation.log" | sort -u | head -n 1)"
  fi
}

mkdir -p "$logs"
power=open::power_tests::
"$binary" --include-ignored --quiet open::crash_tests open::image_tests durable $power > "$logs/mutation.log" 2>&1 || { cat "$logs/mutation.log"; exit 1; }
mutation 'sync: superblocks are pins' ${power}syncers
mutation 'sync: the lower superblock' ${power}syncers
# Which step of a sync its syncer must be killed at is a matter of one: the long form tries each. What is on disk then is chance: one run in six misses it.
export EVE_TORTURE=1
mutation 'sync: superblocks with the data' ${power}syncers '7 107 207 307 407 507 607 707'
unset EVE_TORTURE
mutation 'sync: data first' ${power}whatever
mutation 'sync: errors stay' durable::flush
mutation 'recover: skip versions' open::crash_tests::after_another_boot
mutation 'recover: allocate anew' open::crash_tests::a_recovered
mutation 'recover: blocks by stamp' open::crash_tests::recovery_empties
mutation 'punch: unbacked first' open::crash_tests::a_process_killed_when
mutation 'recover: symbols by count' open::image_tests
mutation 'open: only the same file' ${power}whatever
mutation 'reap: under the lock' open::crash_tests::who_found
[ "$failed" -eq 0 ] && echo "mutations: all caught"
