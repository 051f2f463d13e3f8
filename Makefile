# make demo   set up and run the main job on embedded data
# make test   set up, check the code and run the tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# tests at a time; each takes up to 2 GB
WORKERS ?= 2
# what the demo needs is there; and what tests and linters need
READY := $(VENV)/.ready
TOOLS := $(VENV)/.ready-dev
# seconds between signs of life
EVERY ?= 10

.PHONY: demo test test-slow bench clean

demo: $(READY)
	$(BIN)/xnorflow run hls_configs/demo.yaml
	$(BIN)/xnorflow run hls_configs/demo-verilog.yaml --model projects/demo/01-train/sfc.h5

test: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow" -n $(WORKERS) --dist loadfile

test-slow: $(TOOLS)
	$(BIN)/pytest -m slow

bench: $(READY)
	$(BIN)/python benchmarks/golden_model.py
	$(BIN)/python benchmarks/kernels.py

$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
	  { echo "xnorflow needs Python 3.10 to 3.13, but $(PYTHON) is another: make PYTHON=/path/to/python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: sudo apt install python3-venv"; exit 2; }
	@echo "installing xnorflow and what it needs into $(VENV): about 2,700 MB, 2 to 10 minutes the first time"
	$(call install,.[flow$(COMMA)rtl])
	@touch $(READY)

$(TOOLS): $(READY)
	@echo "installing what tests and linters need into $(VENV): about 100 MB, less than a minute"
	$(call install,.[flow$(COMMA)rtl$(COMMA)dev])
	@touch $(TOOLS)

COMMA := ,
# pip says nothing for minutes while it unpacks, so what has arrived is shown; the loop ends with its shell, however that ends
define install
@start=$$(date +%s); \
so_far() { echo "  $$(( $$(date +%s) - start )) s: $$(du -sm $(VENV) | cut -f1) MB in $(VENV)"; }; \
while sleep $(EVERY) && kill -0 $$$$ 2>/dev/null; do so_far; done & alive=$$!; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '$(1)'; code=$$?; \
kill $$alive; [ $$code != 0 ] || so_far; exit $$code
endef

clean:
	rm -rf $(VENV) projects/*/
