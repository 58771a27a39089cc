PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet -c constraints.txt

.PHONY: app hub test lint docs schema notebook wheel lock

app: $(VENV)/app.stamp ## Start the app; PORT can be set
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT) --server.headless true

hub: PORT := 8123
hub: $(VENV)/app.stamp ## Start a Hub on loopback, to try publishing without a network; PORT can be set
	$(BIN)/python -m zoo.hub.loopback --port $(PORT) --zoo

test: $(VENV)/all.stamp ## Test everything
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/all.stamp ## Check style, imports and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

# A package that lists what it offers hides its modules from pdoc: they are named one by one.
MODULES = $(subst /,.,$(basename $(wildcard zoo/*/[a-z]*.py)) $(patsubst %/__init__.py,%,$(wildcard zoo/*/*/__init__.py)))
NESTED = $(subst /,.,$(basename $(wildcard zoo/*/*/[a-z]*.py)))
docs: $(VENV)/all.stamp ## Write the API reference into docs/api
	$(BIN)/pdoc --docformat google --output-directory docs/api zoo '!zoo\.\w+\.' $(MODULES) '!zoo\.\w+\.\w+\.' $(NESTED)

schema: $(VENV)/app.stamp ## Write zoo/zoo.schema.json anew, after a change of zoo/manifest.py
	$(BIN)/python -m zoo.manifest

notebook: $(VENV)/app.stamp ## Write zoo/tours/lecture.ipynb anew, after a change of a stop
	$(BIN)/python -m zoo.analysis.tour.notebook

wheel: $(VENV)/all.stamp ## Build the wheel into dist
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock: ## Write constraints.txt anew: the newest versions that the requirements allow, to be tested then
	rm -rf $(VENV)/lock
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet -r requirements.txt jax
	sed -n '/^#/p' constraints.txt > $(VENV)/lock/constraints.txt
	$(VENV)/lock/bin/python -m pip freeze >> $(VENV)/lock/constraints.txt
	mv $(VENV)/lock/constraints.txt constraints.txt

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.stamp: requirements-app.txt constraints.txt | $(BIN)/python
	$(INSTALL) -r requirements-app.txt
	touch $@

$(VENV)/all.stamp: requirements.txt requirements-app.txt constraints.txt | $(BIN)/python
	$(INSTALL) -r requirements.txt
	touch $@ $(VENV)/app.stamp
