# Everything starts here. `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench fuzz chaos mutants model avatars goldens image bundle hil hil-smoke hil-doctor soak clean
PYTHON := .venv/bin/python

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup: ## Debian packages, .venv, the package: quick when nothing is missing
	@bash .ci/setup

demo: setup ## two processes, a voice stack and a face: a window, or demo.mp4 and demo.png
	@.venv/bin/mien demo

test: setup ## the whole suite
	@$(PYTHON) -m pytest

check: setup ## ruff, mypy --strict, import-linter, shellcheck
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@shellcheck $$(git grep -lE '^#!.*/(env )?(ba|da)?sh' -- ':!*.md')

bench: setup ## every benchmark, as a table (BENCH="--json" for machines)
	@.venv/bin/mien bench $(BENCH)

fuzz: setup ## throw messages at the voice, and spoiled bytes at its sockets (FUZZ="--messages 1000000 --seed 1")
	@PYTHONPATH=tests $(PYTHON) -m voice.fuzz_intake $(FUZZ)
	@PYTHONPATH=. $(PYTHON) -m chaos.fuzz_bytes $(FUZZ)

chaos: setup ## a seeded adversary against the real processes (MINUTES=10 SEED=1, or REPLAY=file; CHAOS="--keep-going")
	@PYTHONPATH=. $(PYTHON) -m chaos --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) $(if $(REPLAY),--replay $(REPLAY)) $(CHAOS)

mutants: setup ## put bugs in on purpose, see whether a test notices (SEED=1 COUNT=200 PACKAGES="core voice" MUTANTS="--own")
	@PYTHONPATH=. $(PYTHON) -m mutants --seed $(or $(SEED),1) --count $(or $(COUNT),200) $(if $(PACKAGES),--packages $(PACKAGES)) $(MUTANTS)

model: setup ## train the motion model anew (80 minutes to two hours)
	@bash models/training/run.sh

avatars: setup ## build the shipped avatars anew
	@$(PYTHON) models/avatars/build.py

goldens: setup ## draw the golden pictures anew; look at each, then commit
	@PYTHONPATH=tests $(PYTHON) -m rigs.golden_scenes

image: setup ## the SD-card image, for Raspberry Pis and the emulated board
	@firmware_scripts/build-image

bundle: setup ## a signed A/B update out of the image
	@firmware_scripts/build-bundle

hil: setup ## the rig: every board that this machine can run, build/hil/report.html
	@hil/run all

hil-smoke: setup ## a sentence seen and heard, on each board
	@hil/run smoke

hil-doctor: ## which part of a bench does not work (ENV=hil/env/rpi4.yaml)
	@hil/doctor $(ENV)

soak: setup ## hours of conversation, captioned and looked on at (HOURS=1)
	@PYTHONPATH=. $(PYTHON) -m hil.soak --hours $(or $(HOURS),1) --captions --observers 2

clean: ## forget what was built, the environment included
	rm -rf build .venv demo.mp4 demo.png
