# The developer's commands. Every target sets up what it needs: Python 3.11 or later, Node 20 or later, make, git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DOCS ?=
PORT ?= 4000
KEEP ?=
JOBS ?= 300
SEED ?= 1
SMOKEFLAGS ?=

export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Runs a command and prints how long it took: $(call timed,name,command)
timed = @start=$$(date +%s); $(2) && echo "== $(1): $$(( $$(date +%s) - start )) s"

# Options of the CDK CLI, for example CDKFLAGS="-c namePrefix=my-finetuning"
CDK := node_modules/.bin/cdk
CDKFLAGS ?=
OUTPUTS ?= cdk-outputs.json
unexport CDKFLAGS # the CLI takes every CDK… variable of its environment for an option

.PHONY: help setup demo up test lint typecheck unit bench chaos daily smoke synth diff deploy protect destroy lock clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(VENV)/.ready node_modules/.ready  ## everything the other targets need

$(VENV)/.ready: locks/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	$(call timed,pip,$(BIN)/pip install --quiet --require-hashes -r locks/dev.lock)
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

node_modules/.ready: package-lock.json package.json
	$(call timed,npm,npm ci --silent --no-progress)
	@touch $@

demo: $(VENV)/.ready  ## the whole pipeline on this machine; DOCS=<folder of class folders> uses your documents
	@$(BIN)/idp-local demo $(if $(DOCS),--docs "$(DOCS)")

up: setup  ## the local runtime with GraphiQL, until Ctrl-C; PORT=4000; KEEP=1 goes on where the last one ended
	@$(BIN)/idp-local up --port $(PORT) $(if $(KEEP),--keep)

test:  ## everything that continuous integration runs
	@$(MAKE) --no-print-directory -j2 --output-sync=target setup
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory -j2 --output-sync=target typecheck unit
	@$(MAKE) --no-print-directory daily

lint: setup  ## style, import rules, the resolver's code and its tests
	$(call timed,ruff,$(BIN)/ruff check . && $(BIN)/ruff format --check .)
	$(call timed,imports,$(BIN)/lint-imports --no-logo --no-cache)
	$(call timed,resolver.js,npm run --silent lint:resolver && npm run --silent test:resolver)

typecheck: $(VENV)/.ready  ## mypy
	$(call timed,mypy,$(BIN)/mypy)

unit: setup  ## the tests
	$(call timed,pytest,$(BIN)/pytest -n 2 --dist loadgroup)

synth: setup  ## the CloudFormation template, into cdk.out
	$(call timed,synth,$(CDK) synth --quiet $(CDKFLAGS))

diff: setup  ## what a deployment would change
	@$(BIN)/python -m stacks.credentials
	@$(CDK) diff $(CDKFLAGS)

deploy: setup  ## deploys into us-east-1 with your AWS credentials; OUTPUTS=cdk-outputs.json gets the outputs
	@$(BIN)/python -m stacks.credentials
	@$(CDK) deploy --outputs-file $(OUTPUTS) $(CDKFLAGS)
	@echo "Next: $(BIN)/idp-cli configure $(OUTPUTS)"

# Not part of deploy: a protected stack whose first deployment failed could not be deployed again.
protect: setup  ## forbids the removal of a stack that is deployed
	@$(BIN)/python -m stacks.protection protect $(CDKFLAGS)

destroy: setup  ## removes the stack; if it is protected, says how to lift that
	@$(BIN)/python -m stacks.protection check $(CDKFLAGS)
	@$(CDK) destroy $(CDKFLAGS)

bench: $(VENV)/.ready  ## measures the product; DOCS=<folder of class folders> uses your documents
	@$(BIN)/python -m benchmarks $(if $(DOCS),--docs "$(DOCS)")

chaos: $(VENV)/.ready  ## jobs under random faults, then the invariants; JOBS=300 SEED="1 2"
	@$(BIN)/python -m tests.chaos --jobs $(JOBS) --seed $(SEED)

smoke: $(VENV)/.ready  ## asks the real Bedrock what AWS does not document, with your AWS credentials; see docs/bedrock-answers.md
	@$(BIN)/python -m smoke $(SMOKEFLAGS)

# Alone, after the tests: jobs that wait for a processor time out before they reach the later states.
daily:
	$(call timed,chaos,$(BIN)/python -m tests.chaos --jobs 20 --seed 1 $$(date -u +%Y%m%d))

# Locks name no registry host; make them with `pip install uv`.
lock:  ## new locks after a change of the dependencies in pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra dev pyproject.toml -o locks/dev.lock
	uv pip compile --quiet --python-platform aarch64-manylinux_2_28 --python-version 3.13 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra lambda -c locks/dev.lock pyproject.toml -o locks/lambda.lock
	uv pip compile --quiet --python-platform aarch64-manylinux_2_28 --python-version 3.13 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra lambda --extra render -c locks/dev.lock pyproject.toml -o locks/lambda-render.lock

clean:  ## removes what was set up and built
	rm -rf $(VENV) node_modules build cdk.out .idp-local .mypy_cache .ruff_cache .pytest_cache
