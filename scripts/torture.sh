#!/bin/sh
# The long forms: KILLS kills of processes of several runtimes (500), 10,000 images of a machine that stops, a file system shut down under load.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
needs rust jdk node
scripts/build.sh
EVE_TORTURE=1 cargo test --release --lib -- --include-ignored --nocapture open::power_tests open::step_tests open::image_tests
KILLS=${KILLS:-500} sh tests/torture/run.sh
