# eve: the logic is in scripts/; each target sets up what it needs (scripts/setup.sh). V=1 shows all output.
.DEFAULT_GOAL := help
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
export V

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what a new machine lacks, for all targets
	@scripts/setup.sh all

.PHONY: build
build: ## the libraries, the command eve, Java classes and Node addon
	@scripts/setup.sh rust jdk node
	@scripts/build.sh

.PHONY: jar
jar: build ## target/eve-VERSION.jar: Java classes, Clojure namespaces and the library
	@bin/clojure -T:build jar

.PHONY: check
check: ## the fast loop: format, lints, quick tests of all runtimes
	@scripts/test.sh --quick $(STAGES)

.PHONY: test
test: ## all tests of all runtimes (some: make test STAGES="rust node")
	@scripts/test.sh $(STAGES)

.PHONY: demo
demo: build ## the main job on real data: Clojure, Node, C++ and Java on one slab
	@examples/demo/run.sh

.PHONY: bench
bench: build ## the measurements: a table, and target/bench/results.json
	@benches/run.sh

.PHONY: gen
gen: ## write the generated files (C headers, Layout.java, layout.js, conformance vectors)
	@scripts/setup.sh rust jdk
	@EVE_GEN=1 cargo test --release --features cli --quiet --test generated --test vectors

.PHONY: fmt
fmt: ## format the Rust code
	@cargo fmt

.PHONY: torture mutations fuzz
fuzz: ## hostile slabs from libFuzzer, ten minutes (MINUTES=, WORKERS=)
	@scripts/fuzz.sh
torture: ## the long forms of the crash tests: kills, power cuts (half an hour)
	@scripts/torture.sh
mutations: ## take each rule of durability out and see a test fail
	@scripts/mutations.sh

.PHONY: loom asan tsan check-wasm
loom: ## model check the protocols
	@scripts/loom.sh
asan: ## Rust tests under AddressSanitizer
	@scripts/asan.sh
tsan: ## Rust tests under ThreadSanitizer
	@scripts/tsan.sh
check-wasm: ## build for wasm32 with shared memory, run it in Node's worker threads
	@scripts/check-wasm.sh

.PHONY: install
install: ## install the command, libraries, headers and pkg-config file under PREFIX (DESTDIR, LIBDIR)
	@test -f target/release/libeve.a -a -x target/release/eve || scripts/build.sh rust
	@PREFIX="$(PREFIX)" LIBDIR="$(LIBDIR)" DESTDIR="$(DESTDIR)" scripts/install.sh

.PHONY: clean
clean: ## remove what the targets above built
	@rm -rf target .cpcache node/build
