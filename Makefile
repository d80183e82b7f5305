# The commands of this repository. `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help run test lint bench package

help: ## List the commands
	@sed -n 's/^\([a-z]*\): ## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Install what is missing, build, start a sync server and open the app on it
	@scripts/run.sh

test: ## Install what is missing, then check everything
	@scripts/test.sh

lint: ## Check format, lints, types, licences and sources
	@scripts/lint.sh

bench: ## Measure, each figure beside what this machine could do at most
	@scripts/bench.sh

package: ## Build the installers of this system
	@scripts/package.sh
