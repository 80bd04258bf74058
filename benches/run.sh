#!/bin/sh
# All measurements, each beside its reference in the same run: a table, and target/bench/results.json. benches/run.sh [rust|slab|reclaim|durable|jvm|node]...
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/lib.sh
out=$PWD/target/bench
mkdir -p "$out"
[ $# -gt 0 ] || set -- rust slab reclaim durable jvm node
for part; do
  echo "== $part"
  rm -f "$out/$part.json"
  case $part in
    rust) scripts/setup.sh rust && cargo bench --quiet --bench core -- "$out/rust.json" ;;
    slab) scripts/setup.sh rust && cargo bench --quiet --bench slab -- "$out/slab.json" ;;
    reclaim) scripts/setup.sh rust && cargo bench --quiet --bench reclaim -- "$out/reclaim.json" ;;
    durable) scripts/setup.sh rust && cargo build --release --quiet --manifest-path benches/durable/Cargo.toml && target/release/bench-durable "$out/durable.json" ;;
    jvm) scripts/setup.sh rust jdk && scripts/build.sh rust java && bin/clojure -M:bench "$out/jvm.json" ;;
    node) scripts/setup.sh rust node && scripts/build.sh rust node && node js/bench/bench.mjs "$out/node.json" ;;
    *) echo "bench: no part $part; there are: rust slab reclaim durable jvm node" >&2; exit 2 ;;
  esac || echo "bench: $part failed" >&2
done
node benches/report.mjs "$out/results.json" "$out/rust.json" "$out/slab.json" "$out/reclaim.json" "$out/durable.json" "$out/jvm.json" "$out/node.json"
