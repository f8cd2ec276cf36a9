# The entry point for all tasks. `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo converse test suite test-matrix test-adapters test-converse test-fleet console test-console check coverage bench counter fuzz chaos mutants model avatars goldens image bundle deb release \
	boards hil hil-smoke hil-doctor soak fleet fleet-demo test-install clean
PYTHON := .venv/bin/python

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup: ## install Debian packages, .venv and the package; quick when nothing is missing
	@bash .ci/setup

demo: setup ## run voice, face and a voice stack: in a window, or without a display into demo.mp4 and demo.png
	@.venv/bin/mien demo

converse: setup ## talk with an offline voice agent; without a display it makes converse.mp4, in which three customers do
	@.ci/converse $(CONVERSE)

# One process more than there are cores, up to five: many tests wait for a process or a clock. Those of real processes in
# real time come last, so that none of them runs beside the tests that compute all the time.
REAL_TIME := tests/pipeline tests/examples/test_examples.py tests/bench/board
WORKERS = $(shell n=$$(($$(nproc) + 1)); echo $$((n < 5 ? n : 5)))
PYTEST = $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal
test: setup suite ## run the whole test suite: all that computes, then the tests of real processes

# Python's own cache of compiled files is kept on: without it each worker and each process that a test starts compiles anew.
suite: export PYTHONDONTWRITEBYTECODE :=
suite:
	@$(PYTEST) $(addprefix --ignore=,$(REAL_TIME))
	@$(PYTEST) $(REAL_TIME)

test-matrix: ## run the suite, wheel and sdist on Python 3.11, 3.12 and 3.13 (PYTHONS="3.12 3.13", FAST=1), or in a Debian root (DEBIAN=trixie)
	@.ci/matrix $(if $(FAST),--fast) $(if $(DEBIAN),--debian=$(DEBIAN)) $(PYTHONS)

test-adapters: ## test each adapter against its real framework, in cached environments (ADAPTERS="livekit pipecat")
	@.ci/test-adapters $(ADAPTERS)

test-converse: setup ## test mien converse with its real engines, in a cached environment (CONVERSE="--bench")
	@.ci/test-converse $(CONVERSE)

test-fleet: setup ## test metrics and updates with real Prometheus, exporter, broker, goosebit and RAUC, in a cached environment
	@.ci/test-fleet

console: ## bundle the supervisor's page into runtime/mien/console (needs node and npm)
	@cd console && npm ci --no-audit --no-fund --ignore-scripts --silent && node build.mjs

test-console: ## test the supervisor's page in a browser, in a cached environment (CONSOLE="--fast" or "test_wall.py")
	@.ci/test-console $(CONSOLE)

check: setup ## run ruff (lint and format), mypy --strict, import-linter and shellcheck
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@shellcheck $$(git grep -lE '^#!.*/(env )?(ba|da)?sh' -- ':!*.md')

coverage: setup ## run the suite and report line and branch coverage: build/coverage/index.html (a report, not a gate)
	@mkdir -p build
	-@$(PYTHON) -m coverage run -m pytest
	@$(PYTHON) -m coverage html -q
	@$(PYTHON) -m coverage report

bench: setup ## run every benchmark and print a table (BENCH="--json" for JSON)
	@.venv/bin/mien bench $(BENCH)

counter: ## build QEMU with instruction counting, and an arm64 root, for `mien bench budget` (25 minutes; as root)
	@.ci/qemu-counter

fuzz: setup ## fuzz voice and link: messages, and corrupted bytes on sockets (FUZZ="--messages 1000000 --seed 1")
	@PYTHONPATH=tests $(PYTHON) -m voice.fuzz_intake $(FUZZ)
	@PYTHONPATH=. $(PYTHON) -m chaos.fuzz_bytes $(FUZZ)
	@PYTHONPATH=tests $(PYTHON) -m link.fuzz_orders $(FUZZ)

chaos: setup ## run a seeded adversary against the real processes (MINUTES=10 SEED=1, or REPLAY=file; CHAOS="--keep-going")
	@PYTHONPATH=. $(PYTHON) -m chaos --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) $(if $(REPLAY),--replay $(REPLAY)) $(CHAOS)

mutants: setup ## mutation testing: insert bugs and see whether a test notices (SEED=1 COUNT=200 PACKAGES="core voice" MUTANTS="--own")
	@PYTHONPATH=. $(PYTHON) -m mutants --seed $(or $(SEED),1) --count $(or $(COUNT),200) $(if $(PACKAGES),--packages $(PACKAGES)) $(MUTANTS)

model: setup ## train the motion model (80 minutes to two hours)
	@bash models/training/run.sh

avatars: setup ## rebuild the shipped avatars
	@$(PYTHON) models/avatars/build.py

goldens: setup ## redraw the golden images; look at each, then commit
	@PYTHONPATH=tests $(PYTHON) -m rigs.golden_scenes

boards: setup ## make the README's table of boards, with their pages, from docs/boards/*.json
	@$(PYTHON) docs/boards/build.py

image: ## build the SD-card image, for Raspberry Pis and the emulated board (SUITE=trixie; KERNEL=backports; CONVERSE=1; as root)
	@SUITE=$(SUITE) KERNEL=$(KERNEL) CONVERSE=$(CONVERSE) firmware_scripts/build-image

bundle: ## build a signed A/B update from the image (SUITE, KERNEL, CONVERSE: the image's; as root)
	@SUITE=$(SUITE) KERNEL=$(KERNEL) CONVERSE=$(CONVERSE) firmware_scripts/build-bundle

deb: setup ## build the Debian package for amd64 and arm64 (SUITE=bookworm or trixie)
	@packaging/build-deb $(or $(SUITE),bookworm)

test-install: setup ## install into booted Debian containers: service and package, upgrade, removal (SUITE=bookworm; as root)
	@.ci/test-install $(SUITE)

release: setup ## build the files of a release into build/release; TAG=1 also makes the local tag. Never pushes
	@.ci/release $(if $(TAG),--tag)

hil: ## run the rig on every board that this machine can run, or on RIGS="container rpi4": build/hil/report.html
	@hil/run all $(RIGS)

hil-smoke: ## smoke test: one sentence, seen and heard, on each board (RIGS=container)
	@hil/run smoke $(RIGS)

hil-doctor: ## find out which part of a bench does not work (ENV=hil/env/rpi4.yaml)
	@hil/doctor $(ENV)

fleet: setup ## simulated boards on a real broker, with figures and bars (BOARDS=500 MINUTES=5 SEED=1, FLEET="--plain")
	@PYTHONPATH=. $(PYTHON) -m fleet_sim --boards $(or $(BOARDS),500) --minutes $(or $(MINUTES),5) --seed $(or $(SEED),1) $(FLEET)

fleet-demo: setup ## a broker, three kiosks and the console; without a display it makes console.mp4 and console.jpg (FLEET_DEMO="--film")
	@.ci/fleet-demo $(FLEET_DEMO)

soak: setup ## soak test: hours of conversation with captions and observers (HOURS=1)
	@PYTHONPATH=. $(PYTHON) -m hil.soak --hours $(or $(HOURS),1) --captions --observers 2

clean: ## delete what was built, the environment included
	rm -rf build .venv demo.mp4 demo.png converse.mp4 converse.png converse.txt console.mp4 console.jpg
