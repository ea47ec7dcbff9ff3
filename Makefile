# Keepers. `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help setup up demo compose export check test unit bench screenshots docs

# Beside the home of `make up`, which the samples must not enter.
DEMO_HOME ?= $(or $(KEEPERS_HOME),$(if $(filter 0,$(shell id -u)),/var/lib/keepers,$(HOME)/.keepers))-demo
export PHOTOS TARGET PORT

help:
	@echo 'make up PHOTOS=/some/folder  open Keepers with the photographs of a folder (without PHOTOS: as it is)'
	@echo 'make demo                    open Keepers with sample photographs, in a home of its own'
	@echo 'make compose PHOTOS=/folder  open Keepers in Docker containers instead (without PHOTOS: as .env says)'
	@echo 'make export TARGET=/a/folder write what you approved, and photos.json, into a folder'
	@echo 'make setup                   only install what Keepers needs, into .venv'
	@echo 'make test                    run all tests'
	@echo 'make unit                    run the tests that need no service'
	@echo 'make check                   format, lint, types, import rules'
	@echo 'make bench                   measure the speed on this machine'
	@echo 'make docs                    make build/docs, the guide as pages for a browser'
	@echo 'make screenshots             take the pictures of docs/screens anew'

setup:
	@sh deploy/setup.sh up

up: setup
	@.venv/bin/keepers up $${PHOTOS:+--photos "$$PHOTOS"}

demo:
	@sh deploy/setup.sh demo
	@KEEPERS_HOME='$(DEMO_HOME)' .venv/bin/keepers samples '$(DEMO_HOME)-photos'
	@env -u DATABASE_URL -u RABBITMQ_URL KEEPERS_HOME='$(DEMO_HOME)' .venv/bin/keepers up --photos '$(DEMO_HOME)-photos'

compose:
	@python3 deploy/compose/prepare.py $${PHOTOS:+--photos "$$PHOTOS"} $${PORT:+--port "$$PORT"}

export: setup
	@.venv/bin/keepers export --target "$${TARGET:?say where to: make export TARGET=/a/folder}"

check:
	@sh deploy/setup.sh test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

test:
	@sh deploy/setup.sh test
	.venv/bin/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

unit:
	@sh deploy/setup.sh test
	.venv/bin/pytest tests/unit

bench:
	@sh deploy/setup.sh test
	.venv/bin/python -m benchmarks

screenshots:
	@sh deploy/setup.sh test
	.venv/bin/python docs/take_screenshots.py

docs:
	@sh deploy/setup.sh test
	.venv/bin/properdocs build --quiet
	@echo 'Open build/docs/index.html'
