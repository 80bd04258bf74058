#!/bin/sh
# The long forms, each part by itself and with an end to its time: 10,000 images of a machine that stops (EVE_IMAGES), kills at every step, images of long lives, file
# systems shut down under load (as root), KILLS kills of processes of several runtimes (500). PARTS: which of them.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs rust jdk node disks
scripts/build.sh
cargo test --release --features cli --lib --no-run
# part MINUTES MODULE: the tests of that module.
part() {
  timeout $(($1 * 60)) env EVE_TORTURE=1 cargo test --release --features cli --lib -- --include-ignored --nocapture "open::$2::"
}
for part in ${PARTS:-power_tests step_tests image_tests mount_tests kills}; do
  echo "torture: $part, from $(date +%T)"
  if [ "$part" = kills ]; then
    KILLS=${KILLS:-500} sh tests/torture/run.sh
  else
    part 40 "$part"
  fi
done
echo "torture: done, $(date +%T)"
