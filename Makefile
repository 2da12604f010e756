# make demo       shows promote at work, on an engine of its own
# make test       runs tests of every kind, with real engines, registries and hosts, in minutes
# make test-all   runs every test
#
# All install what they need (scripts/setup; Debian, root) and leave nothing running.

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GOBUILD = CGO_ENABLED=0 go build -trimpath

COMPOSE     = .cache/docker/cli-plugins/docker-compose
COMPOSE2    = .cache/compose2/docker-compose
TRAEFIK     = .cache/bin/traefik
BUILDKITD   = .cache/bin/buildkitd
STATICCHECK = .cache/bin/staticcheck
ACTIONLINT  = .cache/bin/actionlint
BED         = .cache/bin/bed
CORPUS      = ../shared/corpus

# Engines and hosts are no inputs that go's test cache knows of: what it remembers proves nothing. `make lint` vets.
GOTEST = go test -count=1 -vet=off -timeout 60m

.PHONY: help build demo test test-all test-busy test-compose2 bench fidelity lint docs bed setup ci clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## build ./promote
	$(GOBUILD) -ldflags '-s -w -X promote/internal/cli.version=$(VERSION)' -o promote .

demo: programs $(COMPOSE) build $(BED) ## show promote at work
	$(BED) ./promote demo

test: programs $(COMPOSE) ## run tests of every kind: units, scripts, one engine, hosts over ssh, kills
	$(GOTEST) ./...

test-all: setup ## run every test: all proxies, all failures at all events, swarm, builders, the five procedures
	PROMOTE_TEST=all $(GOTEST) ./...
	cd bench/yq && $(GOTEST) .

test-busy: programs $(COMPOSE) ## run make test beside four loops that keep the cores busy
	@for n in 1 2 3 4; do (while :; do :; done) & loops="$$loops $$!"; done; \
	trap "kill $$loops" EXIT; $(MAKE) test

test-compose2: setup $(COMPOSE2) ## run every test with the older docker compose
	PROMOTE_TEST=all PROMOTE_BED_COMPOSE=$(abspath $(COMPOSE2)) $(GOTEST) ./...

bench: setup ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...
	cd bench/yq && go test -run '^$$' -bench . -benchtime 5s .

fidelity: ## try every possible edit over a folder of compose files: make fidelity CORPUS=DIR
	go run ./bench/fidelity $(CORPUS)

lint: $(STATICCHECK) $(ACTIONLINT) ## check format, code and workflows
	@files=$$(gofmt -l $$(git ls-files '*.go')) && test -z "$$files" || { echo "gofmt -w" $$files; exit 1; }
	go vet ./...
	cd bench/yq && go vet .
	$(STATICCHECK) ./...
	$(ACTIONLINT) examples/ci/github/*.yml

docs: ## write the generated part of the documentation
	go generate ./docs

bed: programs $(COMPOSE) $(BED) ## open a shell with an engine and a registry of its own
	@$(BED) || true

.PHONY: release release-check
release: ## build the archives of a release into dist/
	scripts/release $(VERSION)

release-check: release ## build them again, elsewhere and from nothing: the bytes must be the same
	@again=$$(mktemp -d) && trap 'rm -rf "$$again"' EXIT && git clone --quiet . "$$again/promote" && \
	(cd "$$again/promote" && GOCACHE="$$again/cache" scripts/release $(VERSION)) && \
	diff dist/checksums.txt "$$again/promote/dist/checksums.txt" && echo "the same bytes, twice"

setup: programs $(COMPOSE) $(TRAEFIK) $(BUILDKITD) ## install what demo and all tests need

.PHONY: programs
programs:
	@scripts/setup

ci: ## run what CI runs
	.ci/run

clean: ## remove what was built
	rm -rf promote dist .cache

# Go's own build cache makes a second build of these cheap; touching them makes it none.

$(COMPOSE): tools/go.mod tools/go.sum | programs
	@echo "setup: building docker compose (about a minute, once)"
	@version=$$(cd tools && go list -m -f '{{.Version}}' github.com/docker/compose/v5) && cd tools && \
	$(GOBUILD) -ldflags "-s -w -X github.com/docker/compose/v5/internal.Version=$$version" -o ../$@ github.com/docker/compose/v5/cmd
	@touch $@

$(COMPOSE2): tools/compose2/go.mod tools/compose2/go.sum
	@echo "setup: building the older docker compose"
	@version=$$(cd tools/compose2 && go list -m -f '{{.Version}}' github.com/docker/compose/v2) && cd tools/compose2 && \
	$(GOBUILD) -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$$version" -o ../../$@ github.com/docker/compose/v2/cmd
	@touch $@

$(TRAEFIK): tools/traefik/go.mod tools/traefik/go.sum | programs
	@echo "setup: building traefik (about four minutes, once)"
	@version=$$(cd tools/traefik && go list -m -f '{{.Version}}' github.com/traefik/traefik/v3) && cd tools/traefik && \
	$(GOBUILD) -ldflags "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=$$version" -o ../../$@ github.com/traefik/traefik/v3/cmd/traefik
	@touch $@

$(BUILDKITD): tools/buildkit/go.mod tools/buildkit/go.sum | programs
	@echo "setup: building buildkitd (about two minutes, once)"
	@cd tools/buildkit && $(GOBUILD) -o ../../$@ github.com/moby/buildkit/cmd/buildkitd
	@touch $@

$(STATICCHECK): tools/go.mod tools/go.sum
	cd tools && $(GOBUILD) -o ../$@ honnef.co/go/tools/cmd/staticcheck
	@touch $@

$(ACTIONLINT): tools/actionlint/go.mod tools/actionlint/go.sum
	cd tools/actionlint && $(GOBUILD) -o ../../$@ github.com/rhysd/actionlint/cmd/actionlint
	@touch $@

.PHONY: $(BED)
$(BED):
	@$(GOBUILD) -o $@ ./internal/bed/run
