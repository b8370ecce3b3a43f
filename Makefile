# `make demo` and `make test` are all a fresh machine needs: both install first.
VENV   ?= .venv
PY     ?= python3
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: install demo test lint bench docs clean
install: $(STAMP)

$(STAMP): pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	   test -x $(BIN)/python || uv venv --quiet --python $(PY) $(VENV); uv pip install --quiet --python $(BIN)/python -e '.[dev]'; \
	 else test -x $(BIN)/python || $(PY) -m venv $(VENV); $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'; fi
	@touch $@

demo: install
	$(BIN)/evoloom run bin-packing --seconds 100 --seed 1 --html

test: install
	@sh tools/system-packages.sh
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/pyright

bench: install
	$(BIN)/python -m bench

docs: install
	$(BIN)/python -m mkdocs build --strict

clean:
	rm -rf $(VENV) site dist build .pytest_cache .ruff_cache
