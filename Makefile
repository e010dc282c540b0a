# The commands of the project. Each installs what it needs and is cheap when nothing is missing.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test lint models media bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: ## Set up, compose a clip, run the pipeline on it and on a real video
	@scripts/demo.sh

test: ## Set up and run all tests
	@scripts/test.sh

lint: ## Dependencies, formatting, clippy and documentation, with warnings as errors
	@scripts/lint.sh

models: ## Fetch, check and repair the models
	@scripts/fetch-models.sh

media: ## Fetch the photos and the video that clips are composed from
	@scripts/install-system.sh
	@scripts/fetch-media.sh

bench: ## Compose a clip and measure the pipeline on it (ARGS for more)
	@scripts/bench.sh $(ARGS)

clean: ## Remove what was built and composed; what was fetched stays
	cargo clean
	rm -rf data/demo data/bench
