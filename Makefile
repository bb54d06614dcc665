# The commands of this project. Each target sets up its needs first; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BROKER ?= memory
JOBS ?= $(shell nproc)
SOURCES = $(shell git ls-files '*.cc' '*.h')
PYTHON = $(shell tools/setup --where python)
SECONDS ?= 60
REMINDERS ?= 200
# The commit that named version 0.2.0: a copy of the repository may have come without its tags.
RELEASED ?= 31d49ba2aaa533aabeb4107ec49fa5ecc41566ec
TORTURE = --seconds=$(SECONDS) $(if $(KILLS),--kills=$(KILLS)) $(if $(SEED),--seed=$(SEED)) \
          $(if $(ONLY),--only=$(ONLY)) $(if $(PLANT),--plant=$(PLANT))

.PHONY: help run test test-long test-conformance test-page screenshots test-model test-install test-upgrade test-integration \
        image smoke torture bench lint format docs

help: ## this list
	@grep -E '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## start everything on this machine (BROKER=kafka for the real broker); Ctrl-C stops it
	@tools/setup build stack $(if $(filter kafka,$(BROKER)),kafka)
	@$(MAKE) --no-print-directory build-release TARGETS=todo-service
	@python3 -m tools.stack run --broker $(BROKER) $(RUN_FLAGS)

test: ## everything CI runs
	@tools/test

test-long: ## tests that take too long for every change: contract tests with a release's flags, 10,000 histories, 100 kills, 1,000,000 inputs of each fuzzer
	@tools/setup
	@tools/test long

test-conformance: ## the JSON door against the conformance tests of the Connect protocol
	@tools/setup build conformance
	@mkdir -p build
	@cmake --preset ci -DTODO_CONFORMANCE_PROTOS="$$(tools/setup --where conformance)/proto" >build/ci.log
	@$(MAKE) --no-print-directory build-ci TARGETS=connect_server
	@"$$(tools/setup --where conformance)/connectconformance" --mode server --conf tests/conformance/features.yaml \
	  -- build/ci/tests/conformance/connect_server

test-page: ## the page in a real browser: all plays, accessibility, Lighthouse; and the example page of live screens
	@tools/setup build tests stack kafka node page-tests
	@$(MAKE) --no-print-directory build-ci TARGETS=todo-service
	@$(PYTHON) -m pytest -q -p no:cacheprovider --timeout 300 tests/page

screenshots: ## make the pictures of docs/images anew
	@tools/setup build tests stack
	@$(MAKE) --no-print-directory build-ci TARGETS=todo-service
	@$(PYTHON) tools/screenshots.py

test-model: ## a language model that chooses badly, and one that chooses well
	@tools/setup build tests stack echo
	@$(MAKE) --no-print-directory build-ci TARGETS=todo-service
	@$(PYTHON) -m pytest -q -p no:cacheprovider --timeout 300 tests/model

test-install: image ## image and Helm chart on a real Kubernetes API: needs etcd and umoci (Debian: etcd-server, umoci), builds that API once
	@tools/setup tests stack kafka install
	@$(PYTHON) -m pytest -q -p no:cacheprovider --timeout 900 tests/install
	@$(MAKE) --no-print-directory test-upgrade

test-upgrade: ## the release before and this program side by side: RELEASED (a tag or commit, 0.2.0 by default) is built once
	@if git rev-parse -q --verify '$(RELEASED)^{commit}' >/dev/null; then \
	  tools/setup build tests stack kafka && RELEASED='$(RELEASED)' tools/setup released && \
	  $(MAKE) --no-print-directory build-ci TARGETS=todo-service && \
	  RELEASED='$(RELEASED)' $(PYTHON) -m pytest -q -s -p no:cacheprovider --timeout 1200 tests/upgrade; \
	else \
	  echo "test-upgrade: SKIPPED, nothing is proven: this clone has no $(RELEASED) (git fetch --unshallow --tags)"; \
	fi

test-integration: ## the scenarios; SIDECAR=container: with the sidecar of Dapr's own image, which needs Docker
	@tools/setup
	@$(MAKE) --no-print-directory build-ci TARGETS=todo-service
	@tools/test integration failures

image: ## a container image in build/image and the list of what is in it; needs no registry, no daemon and no root
	@tools/setup build image
	@$(MAKE) --no-print-directory build-release TARGETS=todo-service
	@python3 -m tools.image build build/release/todo-service build/image/oci
	@SYFT_CHECK_FOR_APP_UPDATE=false "$$(tools/setup --where syft)" scan --quiet oci-dir:build/image/oci \
	  --source-name todo-service -o spdx-json=build/image/sbom.spdx.json

smoke: ## the main story on the real stack, with the time it takes
	@tools/setup
	@$(MAKE) --no-print-directory build-release TARGETS=todo-service
	@$(PYTHON) tests/integration/smoke.py

torture: ## kill everything at random and check that nothing is lost or doubled: SECONDS=60 or KILLS=, SEED=, ONLY=, PLANT=, REMINDERS=200
	@tools/setup
	@$(MAKE) --no-print-directory build-ci TARGETS=todo-service
	@$(PYTHON) tests/torture/torture.py $(TORTURE)
	@$(if $(ONLY)$(PLANT),,$(PYTHON) tests/torture/reminders.py --count=$(REMINDERS) $(if $(SEED),--seed=$(SEED)))

bench: ## measure the figures of docs/performance.md: ONLY=name, FULL=1 for all of them, BENCH_FLAGS='--pairs 9 --seconds 2'
	@tools/setup build stack kafka tests bench
	@$(MAKE) --no-print-directory build-release TARGETS='todo-service$(if $(filter-out page,$(or $(ONLY),all)), benchmarks)'
	@$(PYTHON) -m bench $(ONLY) $(if $(FULL),--full) $(BENCH_FLAGS)

lint: ## format, clang-tidy and the arrows between the rooms
	@tools/setup build
	@tools/lint

format: ## rewrite the sources in the project's format
	@tools/setup build
	@clang-format-14 -i $(SOURCES)

docs: ## bring the table of settings in docs/configuration.md and the dashboard up to date
	@$(MAKE) --no-print-directory build-release TARGETS=todo-service
	@tools/settings_table.py build/release/todo-service
	@tools/dashboard.py

build-%: ## one preset: dev, asan, tsan, ci, release or fuzz; all of it, or TARGETS='a b'
	@mkdir -p build
	@cmake --preset $* >build/$*.log 2>&1 || { cat build/$*.log; exit 1; }
	@tools/progress --log build/$*.log "building $(or $(TARGETS),everything) ($*)" -- \
	  cmake --build --preset $* -j $(JOBS) $(if $(TARGETS),--target $(TARGETS))
