package fence

const (
	module  = "github.com/niobot/niobot"
	mautrix = "maunium.net/go/mautrix"
)

// sqlDrivers are the drivers in use and those that a slip of the completion would bring in.
var sqlDrivers = set{
	"modernc.org/sqlite/...",
	"github.com/jackc/pgx/...",
	"github.com/lib/pq/...",
	"github.com/mattn/go-sqlite3/...",
	"github.com/ncruces/go-sqlite3/...",
	"zombiezen.com/go/sqlite/...",
	"go.mau.fi/util/dbutil/litestream/...", // registers go-sqlite3
}

// olmMachine is the part of mautrix that does end-to-end encryption, and needs the build tag goolm. The other packages
// below mautrix/crypto, such as attachment and canonicaljson, belong to wire types and come with mautrix itself.
var olmMachine = set{
	mautrix + "/crypto",
	mautrix + "/crypto/cryptohelper/...",
	mautrix + "/crypto/verificationhelper/...",
	mautrix + "/crypto/ssss/...",
	mautrix + "/crypto/libolm/...",
	mautrix + "/crypto/goolm", // its sub-packages hold ciphers that mautrix itself uses
	mautrix + "/crypto/goolm/account/...",
	mautrix + "/crypto/goolm/pk/...",
	mautrix + "/crypto/goolm/sas/...",
	mautrix + "/crypto/goolm/session/...",
}

// rules are checked over every build of the module. Leaves are checked beside them, see leafRules.
var rules = []rule{
	{
		name: "niobot imports leaves only",
		from: set{module},
		ban:  set{module + "/..."},
		// internal/cli is a program and internal/fakehs a server; neither belongs into a bot.
		allow: set{module + "/arg/...", module + "/render/...", module + "/attachment/...", module + "/internal/..."},
		but:   set{module + "/internal/cli/...", module + "/internal/fakehs/..."},
		why:   "arrows point inward",
	},
	{
		name: "niobot has no SQL driver",
		from: set{module}, ban: sqlDrivers, deep: true,
		why: "the store is the user's choice",
	},
	{
		name: "niobot has no encryption",
		from: set{module}, ban: olmMachine, deep: true,
		why: "a bot without encryption builds without tags",
	},
	{
		name: "niobot does not test",
		from: set{module}, ban: set{"testing/..."}, deep: true,
		why: "package testing adds flags and weight to every bot",
	},
	{
		name: "niobottest stands on niobot and the fake homeserver",
		from: set{module + "/niobottest/..."},
		ban:  set{module + "/..."},
		allow: set{
			module, module + "/niobottest/...", module + "/internal/...",
			module + "/arg/...", module + "/render/...", module + "/attachment/...",
		},
		but: set{module + "/internal/cli/..."},
		why: "a bot's tests need neither a database nor encryption",
	},
	{
		name: "release knows no bot",
		from: set{module + "/release"},
		ban:  set{module + "/...", mautrix + "/..."}, deep: true,
		why: "the policy is understood without Matrix; release/announce and release/notice bring the two together",
	},
	{
		name:  "what speaks for release stands on niobot and release",
		from:  set{module + "/release/announce/...", module + "/release/notice/..."},
		ban:   set{module + "/..."},
		allow: set{module, module + "/release", module + "/release/announce/...", module + "/release/notice/..."},
		why:   "an announcement needs neither a database nor a test kit",
	},
	{
		name: "only two stores import SQL drivers",
		from: set{module + "/..."}, fromNot: set{module + "/store/sqlite/...", module + "/store/postgres/..."},
		ban: sqlDrivers,
		why: "one place for each driver",
	},
	{
		name: "only e2ee imports the olm machine",
		from: set{module + "/..."}, fromNot: set{module + "/e2ee/..."},
		ban: olmMachine,
		why: "encryption is behind niobot.Encryption",
	},
	{
		name: "mautrix's bot and test packages are not used",
		from: set{module + "/..."}, tests: true,
		ban: set{mautrix + "/commands/...", mautrix + "/mockserver/..."},
		why: "niobot has its own commands and its own fake homeserver",
	},
}

// leafRoots are the folders of leaves, beside every folder of internal/.
var leafRoots = []string{module + "/arg", module + "/render", module + "/attachment"}

// notLeaves are the packages of internal/ that stand at the other end: the program behind cmd/niobot.
var notLeaves = set{module + "/internal/cli/..."}

// leafRules give each leaf in the graph its rule: of the module it imports itself alone.
func leafRules(g graph) []rule {
	var made []rule
	for _, leaf := range leaves(g) {
		made = append(made, rule{
			name:  "leaves import neither niobot nor each other",
			from:  set{leaf + "/..."},
			ban:   set{module + "/..."},
			allow: set{leaf + "/..."},
			why:   "a leaf is understood alone",
		})
	}
	return made
}

// bannedNames are exported names that no source outside of tests and benchmarks may mention, by their package.
var bannedNames = map[string][]string{
	// Their faults: a flat order of handlers without recovery, and a token that is lost with the process.
	mautrix: {"NewDefaultSyncer", "DefaultSyncer", "NewMemorySyncStore", "MemorySyncStore"},
}

// mayNameThem are the packages that may compare with what bannedNames rules out.
var mayNameThem = set{module + "/bench/..."}
