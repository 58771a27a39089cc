PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test lint

app: $(VENV)/app.stamp ## Start the app; PORT can be set
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT) --server.headless true

test: $(VENV)/all.stamp ## Test everything
	$(BIN)/python -m pytest -q

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
