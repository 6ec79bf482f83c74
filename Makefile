# Each target sets up .venv by itself where that is needed; see tools/bootstrap.py.
PYTHON = python3
# Empty, so that only the command line sets them: containers often export a PORT of their own.
PORT =
IP =
ARGS =
REPOSITORY =
COURSE = $(PYTHON) -E tools/bootstrap.py

.PHONY: help lab test test-slow setup lessons data weights pictures bench site clean

help:
	@echo 'make lab        set up the course and open JupyterLab on the first lesson'
	@echo '                (PORT=9999 chooses a port, IP=0.0.0.0 lets a container be reached)'
	@echo 'make test       set up the course and run all tests but the slow ones'
	@echo 'make test-slow  the slow tests: training from nothing, all platforms (network)'
	@echo 'make setup      only set up'
	@echo 'make lessons    make notebooks/ and solutions/ from lessons/'
	@echo 'make data       make the data in data/ again'
	@echo 'make weights    train the networks in data/weights/ again'
	@echo 'make pictures   draw the title pictures and the pictures of the panels again'
	@echo 'make bench      measure time and memory of lessons and heat maps'
	@echo 'make site       build the web site in site/_build/html (REPOSITORY=owner/name adds buttons)'
	@echo 'make clean      remove what make made: .venv, .site-venv, .tools, the site and caches'
	@echo 'ARGS="..." passes arguments on to lessons, weights and bench.'

lab:
	@exec $(COURSE) lab --port "$(PORT)" --ip "$(IP)"

test test-slow setup:
	@exec $(COURSE) $@

lessons:
	@exec $(COURSE) run tools/build_lessons.py $(ARGS)

data:
	@exec $(COURSE) run tools/make_data.py

weights:
	@exec $(COURSE) run tools/train_weights.py $(ARGS)

pictures:
	@exec $(COURSE) run tools/make_pictures.py
	@exec $(COURSE) run tools/panel_pictures.py

bench:
	@exec $(COURSE) run tools/bench.py $(ARGS)

site:
	@exec $(COURSE) site --repository "$(REPOSITORY)"

clean:
	rm -rf .venv .site-venv .tools site/_build .pytest_cache .ruff_cache .hypothesis *.egg-info build
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +
