package placet

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pdpv1 "placet/clients/go/pdp/v1"
)

// liar is a server that answers as a test says, over the wire. By default it allows honestly.
type liar struct {
	pdpv1.UnimplementedInfoServiceServer
	pdpv1.UnimplementedDecisionServiceServer
	key      ed25519.PrivateKey
	kid      string
	features []string
	infos    int
	asked    []*pdpv1.AuthorizeRequest
	answer   func(*pdpv1.AuthorizeRequest, *pdpv1.AuthorizeResponse) error
}

var everything = []string{"context_json", "expected_digest", "properties_json"}

// served is a client of a liar.
func served(t *testing.T, server *liar) *Client {
	t.Helper()
	_, server.key, _ = ed25519.GenerateKey(nil)
	server.kid = "first"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving := grpc.NewServer()
	pdpv1.RegisterInfoServiceServer(serving, server)
	pdpv1.RegisterDecisionServiceServer(serving, server)
	go func() { _ = serving.Serve(listener) }()
	t.Cleanup(serving.Stop)
	client, err := New(Options{Address: listener.Addr().String(), Token: Token("any"), Understands: []string{"mask"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (l *liar) GetServerInfo(context.Context, *pdpv1.GetServerInfoRequest) (*pdpv1.GetServerInfoResponse, error) {
	l.infos++
	x := base64.RawURLEncoding.EncodeToString(l.key.Public().(ed25519.PublicKey))
	return &pdpv1.GetServerInfoResponse{
		Realm: "test", Features: l.features, Caller: &pdpv1.CallerInfo{Identity: "agent:bot"},
		Jwks: fmt.Sprintf(`{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": %q, "x": %q, "placet_use": "grant"}]}`, l.kid, x),
	}, nil
}

func (l *liar) Authorize(_ context.Context, asked *pdpv1.AuthorizeRequest) (*pdpv1.AuthorizeResponse, error) {
	l.asked = append(l.asked, asked)
	made := &pdpv1.AuthorizeResponse{
		DecisionId: "dec_" + randomID(), Effect: pdpv1.Effect_EFFECT_ALLOW, OnBehalfOf: asked.OnBehalfOf,
		RequestDigest: asked.ExpectedDigest,
	}
	made.Grant = l.grant(made.DecisionId, made.RequestDigest)
	if l.answer == nil {
		return made, nil
	}
	return made, l.answer(asked, made)
}

func (l *liar) grant(id, digest string) string {
	now := time.Now().Unix()
	claims := map[string]any{"iss": "test", "aud": "agent:bot", "jti": id, "digest": digest, "iat": now, "exp": now + 30}
	body, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"typ": "placet-grant+jwt", "alg": "EdDSA", "kid": %q}`, l.kid)) +
		"." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(l.key, []byte(text)))
}

// guarded counts the runs of a function behind a guard.
func guarded(client *Client) (func(context.Context, order) (string, error), *int) {
	runs := 0
	return Guard(GuardOptions[order]{
		Client: client,
		Ask: func(order) Question {
			return Question{OnBehalfOf: []string{"user:alice"}, Action: "pay", Resource: "order:1"}
		},
	}, func(context.Context, order) (string, error) { runs++; return "ran", nil }), &runs
}

func TestAnHonestAllowRuns(t *testing.T) {
	run, runs := guarded(served(t, &liar{features: everything}))
	if said, err := run(t.Context(), order{ID: "1"}); err != nil || said != "ran" || *runs != 1 {
		t.Fatal(said, err)
	}
}

func TestNothingRunsOnALie(t *testing.T) {
	stolen := ""
	for name, lie := range map[string]func(*pdpv1.AuthorizeRequest, *pdpv1.AuthorizeResponse) error{
		"no grant":             func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error { a.Grant = ""; return nil },
		"a deny with a grant":  func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error { a.Effect = 2; return nil },
		"an unknown effect":    func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error { a.Effect = 9; return nil },
		"a dry run":            func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error { a.DryRun = true; return nil },
		"another decision":     func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error { a.DecisionId = "dec_1"; return nil },
		"another digest":       func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error { a.RequestDigest = "A"; return nil },
		"a chain without them": func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error { a.OnBehalfOf = nil; return nil },
		"a longer chain": func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error {
			a.OnBehalfOf = append(a.OnBehalfOf, &pdpv1.Subject{Type: "user", Id: "eve"})
			return nil
		},
		"an unknown duty": func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error {
			a.Obligations = []*pdpv1.Obligation{{Type: "watermark"}}
			return nil
		},
		"one decision twice": func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error {
			a.DecisionId = "dec_spent"
			a.Grant = stolen
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := &liar{features: everything, answer: lie}
			client := served(t, server)
			run, runs := guarded(client)
			if name == "one decision twice" {
				form, _ := Question{
					Subject: "agent:bot", OnBehalfOf: []string{"user:alice"}, Action: "pay", Resource: "order:1", Context: order{ID: "1"},
				}.form()
				stolen = server.grant("dec_spent", digest(form.canonical(), "test"))
				if _, err := run(t.Context(), order{ID: "1"}); err != nil || *runs != 1 {
					t.Fatal(err)
				}
				*runs = 0
			}
			_, err := run(t.Context(), order{ID: "1"})
			var refusal *Error
			var denied *Denied
			if *runs != 0 || !errors.As(err, &refusal) && !errors.As(err, &denied) {
				t.Fatal(*runs, err)
			}
		})
	}
}

func TestAKeyThatIsNewIsLookedForOnce(t *testing.T) {
	server := &liar{features: everything}
	client := served(t, server)
	run, runs := guarded(client)
	if _, err := run(t.Context(), order{}); err != nil {
		t.Fatal(err)
	}
	_, server.key, _ = ed25519.GenerateKey(nil)
	server.kid = "second"
	if _, err := run(t.Context(), order{}); err != nil || *runs != 2 || server.infos != 2 {
		t.Fatal(err, server.infos)
	}
	server.answer = func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error {
		server.kid = "third"
		a.Grant = server.grant(a.DecisionId, a.RequestDigest)
		server.kid = "second"
		return nil
	}
	if _, err := run(t.Context(), order{}); err == nil || *runs != 2 || server.infos != 3 {
		t.Fatal(err, server.infos)
	}
}

func TestOnlyUnavailableIsTriedAgainAsTheSameAttempt(t *testing.T) {
	left, code := 2, codes.Unavailable
	server := &liar{features: everything, answer: func(*pdpv1.AuthorizeRequest, *pdpv1.AuthorizeResponse) error {
		if left--; left < 0 {
			return nil
		}
		return status.Error(code, "not now")
	}}
	client := served(t, server)
	question := Question{Subject: "agent:bot", Action: "read", Resource: "table:t"}
	decision, err := client.Authorize(t.Context(), question)
	if err != nil || !decision.Allowed() || len(server.asked) != 3 {
		t.Fatal(err, len(server.asked))
	}
	first := server.asked[0]
	if first.AttemptId == "" || slices.ContainsFunc(server.asked, func(one *pdpv1.AuthorizeRequest) bool {
		return one.AttemptId != first.AttemptId || one.RequestId != first.RequestId
	}) {
		t.Fatal(server.asked)
	}
	left, code = 1, codes.ResourceExhausted
	if decision, err = client.Authorize(t.Context(), question); err == nil || decision.Allowed() || len(server.asked) != 4 {
		t.Fatal(err, len(server.asked))
	}
	if _, err = client.Authorize(t.Context(), question); err != nil || server.asked[4].AttemptId == first.AttemptId {
		t.Fatal("another call is another attempt: ", err)
	}
}

func TestAnOlderServerGetsStructsAndNoDigest(t *testing.T) {
	server := &liar{}
	client := served(t, server)
	question := Question{
		Subject: "agent:bot", Action: "read", Resource: "table:t",
		Properties: map[string]any{"tags": []string{"pii"}}, Context: order{ID: "1", Amount: 5},
	}
	if _, err := client.Authorize(t.Context(), question); err != nil {
		t.Fatal(err)
	}
	server.features = everything
	if _, err := served(t, server).Authorize(t.Context(), question); err != nil {
		t.Fatal(err)
	}
	older, newer := server.asked[0], server.asked[1]
	if older.ExpectedDigest+older.ContextJson+older.Resource.PropertiesJson != "" || older.Context.AsMap()["amount"] != 5.0 ||
		len(older.Resource.Properties.AsMap()["tags"].([]any)) != 1 {
		t.Fatal(older)
	}
	if newer.ContextJson != `{"amount":5,"id":"1"}` || newer.Context != nil || newer.Resource.Properties != nil || newer.ExpectedDigest == "" {
		t.Fatal(newer)
	}
}

func TestOneLineSaysWhyAndNamesTheDecision(t *testing.T) {
	client := served(t, &liar{answer: func(_ *pdpv1.AuthorizeRequest, a *pdpv1.AuthorizeResponse) error {
		a.DecisionId, a.Reasons = "dec_1", []*pdpv1.Reason{{Rule: "r", Reason: "because"}}
		a.Obligations = []*pdpv1.Obligation{{Type: "mask"}, {Type: "log"}}
		return nil
	}})
	decision, err := client.Authorize(t.Context(), Question{Subject: "agent:bot", Action: "read", Resource: "table:t"})
	if err != nil || decision.Why() != "ALLOW: because [r]; unknown obligations [log] (dec_1)" || decision.Require() == nil {
		t.Fatal(decision.Why(), err)
	}
	var none *Decision
	if none.Allowed() || none.NeedsApproval() || none.Approval() != nil || !strings.Contains(none.Require().Error(), "no decision") {
		t.Fatal("the nil decision")
	}
}
