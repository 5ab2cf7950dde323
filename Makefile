# `make` prints what there is to do. Everything longer than a line is a script in tools/.
.DEFAULT_GOAL := help
.PHONY: help run test check bench soak up down lint format proto web lock clean clean-state

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the whole stack on this machine: no Docker, no account (GENERATORS=3 STORES=2 GATEWAYS=2)
	@tools/setup run && exec .venv/bin/python -m devstack

test: ## every test, on real parts of their own (ARGS="-k store")
	@tools/test $(ARGS)

check: ## format, lint, types, contracts, imports, secrets, container files
	@tools/setup dev && exec .venv/bin/python -m tools.check $(ARGS)

bench: ## figures and ratios, on servers of their own
	@tools/setup dev && exec .venv/bin/python -m devstack.isolation .venv/bin/python -m bench $(ARGS)

soak: ## kills and faults without end: nothing lost, nothing paid twice (JOBS=2000 SEED=1)
	@tools/setup dev && exec .venv/bin/python -m devstack.isolation .venv/bin/python -m soak $(if $(JOBS),--jobs $(JOBS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

up: ## docker compose: the production-like way
	@docker compose up --build --detach --wait

down: ## stop what `make up` started; its data stays
	@docker compose down

lint: ## find what is wrong in the Python code, and mend what can be mended
	@tools/setup dev && .venv/bin/ruff check --fix .

format: ## format the code, of Python and of the page, and the protos
	@tools/setup dev && .venv/bin/ruff format . && .venv/bin/buf format --write && tools/web format

proto: ## generate stubs, the edge's descriptor and the OpenAPI document from protos/
	@tools/setup dev && tools/proto generate

web: ## build the page anew from web/ into services/edge/app
	@tools/setup dev && tools/web generate && tools/web build

lock: ## write locks/ anew from the two pyproject.toml (UPGRADE=1 for newer versions)
	@tools/lock

clean: ## delete caches, environment and fetched programs; data stays
	@rm -rf .venv web/node_modules .run/npm-cache .run/boot .run/uv-cache .run/rabbitmq-server .run/chromium dist .*_cache .hypothesis

clean-state: ## delete the data of `make run`: database, queues, pictures, logs
	@tools/clean_state
