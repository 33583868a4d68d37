# Two commands do everything on a machine with Go: make run, make test.

GO ?= go
# Inputs, not seconds: when seconds are over, Go 1.26 fails at times without a
# finding (go.dev/issue/75804).
FUZZTIME ?= 100000x
# The search for data races needs a C compiler: without one, tests do without it.
RACE ?= $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
LIVES ?= 1000

.PHONY: run up down test build check system sdk eventstore cluster chaos lives fuzz golden bench clean

# A trial: the server, a simulated WhatsApp, a demo bot and a chat page.
run: build
	./bin/parley try

# Three nodes on this machine with all they need, in containers. Needs Docker.
up:
	./deploy/compose/keys.sh
	docker compose up --detach --build --wait
	@./deploy/compose/welcome.sh

down:
	docker compose down

build:
	$(GO) build -trimpath -o bin/parley ./cmd/parley

# Everything that runs without a network and without another program.
test:
	$(GO) test $(RACE) -shuffle=on -timeout 20m ./...

# What must be true of the source: formatted, vetted, no error dropped.
check:
	@unformatted=$$($(GO) tool gofumpt -l .); test -z "$$unformatted" || { echo "$$unformatted"; echo "format with: go tool gofumpt -w ."; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags system ./...
	$(GO) tool staticcheck ./...
	$(GO) tool errcheck -ignoretests -exclude .errcheck ./...

# The built program as a process: killed under load, a full disk, two at once.
system:
	$(GO) test -tags system -count=1 -timeout 15m ./test/system

# The built program through the SDK that clients use, changed in the base
# address alone. Needs Node.js, and says so where there is none.
sdk: build
	./test/node.sh sdk "the tests on the SDK"

# The log through the clients of EventStoreDB and KurrentDB that other programs
# use. Needs Node.js, and says so where there is none.
eventstore: build
	./test/node.sh eventstore "the tests on the clients of EventStoreDB"

# Three nodes with an etcd and a log: a quiet day, one that is killed or cut off,
# all restarted in turn, one newer than the others. And what docker-compose.yml
# names, as processes.
cluster:
	$(GO) test -tags system -count=1 -timeout 15m ./test/cluster ./test/deploy

# The same with more people, and with everything frozen, stopped, killed and cut
# off.
chaos:
	$(GO) test -tags system -count=1 -timeout 20m -v ./test/cluster -long

# Whole lives from seeds: people, a hostile Meta, failing models, crashes.
lives:
	$(GO) test -timeout 30m -run '^TestLives$$' -lives=$(LIVES) .

# Nonsense for everything that strangers can send.
FUZZ = $(GO) test -run '^$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 100x
fuzz:
	$(FUZZ) -fuzz '^FuzzParse$$' ./whatsapp
	$(FUZZ) -fuzz '^FuzzVerify$$' ./whatsapp
	$(FUZZ) -fuzz '^FuzzDecode$$' ./events
	$(FUZZ) -fuzz '^FuzzOpen$$' ./http/ticket
	$(FUZZ) -fuzz '^FuzzFormat$$' ./whatsapp/format
	$(FUZZ) -fuzz '^FuzzSplit$$' ./whatsapp/format

# Writes encodings and transcripts anew. Read the difference: a released
# encoding never changes.
golden:
	$(GO) test ./events -golden
	$(GO) test ./domain/conversation -rewrite
	$(GO) test -run 'TestTheWhatsAppPage|TestTheAPIPage|TestEveryFactCanBeTraced' . -write-docs

# The figures of docs/benchmarks.md.
bench: build
	$(GO) test -run '^$$' -bench . -benchmem ./events ./events/archive ./events/local ./events/esdb ./domain/conversation ./projections ./media ./engine/rivescript ./whatsapp ./whatsapp/format
	$(GO) test -run '^$$' -bench ConversationMemory -benchtime 1x .
	./bin/parley bench

clean:
	rm -rf bin
