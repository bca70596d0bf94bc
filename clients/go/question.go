package placet

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	pdpv1 "placet/clients/go/pdp/v1"
)

// A Question asks: may Subject do Action to Resource?
type Question struct {
	// Subject acts, written <type>:<id>.
	Subject string
	// OnBehalfOf are those that it acts for, outermost last, each <type>:<id>.
	OnBehalfOf []string
	// Action is the operation's name.
	Action string
	// Resource is what it is done to, <type>:<id>.
	Resource string
	// Properties are the resource's: a struct or a map.
	Properties any
	// Context is all else that the decision may depend on: a struct or a map.
	Context any
	// RequestID names the intended execution, for example by a tool-call id: a later call goes on with its approval.
	RequestID string
	// ApprovalID is the approval to use.
	ApprovalID string
	// Justification is for the reviewers.
	Justification string
	// DryRun decides without opening or using an approval. Its answer never allows.
	DryRun bool
	// Explain adds every rule that fired.
	Explain bool
	// WantGrant asks for a grant also with an allow that needs no approval.
	WantGrant bool
}

// Digest is the request digest of this question in a realm, as GetServerInfo names it.
func (q Question) Digest(realm string) (string, error) {
	form, err := q.form()
	if err != nil {
		return "", err
	}
	return digest(form.canonical(), realm), nil
}

// form is a request's five members, in the canonical form's own names, with what is empty written out.
type form map[string]any

func (q Question) form() (form, error) {
	made, err := scopeForm(q.Subject, q.OnBehalfOf, q.Action, q.Resource, q.Context)
	if err != nil {
		return nil, err
	}
	made.part("resource")["properties"], err = members(q.Properties, "properties")
	return made, err
}

func scopeForm(subject string, onBehalfOf []string, action, resource string, context any) (form, error) {
	chain := make([]any, len(onBehalfOf))
	made := form{"on_behalf_of": chain, "action": map[string]any{"name": action, "properties": map[string]any{}}}
	var err error
	for at, principal := range onBehalfOf {
		if chain[at], err = typed(principal, "on_behalf_of"); err != nil {
			return nil, err
		}
	}
	if made["subject"], err = typed(subject, "subject"); err != nil {
		return nil, err
	}
	if made["resource"], err = typed(resource, "resource"); err != nil {
		return nil, err
	}
	made["context"], err = members(context, "context")
	return made, err
}

func typed(text, path string) (map[string]any, error) {
	kind, id, found := strings.Cut(text, ":")
	if !found {
		return nil, refused(path, "is not <type>:<id>")
	}
	return map[string]any{"type": kind, "id": id, "properties": map[string]any{}}, nil
}

func (f form) canonical() []byte { return appendCanonical(nil, map[string]any(f)) }

func (f form) part(name string) map[string]any { return f[name].(map[string]any) }

// message is the question as it is sent to a server with these features.
func (q Question) message(form form, info *pdpv1.GetServerInfoResponse) *pdpv1.AuthorizeRequest {
	resource := form.part("resource")
	made := &pdpv1.AuthorizeRequest{
		Subject: subject(form["subject"]), OnBehalfOf: form.chain(), Action: &pdpv1.Action{Name: q.Action},
		Resource:  &pdpv1.Resource{Type: resource["type"].(string), Id: resource["id"].(string)},
		RequestId: q.RequestID, ApprovalId: q.ApprovalID, Justification: q.Justification,
		DryRun: q.DryRun, Explain: q.Explain, WantGrant: q.WantGrant, ExpectedDigest: form.expected(info),
	}
	made.Resource.Properties, made.Resource.PropertiesJson = carried(resource["properties"], info, "properties_json")
	made.Context, made.ContextJson = carried(form["context"], info, "context_json")
	return made
}

// expected is the digest of what is sent, for a server that compares it.
func (f form) expected(info *pdpv1.GetServerInfoResponse) string {
	if !slices.Contains(info.Features, "expected_digest") {
		return ""
	}
	return digest(f.canonical(), info.Realm)
}

// carried is free attributes as text, or as a Struct for a server that does not read text. Empty ones are absent.
func carried(held any, info *pdpv1.GetServerInfoResponse, feature string) (*structpb.Struct, string) {
	attributes := held.(map[string]any)
	if len(attributes) == 0 {
		return nil, ""
	}
	if slices.Contains(info.Features, feature) {
		return nil, string(appendCanonical(nil, attributes))
	}
	made, err := structpb.NewStruct(attributes)
	if err != nil {
		panic("placet: native gives what a Struct takes: " + err.Error())
	}
	return made, ""
}

func subject(held any) *pdpv1.Subject {
	members := held.(map[string]any)
	return &pdpv1.Subject{Type: members["type"].(string), Id: members["id"].(string)}
}

func (f form) chain() []*pdpv1.Subject {
	var made []*pdpv1.Subject
	for _, principal := range f["on_behalf_of"].([]any) {
		made = append(made, subject(principal))
	}
	return made
}
