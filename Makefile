# make demo   set up and run the main job on embedded data
# make test   set up, check the code and run the tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# tests at a time; each takes up to 2 GB
WORKERS ?= 2
READY := $(VENV)/.ready

.PHONY: demo test test-slow bench clean

demo: $(READY)
	$(BIN)/xnorflow run hls_configs/demo.yaml
	$(BIN)/xnorflow run hls_configs/demo-verilog.yaml --model projects/demo/01-train/sfc.h5

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow" -n $(WORKERS) --dist loadfile

test-slow: $(READY)
	$(BIN)/pytest -m slow

bench: $(READY)
	$(BIN)/python benchmarks/golden_model.py
	$(BIN)/python benchmarks/kernels.py

$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
	  { echo "xnorflow needs Python 3.10 to 3.13, but $(PYTHON) is another: make PYTHON=/path/to/python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: sudo apt install python3-venv"; exit 2; }
	@echo "installing xnorflow and what it needs into $(VENV): a few minutes the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[flow,rtl,dev]'
	@touch $(READY)

clean:
	rm -rf $(VENV) projects/*/
