package placet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	pdpv1 "placet/clients/go/pdp/v1"
)

// A MaskScope says who masks which table.
type MaskScope struct {
	// Subject acts, written <type>:<id>; OnBehalfOf are those that it acts for, outermost last.
	Subject    string
	OnBehalfOf []string
	// Table is its name as the policy knows it.
	Table string
	// Context is all else that the decision may depend on: a struct or a map.
	Context any
	// RequestID, ApprovalID and Justification are those of a Question.
	RequestID, ApprovalID, Justification string
}

// Message is the scope as it is sent for an action: mask, unmask or rewrap. Each is an attempt of its own.
func (s MaskScope) Message(ctx context.Context, client *Client, action string) (*pdpv1.MaskScope, error) {
	info, err := client.Info(ctx)
	if err != nil {
		return nil, err
	}
	form, err := scopeForm(s.Subject, s.OnBehalfOf, action, "table:"+s.Table, s.Context)
	if err != nil {
		return nil, err
	}
	form.part("resource")["properties"] = map[string]any{}
	made := &pdpv1.MaskScope{
		Subject: subject(form["subject"]), OnBehalfOf: form.chain(), Table: s.Table,
		RequestId: cmp.Or(s.RequestID, randomID()), AttemptId: randomID(),
		ApprovalId: s.ApprovalID, Justification: s.Justification, ExpectedDigest: form.expected(info),
	}
	made.Context, made.ContextJson = carried(form["context"], info, "context_json")
	return made, nil
}

// Masked are masked rows, where the decision allows.
type Masked struct {
	Decision *Decision
	Plan     *pdpv1.MaskPlan
	// Rows are in the number and order of the request. A mask may change a value's type: decode them as what the plan says.
	Rows []json.RawMessage
	// RecordID is the record's in the audit log.
	RecordID string
}

// Format says what came, and never the rows themselves: they stay out of logs.
func (m Masked) Format(to fmt.State, _ rune) {
	fmt.Fprintf(to, "%d masked rows, record %q: %s", len(m.Rows), m.RecordID, m.Decision.Why())
}

// Mask masks a few rows: structs or maps, at most what one message holds; for more there is package arrowmask. Rows are there
// only with a decision that allows: look at Decision, or call its Require. It lasts as long as the server gives it, or
// the context, and is made once.
func Mask[Row any](ctx context.Context, client *Client, scope MaskScope, rows []Row) (*Masked, error) {
	message, err := scope.Message(ctx, client, "mask")
	if err != nil {
		return nil, err
	}
	records := make([]string, len(rows))
	for at, row := range rows {
		text, err := marshalled(row, fmt.Sprintf("rows[%d]", at))
		if err != nil {
			return nil, err
		}
		records[at] = string(text)
	}
	answer, err := pdpv1.NewMaskServiceClient(client.conn).Mask(ctx, &pdpv1.MaskRequest{
		Scope: message,
		Data:  &pdpv1.MaskData{Data: &pdpv1.MaskData_Records{Records: &pdpv1.JsonRecords{Records: records}}},
	})
	if err != nil {
		return nil, advised(failed(err))
	}
	return client.masked(answer, len(rows))
}

func (c *Client) masked(answer *pdpv1.MaskResponse, rows int) (*Masked, error) {
	made := &Masked{Decision: c.Decided(answer.Decision), Plan: answer.Plan, RecordID: answer.RecordId}
	if !made.Decision.Allowed() {
		return made, nil
	}
	for _, record := range answer.Data.GetRecords().GetRecords() {
		made.Rows = append(made.Rows, json.RawMessage(record))
	}
	if len(made.Rows) != rows {
		return nil, Incomplete(fmt.Sprintf("%d rows were sent, and %d came back", rows, len(made.Rows)))
	}
	return made, nil
}
