package placet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	pdpv1 "placet/clients/go/pdp/v1"
)

// spent are the grants that this program has accepted, through any client.
var spent SpentGrants

// ask is the question about what would run now, for this identity of the caller; it is made anew each time.
type ask func(caller string) (Question, error)

// permit is one allow whose proof was checked: for exactly one run, which begins now. Once people have reviewed it where
// they must, for which they have some time.
func (c *Client) permit(ctx context.Context, ask ask, wait time.Duration) (Claims, error) {
	var none Claims
	info, err := c.Info(ctx)
	if err != nil {
		return none, err
	}
	caller := info.Caller.GetIdentity()
	question, err := ask(caller)
	if err != nil {
		return none, err
	}
	form, err := question.form()
	if err != nil {
		return none, err
	}
	question.RequestID = cmp.Or(question.RequestID, randomID())
	question.WantGrant = true
	canonical := form.canonical()
	unchanged := func() error { return requireSame(ask, caller, canonical) }
	decision, err := c.decided(ctx, question, form, wait, unchanged)
	if err != nil {
		return none, err
	}
	if err := decision.Require(); err != nil {
		return none, err
	}
	claims, err := c.checked(ctx, form, decision.Response)
	if err != nil {
		return none, err
	}
	if err := unchanged(); err != nil {
		return none, err
	}
	return claims, spent.Spend(claims, time.Now())
}

// decided is the answer after the people's reviews. A request that changed meanwhile does not use the approval.
func (c *Client) decided(
	ctx context.Context, question Question, form form, wait time.Duration, unchanged func() error,
) (*Decision, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	attemptID := randomID() // a permit is for one run; another one may go on beside it or after a crash
	for {
		decision, err := c.decide(ctx, question, form, attemptID)
		if err != nil || !decision.NeedsApproval() {
			return decision, err
		}
		id := decision.Approval().GetApprovalId()
		pending := &ApprovalPending{ApprovalID: id, RequestID: question.RequestID}
		if waiting.Err() != nil {
			return nil, pending
		}
		if _, err := c.Wait(waiting, id); ctx.Err() != nil {
			return nil, errors.Join(pending, ctx.Err())
		} else if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		if err := unchanged(); err != nil {
			return nil, err
		}
		question.ApprovalID = id
	}
}

func requireSame(ask ask, caller string, canonical []byte) error {
	question, err := ask(caller)
	if err != nil {
		return err
	}
	form, err := question.form()
	if err != nil || bytes.Equal(form.canonical(), canonical) {
		return err
	}
	return &Error{
		Code: codes.PermissionDenied, Reason: "ARGUMENTS_CHANGED",
		Message: "what is about to run is not what was asked about: it changed meanwhile",
	}
}

// checked are the claims of an answer's grant, which holds for this form. What it does not hold by is asked for once
// more: the server's keys may be others by now.
func (c *Client) checked(ctx context.Context, form form, answer *pdpv1.AuthorizeResponse) (Claims, error) {
	info, err := c.Info(ctx)
	if err != nil {
		return Claims{}, err
	}
	claims, refusal := verified(form, answer, info)
	if refusal == nil {
		return claims, nil
	}
	c.info.Store(nil)
	fresh, err := c.Info(ctx)
	if err != nil || proto.Equal(fresh, info) {
		return claims, refusal
	}
	return verified(form, answer, fresh)
}

func verified(form form, answer *pdpv1.AuthorizeResponse, info *pdpv1.GetServerInfoResponse) (Claims, error) {
	decided, err := form.decidedFor(answer.OnBehalfOf)
	if err != nil {
		return Claims{}, err
	}
	wanted := GrantFor{info.Caller.GetIdentity(), info.Realm, digest(decided.canonical(), info.Realm)}
	if answer.RequestDigest != wanted.Digest {
		return Claims{}, invalid("digest", "the server decided about another request than the one that is about to run")
	}
	if answer.Grant == "" {
		return Claims{}, invalid("form", "the allow came without a grant")
	}
	claims, err := VerifyGrant(answer.Grant, info.Jwks, wanted, time.Now())
	if err != nil {
		return claims, err
	}
	approval := answer.Approval.GetApprovalId()
	if claims.DecisionID != answer.DecisionId || claims.Approval != "" && claims.Approval != approval {
		return claims, invalid("jti", "it is for another decision")
	}
	return claims, nil
}

// decidedFor is the form with those behind it whom the caller's credential adds to the chain.
func (f form) decidedFor(chain []*pdpv1.Subject) (form, error) {
	asked := f["on_behalf_of"].([]any)
	made := form{"on_behalf_of": append([]any{}, asked...)}
	for name, part := range f {
		if name != "on_behalf_of" {
			made[name] = part
		}
	}
	var answered []any
	for _, one := range chain {
		answered = append(answered, map[string]any{
			"type": one.Type, "id": one.Id, "properties": attributes(one.Properties),
		})
	}
	if len(answered) < len(asked) || !bytes.Equal(appendCanonical(nil, answered[:len(asked)]), appendCanonical(nil, asked)) {
		return nil, invalid("digest", "the server decided for others than this request is on behalf of")
	}
	made["on_behalf_of"] = append(asked[:len(asked):len(asked)], answered[len(asked):]...)
	return made, nil
}

func attributes(held *structpb.Struct) map[string]any {
	if held == nil {
		return map[string]any{}
	}
	return held.AsMap()
}

// report says what became of the use of an approval. One that fails is logged: it must not hide the result. It goes out
// also where the context has ended.
func (c *Client) report(ctx context.Context, claims Claims, state pdpv1.OutcomeState, detail string) {
	if claims.Approval == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	defer cancel()
	request := &pdpv1.ReportOutcomeRequest{ApprovalId: claims.Approval, State: state, Detail: detail}
	if _, err := pdpv1.NewApprovalServiceClient(c.conn).ReportOutcome(ctx, request); err != nil {
		slog.WarnContext(ctx, "placet: an outcome was not reported", "approval", claims.Approval, "error", failed(err))
	}
}
