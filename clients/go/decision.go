package placet

import (
	"fmt"
	"slices"
	"strings"

	pdpv1 "placet/clients/go/pdp/v1"
)

// A Decision is an answer. The nil decision allows nothing.
type Decision struct {
	Response   *pdpv1.AuthorizeResponse
	understood []string
}

// Allowed is a real allow with obligations that this program declared to know. Meet them before acting.
func (d *Decision) Allowed() bool {
	return d != nil && d.Response.GetEffect() == pdpv1.Effect_EFFECT_ALLOW && !d.Response.GetDryRun() &&
		len(d.UnknownObligations()) == 0
}

// NeedsApproval says that people have to review first: Approval names what they review.
func (d *Decision) NeedsApproval() bool {
	return d != nil && d.Response.GetEffect() == pdpv1.Effect_EFFECT_NEEDS_APPROVAL
}

// Approval is the one that the answer is about, or nil.
func (d *Decision) Approval() *pdpv1.Approval {
	if d == nil {
		return nil
	}
	return d.Response.GetApproval()
}

// UnknownObligations are those that turn an allow into a deny here.
func (d *Decision) UnknownObligations() []string {
	var unknown []string
	for _, duty := range d.Response.GetObligations() {
		if !slices.Contains(d.understood, duty.Type) {
			unknown = append(unknown, duty.Type)
		}
	}
	return unknown
}

// Why is one line for a log or a person; it names the decision.
func (d *Decision) Why() string {
	if d == nil {
		return "no decision"
	}
	var reasons []string
	for _, reason := range d.Response.GetReasons() {
		reasons = append(reasons, fmt.Sprintf("%s [%s]", reason.Reason, reason.Rule))
	}
	why := strings.TrimPrefix(d.Response.GetEffect().String(), "EFFECT_") + ": " + strings.Join(reasons, "; ")
	if unknown := d.UnknownObligations(); len(unknown) > 0 {
		why += fmt.Sprintf("; unknown obligations %v", unknown)
	}
	if d.Response.GetDryRun() {
		why += "; only a dry run"
	}
	return why + " (" + d.Response.GetDecisionId() + ")"
}

// Require is nil for a decision that allows, and else *Denied.
func (d *Decision) Require() error {
	if d.Allowed() {
		return nil
	}
	return &Denied{d}
}
