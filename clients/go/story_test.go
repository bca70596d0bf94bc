//go:build story

package placet_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"placet/clients/go"
	pdpv1 "placet/clients/go/pdp/v1"
)

// The story that the clients of all languages go through, against a server of `pdp dev`, which PDP_ADDRESS names.

type export struct {
	Table string `json:"table"`
	Rows  int    `json:"rows"`
}

// pdp is what the command prints.
func pdp(t *testing.T, arguments ...string) string {
	t.Helper()
	said, err := exec.Command("pdp", arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("pdp %v: %v\n%s", arguments, err, said)
	}
	return strings.TrimSpace(string(said))
}

// tokens are those of the demo people, which are valid for longer than this story.
var tokens = map[string]string{}

func tokenOf(t *testing.T, name string) string {
	if tokens[name] == "" {
		tokens[name] = pdp(t, "token", "--as", name)
	}
	return tokens[name]
}

func clientOf(t *testing.T, name string) *placet.Client {
	t.Helper()
	client, err := placet.New(placet.Options{Token: placet.Token(tokenOf(t, name))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// fresh makes a name that no other test has, also not one of a run before.
func fresh(t *testing.T) string { return t.Name() + time.Now().Format("150405.000000000") }

func question(action, table string, rows int) placet.Question {
	return placet.Question{
		Subject: "agent:report-bot", OnBehalfOf: []string{"user:alice"}, Action: action, Resource: "table:" + table,
		Properties: map[string]any{"tags": []string{"public"}}, Context: map[string]any{"rows": rows},
	}
}

func TestAllowAndDeny(t *testing.T) {
	client := clientOf(t, "report-bot")
	allowed, err := client.Authorize(t.Context(), question("export", "orders", 1000))
	if err != nil || !allowed.Allowed() || allowed.Require() != nil {
		t.Fatal(allowed.Why(), err)
	}
	denied, err := client.Authorize(t.Context(), question("drop", "orders", 1))
	var refusal *placet.Denied
	if err != nil || denied.Allowed() || !errors.As(denied.Require(), &refusal) || refusal.Error() != denied.Why() {
		t.Fatal(denied.Why(), err)
	}
	dry := question("export", "orders", 1000)
	dry.DryRun = true
	if only, err := client.Authorize(t.Context(), dry); err != nil || only.Allowed() {
		t.Fatal(only.Why(), err)
	}
}

func TestTheServerComputesTheSameDigest(t *testing.T) {
	client := clientOf(t, "report-bot")
	info, err := client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asked := question("read", "customers", 1)
	asked.Context = map[string]any{
		"largest": int64(9007199254740991), "small": 1e-7, "minus": -0.002, "deep": []any{map[string]any{"é\U0001F600": nil, "\ufb33": true}},
	}
	decision, err := client.Authorize(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if digest, err := asked.Digest(info.Realm); err != nil || digest != decision.Response.RequestDigest {
		t.Fatal(digest, decision.Response.RequestDigest, err)
	}
	chain := decision.Response.OnBehalfOf
	if len(chain) != 1 || chain[0].Id != "alice" {
		t.Fatal(chain)
	}
}

func TestErrorsHaveAllTheirDetails(t *testing.T) {
	client := clientOf(t, "report-bot")
	asked := question("read", "customers", 1)
	asked.Action, asked.Resource = "", "table:"
	_, err := client.Authorize(t.Context(), asked)
	var failure *placet.Error
	if !errors.As(err, &failure) || failure.Code != codes.InvalidArgument || failure.Reason != "INVALID_REQUEST" ||
		len(failure.Fields) != 2 || failure.Fields[0].Path != "action.name" || failure.RetryAfter != nil {
		t.Fatalf("%#v", err)
	}
	asked = question("read", "customers", 1)
	asked.Subject = "user:somebody"
	if _, err = client.Authorize(t.Context(), asked); !errors.As(err, &failure) || failure.Reason != "SUBJECT_NOT_ALLOWED" {
		t.Fatal(err)
	}
	stranger, err := placet.New(placet.Options{Token: placet.Token("nothing")})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err = stranger.Authorize(t.Context(), question("read", "t", 1)); !errors.As(err, &failure) || failure.Code != codes.Unauthenticated {
		t.Fatal(err)
	}
	away, err := placet.New(placet.Options{Address: "127.0.0.1:1", Token: placet.Token("x"), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	decision, err := away.Authorize(t.Context(), question("read", "t", 1))
	if !errors.As(err, &failure) || failure.Code != codes.Unavailable || decision.Allowed() {
		t.Fatal(err)
	}
}

func TestWhatArrivedOtherwiseIsNotDecided(t *testing.T) {
	client := clientOf(t, "report-bot")
	_, err := pdpv1.NewDecisionServiceClient(client.Conn()).Authorize(t.Context(), &pdpv1.AuthorizeRequest{
		Subject: &pdpv1.Subject{Type: "agent", Id: "report-bot"}, Action: &pdpv1.Action{Name: "read"},
		Resource: &pdpv1.Resource{Type: "table", Id: "t"}, ExpectedDigest: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	})
	var failure *placet.Error
	if !errors.As(placet.FromError(err), &failure) || failure.Reason != "REQUEST_DIFFERS" {
		t.Fatal(err)
	}
}

func TestAGuardedRunWaitsForPeopleAndHappensOnce(t *testing.T) {
	client, table, call := clientOf(t, "report-bot"), fresh(t), fresh(t)
	ran := 0
	guarded := placet.Guard(placet.GuardOptions[export]{
		Client: client, Wait: time.Minute,
		Ask: func(one export) placet.Question {
			return placet.Question{
				OnBehalfOf: []string{"user:alice"}, Action: "export", Resource: "table:" + one.Table,
				Properties: map[string]any{"tags": []string{"pii"}}, RequestID: call,
			}
		},
	}, func(_ context.Context, one export) (string, error) {
		ran++
		return one.Table, nil
	})
	approved := make(chan error, 1)
	go func() { approved <- approve(client, table) }()
	result, err := guarded(t.Context(), export{Table: table, Rows: 7})
	if said := <-approved; said != nil || err != nil || result != table || ran != 1 {
		t.Fatal(result, ran, err, said)
	}
	if _, err = guarded(t.Context(), export{Table: table, Rows: 7}); !isDeniedBy(err, "pdp.approval_consumed") || ran != 1 {
		t.Fatal("a second run: ", err)
	}
	_, err = guarded(t.Context(), export{Table: table, Rows: 8})
	var failure *placet.Error
	if !errors.As(err, &failure) || failure.Reason != "REQUEST_ID_REUSED" || ran != 1 {
		t.Fatal("another argument: ", err)
	}
	list, err := pdpv1.NewApprovalServiceClient(client.Conn()).ListApprovals(t.Context(), &pdpv1.ListApprovalsRequest{PageSize: 1})
	if err != nil || list.Approvals[0].Outcome.GetState() != pdpv1.OutcomeState_OUTCOME_STATE_SUCCEEDED {
		t.Fatal(list, err)
	}
}

// approve is what two reviewers do by the command line, as soon as the approval for a table is there.
func approve(client *placet.Client, table string) error {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		list, err := pdpv1.NewApprovalServiceClient(client.Conn()).ListApprovals(context.Background(), &pdpv1.ListApprovalsRequest{})
		if err != nil {
			return err
		}
		for _, one := range list.Approvals {
			if one.Request.GetResource().GetId() != table {
				continue
			}
			for _, reviewer := range []string{"bob", "carol"} {
				command := exec.Command("pdp", "approvals", "approve", one.ApprovalId, "--as", reviewer, "--reason", "read it")
				if said, err := command.CombinedOutput(); err != nil {
					return errors.New(string(said))
				}
			}
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("no approval was opened")
}

func isDeniedBy(err error, rule string) bool {
	var denied *placet.Denied
	return errors.As(err, &denied) && strings.Contains(denied.Error(), "["+rule+"]")
}

func TestPendingComesAtOnceWithoutTimeToWait(t *testing.T) {
	client, table := clientOf(t, "report-bot"), fresh(t)
	guarded := placet.Guard(placet.GuardOptions[map[string]any]{
		Client: client,
		Ask: func(map[string]any) placet.Question {
			return placet.Question{
				OnBehalfOf: []string{"user:alice"}, Action: "export", Resource: "table:" + table,
				Properties: map[string]any{"tags": []string{"pii"}}, RequestID: "call-1" + table,
			}
		},
	}, func(context.Context, map[string]any) (any, error) { panic("must not run") })
	_, err := guarded(t.Context(), map[string]any{"rows": 1})
	var pending *placet.ApprovalPending
	if !errors.As(err, &pending) || pending.RequestID != "call-1"+table || pending.ApprovalID == "" {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err = client.Wait(short, pending.ApprovalID); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestTheTokenThatEndedIsFollowedByTheNextOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("over")
	client, err := placet.New(placet.Options{Token: placet.TokenFile(file)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	good := tokenOf(t, "report-bot")
	time.AfterFunc(500*time.Millisecond, func() { write(good) })
	var failure *placet.Error
	if _, err = client.Wait(t.Context(), "apr_0000000000000000000000000000000a"); !errors.As(err, &failure) || failure.Reason != "APPROVAL_NOT_FOUND" {
		t.Fatal(err)
	}
}

func TestMask(t *testing.T) {
	client := clientOf(t, "alice")
	type customer struct {
		Given string `json:"given_name"`
		ID    int64  `json:"rec_id"`
	}
	scope := placet.MaskScope{Subject: "user:alice", Table: "crm.customers"}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // the first masking of a server compiles
	defer cancel()
	masked, err := placet.Mask(ctx, client, scope, []customer{{"ann", 1}, {"bea", 2}, {"ann", 1 << 60}})
	if err != nil || !masked.Decision.Allowed() || len(masked.Rows) != 3 {
		t.Fatal(masked, err)
	}
	var first, third struct {
		Given string `json:"given_name"`
	}
	if err := errors.Join(json.Unmarshal(masked.Rows[0], &first), json.Unmarshal(masked.Rows[2], &third)); err != nil {
		t.Fatal(err)
	}
	if first.Given == "ann" || first.Given != third.Given {
		t.Fatal(first, third)
	}
	scope.Table = "unknown"
	if refused, err := placet.Mask(t.Context(), client, scope, []customer{{"ann", 1}}); err == nil && refused.Decision.Allowed() {
		t.Fatal(refused)
	}
	if _, err := placet.Mask(t.Context(), client, scope, []any{map[string]any{"a": []byte("x")}}); err == nil {
		t.Fatal("bytes were taken")
	}
}

// story is a guard of an export that one person has to approve, which happens while it waits.
func story[R any](t *testing.T, f func(context.Context, map[string]any) (R, error)) (R, *pdpv1.Approval, error) {
	t.Helper()
	client, table := clientOf(t, "report-bot"), fresh(t)
	given := map[string]any{"rows": 7, "nested": []any{map[string]any{"largest": int64(9007199254740991)}}}
	guarded := placet.Guard(placet.GuardOptions[map[string]any]{
		Client: client, Wait: time.Minute,
		Ask: func(map[string]any) placet.Question {
			return placet.Question{
				OnBehalfOf: []string{"user:alice"}, Action: "export", Resource: "table:" + table,
				Properties: map[string]any{"tags": []string{"pii"}},
			}
		},
	}, f)
	approved := make(chan error, 1)
	go func() {
		defer func() { given["rows"] = 8 }() // meanwhile, which is not what runs
		approved <- approve(client, table)
	}()
	result, err := guarded(t.Context(), given)
	if said := <-approved; said != nil {
		t.Fatal(said)
	}
	list, failed := pdpv1.NewApprovalServiceClient(client.Conn()).ListApprovals(t.Context(), &pdpv1.ListApprovalsRequest{PageSize: 1})
	if failed != nil {
		t.Fatal(failed)
	}
	return result, list.Approvals[0], err
}

func TestTheFunctionGetsWhatWasApprovedAndItsFailureIsReported(t *testing.T) {
	broken := errors.New("the disk is full")
	_, approval, err := story(t, func(_ context.Context, one map[string]any) (string, error) {
		largest := one["nested"].([]any)[0].(map[string]any)["largest"]
		if one["rows"] != 7.0 || largest != 9007199254740991.0 {
			t.Error(one)
		}
		return "", broken
	})
	outcome := approval.Outcome
	if err != broken || outcome.GetState() != pdpv1.OutcomeState_OUTCOME_STATE_FAILED || outcome.Detail != "*errors.errorString" {
		t.Fatal(outcome, err)
	}
}

func TestAResultThatRunsLaterIsAFailure(t *testing.T) {
	result, approval, err := story(t, func(context.Context, map[string]any) (any, error) { return strings.NewReader("later"), nil })
	if err == nil || result != nil || approval.Outcome.GetState() != pdpv1.OutcomeState_OUTCOME_STATE_FAILED {
		t.Fatal(result, approval.Outcome, err)
	}
}

func TestAQuestionThatChangesMeanwhileRunsNothing(t *testing.T) {
	client, times := clientOf(t, "report-bot"), 0
	guarded := placet.Guard(placet.GuardOptions[map[string]any]{
		Client: client,
		Ask: func(map[string]any) placet.Question {
			times++
			return placet.Question{
				OnBehalfOf: []string{"user:alice"}, Action: "export", Resource: "table:orders",
				Properties: map[string]any{"tags": []string{"public"}}, Context: map[string]any{"times": times},
			}
		},
	}, func(context.Context, map[string]any) (any, error) { panic("must not run") })
	_, err := guarded(t.Context(), map[string]any{"rows": 1})
	var failure *placet.Error
	if !errors.As(err, &failure) || failure.Reason != "ARGUMENTS_CHANGED" {
		t.Fatal(err)
	}
}
