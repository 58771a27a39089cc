PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app hub test lint

app: $(VENV)/app.stamp ## Start the app; PORT can be set
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT) --server.headless true

hub: PORT := 8123
hub: $(VENV)/app.stamp ## Start a Hub on loopback, to try publishing without a network; PORT can be set
	$(BIN)/python -m tests.hub_server --port $(PORT) --zoo

test: $(VENV)/all.stamp ## Test everything
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(VENV)/all.stamp ## Check style and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.stamp: requirements-app.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-app.txt
	touch $@

$(VENV)/all.stamp: requirements.txt requirements-app.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@ $(VENV)/app.stamp
