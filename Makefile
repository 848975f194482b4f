# Short names for the checks; .ci/run holds the commands. FUZZTIME=1m make fuzz
STEPS := $(shell .ci/run -l)

.DEFAULT_GOAL := check

.PHONY: check ci help $(STEPS)

check: format build vet test lint ## What to run before a commit.

ci: ## Everything, as the continuous integration does.
	@.ci/run

$(STEPS):
	@.ci/run $@

help: ## The targets.
	@echo "check: format build vet test lint"
	@echo "ci:    everything"
	@echo "one:   $(STEPS)"
