# Everything is set up on first use; a user needs Python 3.11 or newer with its venv, and nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
PLUGINS := $(wildcard plugins/*/pyproject.toml)
PHOTO  := demos/photos/chelsea.jpg

.PHONY: superres test test-oldest-pillow fuzz check wheels bench clean

superres: $(VENV)/installed  ## sharpen a sample photo ×4 and say where the result lies
	@$(BIN)/gansdk run superres $(PHOTO) -o demos/photos/chelsea-superres.png --on-exists overwrite

test: $(VENV)/installed-dev  ## run all tests
	$(BIN)/python -m pytest -n auto

SECONDS_EACH ?= 600
SEED ?= $(shell date +%s)

fuzz: $(VENV)/installed-dev  ## break what strangers send at random, ten minutes for each reader, from a new seed
	GANSDK_FUZZ_SECONDS=$(SECONDS_EACH) GANSDK_FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -n auto tests/fuzz

OLDEST_PILLOW := .pillow/12.1.0
test-oldest-pillow: $(VENV)/installed-dev  ## the tests of images once more, with the oldest Pillow that is allowed
	@test -d $(OLDEST_PILLOW) || $(PIP) install --quiet --no-deps --target $(OLDEST_PILLOW) pillow==$(notdir $(OLDEST_PILLOW))
	PYTHONPATH=$(OLDEST_PILLOW) $(BIN)/python -m pytest tests/media

check: lint test  ## linters, types, import rules, generated pages, tests

.PHONY: lint
lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy gansdk $(patsubst %/pyproject.toml,%/src,$(PLUGINS))
	$(BIN)/lint-imports
	$(BIN)/python scripts/cli_reference.py --check
	$(BIN)/python scripts/render_cards.py --check
	$(BIN)/python scripts/checks_reference.py --check
	$(BIN)/python scripts/tasks_table.py --check

wheels: $(VENV)/installed-dev  ## build all wheels into dist/
	rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .
	for plugin in $(patsubst %/pyproject.toml,%,$(PLUGINS)); do $(BIN)/python -m build --wheel --no-isolation --outdir dist $$plugin || exit 1; done

bench: $(VENV)/installed-dev  ## measure speed and memory, as ratios from one run
	$(BIN)/gansdk bench builtin:srresnet-x4
	$(BIN)/python benchmarks/superres.py
	$(BIN)/python benchmarks/latents.py

# The plugin first: its models are what the sample needs. Editable, so that a later pull needs no second install.
$(VENV)/installed: pyproject.toml $(PLUGINS) constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (once; a minute or two) ..." >&2
	@$(PIP) install --quiet -c constraints.txt -e . $(patsubst %/pyproject.toml,-e %,$(PLUGINS))
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@$(PIP) install --quiet -c constraints.txt -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
