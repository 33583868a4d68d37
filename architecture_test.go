package parley_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows says which of our packages each package may import, besides those
// below itself. What is not listed is forbidden. A new arrow is a decision:
// change the table, and say why in the same commit.
var arrows = map[string]struct {
	to  []string
	why string
}{
	"events":              {nil, "facts know nobody, so that everybody can know them"},
	"events/vault":        {[]string{"events"}, "sealed secrets are streams like others"},
	"events/local":        {[]string{"events"}, "a store keeps records and knows nothing of their meaning"},
	"events/memory":       {[]string{"events"}, "the same"},
	"events/storetest":    {[]string{"events"}, "the contract speaks of stores alone"},
	"events/esdb":         {[]string{"events"}, "the same"},
	"events/esdbserver":   {[]string{"events"}, "a protocol over any store"},
	"events/archive":      {[]string{"events"}, "any log into another, or into a file and back"},
	"domain":              {[]string{"events"}, "rules are pure: facts in, facts out"},
	"domain/domaintest":   {[]string{"domain", "events"}, "tables for rules"},
	"domain/account":      {[]string{"domain", "events"}, "rules"},
	"domain/alias":        {[]string{"domain", "events"}, "rules"},
	"domain/blueprint":    {[]string{"domain", "events"}, "rules"},
	"domain/bot":          {[]string{"domain", "events"}, "rules"},
	"domain/callback":     {[]string{"domain", "events"}, "rules"},
	"domain/completion":   {[]string{"domain", "events"}, "rules"},
	"domain/contact":      {[]string{"domain", "events"}, "rules"},
	"domain/conversation": {[]string{"domain", "events"}, "rules"},
	"domain/file":         {[]string{"domain", "events"}, "rules"},
	"domain/integration":  {[]string{"domain", "events"}, "rules"},
	"engine":              {nil, "an engine could serve any other server"},
	"engine/enginetest":   {[]string{"engine"}, "the contract speaks of engines alone"},
	"engine/openai":       {[]string{"engine"}, "an engine knows no channel"},
	"engine/rivescript":   {[]string{"engine"}, "an engine knows no channel"},
	"engine/script":       {[]string{"engine"}, "an engine knows no channel"},
	"whatsapp":            {[]string{"whatsapp/format"}, "the protocol package could be published by itself"},
	"whatsapp/format":     {nil, "words become WhatsApp's marks, whoever said them"},
	"whatsapp/simulator":  {[]string{"whatsapp"}, "Meta does not know Parley"},
	"media":               {nil, "attachments are bytes with a hash"},
	"media/bucket":        {[]string{"media"}, "a store keeps contents and knows nothing of their meaning"},
	"media/s3test":        {nil, "a service knows nobody who uses it"},
	"media/storetest":     {[]string{"media"}, "the contract speaks of stores alone"},
	"media/guard":         {nil, "an address is private or not, whoever asks for it"},
	"test/process":        {nil, "a process is started and ended, whatever it does"},
	"test/system":         {[]string{"*"}, "a whole process is watched from outside"},
	"test/cluster":        {[]string{"*"}, "the same of many processes"},
	"test/deploy":         {[]string{"*"}, "files are held against the program that they run"},
	"backup":              {[]string{"events", "events/local", "media"}, "a backup has the files of the embedded log and of the media store"},
	"projections":         {[]string{"events"}, "read models are folded from facts alone"},
	"actors":              {[]string{"domain", "events"}, "the shell runs any rules"},
	"actors/perform":      {[]string{"actors", "domain", "engine", "events", "media", "whatsapp", "whatsapp/format"}, "effects meet the world"},
	"cluster":             {[]string{"actors", "domain", "events"}, "placement knows actors, not what they do"},
	"cluster/etcd":        {[]string{"cluster"}, "a registry knows members, and nothing of what they do"},
	"http":                {[]string{"domain", "events", "http/auth", "http/openapi", "http/ticket", "media", "projections", "whatsapp"}, "requests in, answers out; actors only behind an interface"},
	"http/admin":          {nil, "a socket carries words, and whoever answers them is behind an interface"},
	"http/auth":           {[]string{"events"}, "secrets are hashed, and that is all"},
	"http/openapi":        {nil, "a description knows nothing of who serves it"},
	"http/certs":          {nil, "a listener's certificate has nothing to do with what it serves"},
	"http/certs/acmetest": {nil, "an authority knows nobody"},
	"http/ticket":         {nil, "a ticket is words and a signature, whatever it allows"},
	"http/load":           {[]string{"http", "whatsapp"}, "load comes from outside"},
	"":                    {[]string{"*"}, "the root names every part"},
	"cmd/parley":          {[]string{"", "http/load"}, "the command line starts what the root joins"},
}

// doors says which of our packages may import an outside package. Everybody
// else goes through them.
var doors = map[string][]string{
	"github.com/gofiber/fiber":       {"http", "http/load"},
	"github.com/valyala/fasthttp":    {"http", "http/load"},
	"github.com/caddyserver":         {"http/certs"},
	"github.com/asynkron/protoactor": {"actors", "cluster"},
	"github.com/EventStore":          {"events/esdb", "events/esdbserver"},
	"go.etcd.io":                     {"cluster/etcd"},
	"github.com/vmihailenco/msgpack": {"cluster", "events"},
	"github.com/gabriel-vasile":      {"media"},
	"github.com/yuin/goldmark":       {"whatsapp/format"},
	"gocloud.dev":                    {"media/bucket"},
	"github.com/aws":                 {"media/bucket"},
	"github.com/johannesboyne":       {"media/s3test"},
	"modernc.org/sqlite":             {"events/local", "projections"},
	"github.com/openai":              {"engine/openai"},
	"github.com/aichaos":             {"engine/rivescript"},
}

func TestArchitecture(t *testing.T) {
	for file, imports := range sources(t) {
		room := roomOf(file)
		allowed, known := arrows[room]
		if !known {
			t.Errorf("%s: the package is not in the plan of the house", file)
			continue
		}
		for _, path := range imports {
			if own, ok := strings.CutPrefix(path+"/", "parley/"); ok {
				own = roomOf(own + "x.go")
				if own != room && !allows(allowed.to, own) {
					t.Errorf("%s imports parley/%s, which is forbidden: %s", file, own, allowed.why)
				}
				continue
			}
			for door, rooms := range doors {
				if strings.HasPrefix(path, door) && !slices.Contains(rooms, room) {
					t.Errorf("%s imports %s, whose door is %v", file, path, rooms)
				}
			}
		}
	}
}

// roomOf is the package of a file. What is internal belongs to its owner.
func roomOf(file string) string {
	room, _, _ := strings.Cut(filepath.ToSlash(filepath.Dir(file)), "/internal/")
	if room == "." {
		return ""
	}
	return room
}

// allows reports that an import is in the list. A domain package stands for
// all below it.
func allows(to []string, own string) bool {
	for _, a := range to {
		if a == "*" || a == own || a == "domain" && strings.HasPrefix(own, "domain/") ||
			a == "events" && own == "events" {
			return true
		}
	}
	return false
}

func TestTheDomainIsPure(t *testing.T) {
	for file, imports := range sources(t) {
		room := filepath.ToSlash(filepath.Dir(file))
		if !strings.HasPrefix(room, "domain") || strings.HasSuffix(room, "domaintest") {
			continue
		}
		for _, forbidden := range []string{"context", "math/rand", "math/rand/v2", "crypto/rand", "os", "net", "net/http", "sync", "log/slog"} {
			if slices.Contains(imports, forbidden) {
				t.Errorf("%s imports %s: time, chance and effects arrive inside commands", file, forbidden)
			}
		}
	}
}

// sources gives the imports of every Go file that is not a test.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || path != "." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			all[path] = append(all[path], p)
		}
		if all[path] == nil {
			all[path] = []string{}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
