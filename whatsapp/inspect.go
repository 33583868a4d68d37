package whatsapp

import (
	"context"
	"sync"
	"time"
)

// Setup is how an integration is meant to be connected with Meta.
type Setup struct {
	Credentials
	// AppSecret is the secret of the app that webhooks are signed with; the
	// zero Token if none is known.
	AppSecret Token
	// Callbacks are the addresses that lead to the integration, and the first
	// is the one to tell people; none if they are not known.
	Callbacks []string
}

// Finding is what one check came to. It can be shown to anybody: secrets are
// masked and phone numbers shortened in it.
type Finding struct {
	// Check is one of the Check constants. Only CheckHealth may come twice.
	Check string
	Grade Grade
	// Message is what was found, in a sentence.
	Message string
	// Cure is what to do about it, in a sentence; "" if there is nothing to do.
	Cure string
}

// Grade says how serious a finding is.
type Grade string

const (
	// Good is as it should be.
	Good Grade = "ok"
	// Doubtful may work, or works not for long, or could not be seen.
	Doubtful Grade = "warning"
	// Wrong does not work.
	Wrong Grade = "error"
)

// What is checked, in the order that findings come in.
const (
	CheckToken         = "token"          // does Meta take it?
	CheckExpiry        = "token_expiry"   // for how long?
	CheckPermissions   = "permissions"    // may it do both things that are needed?
	CheckAccountAccess = "account_access" // may it do them in the number's account?
	CheckNumber        = "phone_number"   // does it exist, for this token?
	CheckConnection    = "connection"     // is it registered with the Cloud API?
	CheckDisplayName   = "display_name"   // is its name approved?
	CheckQuality       = "quality"        // what do people think of it?
	CheckHealth        = "health"         // does anything stand in the way of messages?
	CheckSubscription  = "subscription"   // does our app get the account's webhooks?
	CheckCallback      = "callback"       // do they come to us?
	CheckAppSecret     = "app_secret"     // is it the one they are signed with?
	CheckFields        = "webhook_fields" // are messages among them?
)

// expiresSoon is when a token's end is worth a warning. Meta: a token of the
// dashboard lives for a day, one of a person for 60 days.
const expiresSoon = 7 * 24 * time.Hour

// lookTime bounds one question to Meta. They are asked in two rounds.
const lookTime = 5 * time.Second

// Inspect asks Meta whether an integration is set up as it should be, and gives
// what it found in an order that makes sense to read. It changes nothing, and
// takes 10 seconds at most. A check that fails hides no other; one that could
// not be made, because Meta did not answer or an earlier one failed, says so.
// It never gives nothing.
func (c *Client) Inspect(ctx context.Context, s Setup) []Finding {
	var see sight
	atOnce(ctx,
		func(ctx context.Context) { see.grant = replyOf(c.DebugToken(ctx, s.Token)) },
		func(ctx context.Context) { see.number = replyOf(c.PhoneNumber(ctx, s.Credentials)) },
		func(ctx context.Context) { see.standing = replyOf(c.Standing(ctx, s.Credentials)) },
	)
	app, account := see.app(), see.account()
	atOnce(ctx,
		func(ctx context.Context) {
			if account != "" {
				see.subscribers = replyOf(c.Subscribers(ctx, s.Token, account))
			}
		},
		func(ctx context.Context) {
			if app != "" && s.AppSecret.Reveal() != "" {
				see.webhook = replyOf(c.AppWebhook(ctx, app, s.AppSecret))
			}
		},
	)
	findings, veil := see.judge(s), see.veil(s)
	for i, f := range findings {
		findings[i].Message, findings[i].Cure = veil.over(f.Message), veil.over(f.Cure)
	}
	return findings
}

// veil hides what nobody else should see of a setup.
func (s *sight) veil(meant Setup) veil {
	v := veil{secrets: []string{meant.Token.Reveal(), meant.AppSecret.Reveal()}}
	if display := s.number.value.Display; display != "" {
		v.numbers = append(v.numbers, display)
	}
	if isPhoneNumber(meant.PhoneNumberID) {
		v.numbers = append(v.numbers, meant.PhoneNumberID)
	}
	return v
}

// atOnce asks several questions and waits for the answers.
func atOnce(ctx context.Context, questions ...func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var asked sync.WaitGroup
	for _, q := range questions {
		asked.Go(func() { q(ctx) })
	}
	asked.Wait()
}

// reply is what a question came to. The zero reply is of one not asked.
type reply[T any] struct {
	value T
	err   error
	asked bool
}

func replyOf[T any](value T, err error) reply[T] { return reply[T]{value, err, true} }

// sight is what Meta shows of an integration.
type sight struct {
	grant       reply[Grant]
	number      reply[PhoneNumber]
	standing    reply[Standing]
	subscribers reply[[]Subscriber]
	webhook     reply[AppWebhook]
}

// app is the ID of the token's app, or "".
func (s *sight) app() string {
	if s.grant.value.AppID != "" {
		return s.grant.value.AppID
	}
	return s.partOf("APP")
}

// account is the ID of the number's WhatsApp business account, or "" if Meta
// does not tell: then it is the only one that the token is good for.
func (s *sight) account() string {
	if id := s.partOf("WABA"); id != "" {
		return id
	}
	targets := s.grant.value.Targets[scopeManagement]
	if len(targets) == 1 {
		return targets[0]
	}
	return ""
}

// partOf is the ID of what takes part in the number's messages as an entity.
func (s *sight) partOf(entity string) string {
	for _, h := range s.standing.value.Health {
		if h.Entity == entity {
			return h.ID
		}
	}
	return ""
}
