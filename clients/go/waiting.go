package placet

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	pdpv1 "placet/clients/go/pdp/v1"
)

const (
	// waitCall is what one wait may take: the 60 s of the server, and the way.
	waitCall = 65 * time.Second
	// refusedWithin is how soon a call ends that was refused for its token; one that lasted longer had a good one.
	refusedWithin = 5 * time.Second
	// renewalWithin is how long a token that has ended may be there before the next one, looked at each renewalPause.
	renewalWithin, renewalPause = 10 * time.Second, 200 * time.Millisecond
)

// Wait returns the approval as soon as it is PENDING no longer, over as many calls as that takes. Act only on one that is
// APPROVED. It ends with an *Error when the context does. While the server is away it is asked again, and a token that
// ends meanwhile is followed by the next one.
func (c *Client) Wait(ctx context.Context, approvalID string) (*pdpv1.Approval, error) {
	pauses, refusals := backoffs{}, 0
	for {
		began := time.Now()
		used, _ := c.token(ctx)
		approval, failure := c.waitOnce(ctx, approvalID)
		switch {
		case failure == nil:
			if approval.State != pdpv1.ApprovalState_APPROVAL_STATE_PENDING {
				return approval, nil
			}
			pauses, refusals = backoffs{}, 0
		case ctx.Err() != nil:
			return nil, ended(ctx, failure)
		case failure.Code == codes.Unauthenticated:
			if time.Since(began) > refusedWithin {
				refusals = 0
			}
			refusals++
			if refusals > 1 || !c.renewed(ctx, used) {
				return nil, failure
			}
		case failure.Code != codes.Unavailable && failure.Code != codes.DeadlineExceeded:
			return nil, failure
		case !pauses.wait(ctx):
			return nil, ended(ctx, failure)
		}
	}
}

func (c *Client) waitOnce(ctx context.Context, approvalID string) (*pdpv1.Approval, *Error) {
	ctx, cancel := context.WithTimeout(ctx, waitCall)
	defer cancel()
	request := &pdpv1.WaitApprovalRequest{ApprovalId: approvalID}
	answer, err := pdpv1.NewApprovalServiceClient(c.conn).WaitApproval(ctx, request)
	if err != nil {
		return nil, advised(failed(err))
	}
	return answer.Approval, nil
}

// renewed is whether another token than the used one is there, now or in a moment.
func (c *Client) renewed(ctx context.Context, used string) bool {
	for end := time.Now().Add(renewalWithin); time.Now().Before(end) && ctx.Err() == nil; {
		if token, err := c.token(ctx); err == nil && token != used {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(renewalPause):
		}
	}
	return false
}

// ended is the error of a wait whose time is over, or nearly.
func ended(ctx context.Context, last *Error) *Error {
	over := codes.DeadlineExceeded
	if ctx.Err() == context.Canceled {
		over = codes.Canceled
	}
	return &Error{Code: over, Reason: codeName(over), Message: "the wait is over: " + last.Message}
}
