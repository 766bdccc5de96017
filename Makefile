PYTHON ?= python3
BIN := .venv/bin
CLIPS ?= ../shared/data/survfight/manifest.csv

.PHONY: install requirements check format test bench docs

install:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -r requirements.txt
	$(BIN)/pip install -e '.[dev]'
	$(BIN)/pre-commit install

requirements:
	$(BIN)/pip install uv
	$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-annotate \
		--python-version 3.11 --extra train pyproject.toml \
		--custom-compile-command 'make requirements' -o requirements.txt
	echo '-e .' >> requirements.txt

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet

test:
	$(BIN)/pytest -n 2 --dist loadfile

bench:
	$(BIN)/python benchmarks/prepare.py $(CLIPS)
	$(BIN)/python benchmarks/crossval.py $(CLIPS)
	$(BIN)/python benchmarks/synth.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/live.py --via rtsp
	$(BIN)/python benchmarks/live.py --streams both --start 4

docs:
	$(BIN)/mkdocs serve
