PYTHON ?= python3
BIN := .venv/bin
CLIPS ?= ../shared/data/survfight/manifest.csv

.PHONY: install requirements check format test cover bench dist docs docs-serve

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
	$(BIN)/python scripts/build_docs.py --no-run

test:
	$(BIN)/pytest -n 2 --dist loadfile

cover:
	$(BIN)/pytest -n 2 --dist loadfile -m "not soak and not wheel and not browser and not boris and not fuzz" --cov --cov-report=term:skip-covered --cov-fail-under=90

bench:
	$(BIN)/python benchmarks/prepare.py $(CLIPS)
	$(BIN)/python benchmarks/crossval.py $(CLIPS)
	$(BIN)/python benchmarks/synth.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/live.py --via rtsp
	$(BIN)/python benchmarks/live.py --streams both --start 4

dist:
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/pip install --quiet build cffconvert check-wheel-contents twine
	rm -rf dist
	.venv-dist/bin/python -m build
	.venv-dist/bin/twine check --strict dist/*
	.venv-dist/bin/check-wheel-contents dist/*.whl
	.venv-dist/bin/cffconvert --validate

docs:
	$(BIN)/python scripts/build_docs.py

docs-serve:
	$(BIN)/python scripts/build_docs.py --serve
