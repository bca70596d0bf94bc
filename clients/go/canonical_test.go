package placet

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// lines are the vectors of a file that the clients of all languages share.
func lines[T any](t *testing.T, name string, least int) []T {
	t.Helper()
	file, err := os.Open("../../tests/cases/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var found []T
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var line T
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		found = append(found, line)
	}
	if len(found) < least {
		t.Fatalf("%s has only %d lines", name, len(found))
	}
	return found
}

// entity is a subject, action or resource in the contract's JSON form.
type entity struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Properties map[string]any `json:"properties"`
}

type digestVector struct {
	Name, Realm, Canonical, Digest string
	Request                        struct {
		Subject    entity
		OnBehalfOf []entity
		Action     entity
		Resource   entity
		Context    map[string]any
	}
}

func TestDigests(t *testing.T) {
	for _, vector := range lines[digestVector](t, "digests.jsonl", 70) {
		t.Run(vector.Name, func(t *testing.T) {
			asked := vector.Request
			chain := []any{}
			for _, principal := range asked.OnBehalfOf {
				chain = append(chain, typedTree(t, principal))
			}
			made := form{
				"subject": typedTree(t, asked.Subject), "on_behalf_of": chain, "resource": typedTree(t, asked.Resource),
				"action":  map[string]any{"name": asked.Action.Name, "properties": tree(t, asked.Action.Properties)},
				"context": tree(t, asked.Context),
			}
			if got := string(made.canonical()); got != vector.Canonical {
				t.Fatalf("is\n%s, not\n%s", got, vector.Canonical)
			}
			if got := digest(made.canonical(), vector.Realm); got != vector.Digest {
				t.Fatalf("is %s, not %s", got, vector.Digest)
			}
		})
	}
}

func typedTree(t *testing.T, one entity) map[string]any {
	return map[string]any{"type": one.Type, "id": one.ID, "properties": tree(t, one.Properties)}
}

func tree(t *testing.T, attributes map[string]any) map[string]any {
	t.Helper()
	for name, value := range attributes {
		if text, is := value.(string); is {
			attributes[name] = Text(text)
		}
	}
	held, err := members(attributes, "context")
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func TestAQuestionHasTheDigestOfItsVector(t *testing.T) {
	vector := lines[digestVector](t, "digests.jsonl", 70)[0]
	question := Question{Subject: "agent:report-bot", Action: "export", Resource: "table:customers"}
	if got, err := question.Digest(vector.Realm); err != nil || got != vector.Digest {
		t.Fatal(got, err)
	}
	for _, wrong := range []Question{{Subject: "alice", Resource: "table:t"}, {Subject: "user:alice", Resource: "t"}} {
		if _, err := wrong.Digest("dev"); err == nil || !strings.Contains(err.Error(), "is not <type>:<id>") {
			t.Fatal(err)
		}
	}
}
