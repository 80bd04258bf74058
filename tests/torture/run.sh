#!/bin/sh
# The kill harness (driver.rs beside this). KILLS and SECONDS_: how many kills, and for how long, at least (0 and 20). SEED: of the choices.
# Needs the libraries, Java classes and addon (scripts/build.sh).
set -eu
cd "$(dirname "$0")/../.."
. scripts/lib.sh
kills=${KILLS:-0}
seconds=${SECONDS_:-20}
seed=${SEED:-$(date +%s)}

cargo build --release --quiet --example torture
classpath=$(bin/clojure -Spath)
EVE_JVM="$(bin/java-home)/bin/java --enable-native-access=ALL-UNNAMED -Xmx256m -XX:TieredStopAtLevel=1 -cp $classpath clojure.main tests/torture/worker.clj"
EVE_NODE="node --no-warnings --expose-gc --max-old-space-size=256 tests/torture/worker.mjs"
export EVE_JVM EVE_NODE
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo "torture: seed $seed"
timeout $((seconds + kills * 3 + 600)) target/release/examples/torture "$dir" "$kills" "$seconds" "$seed"
