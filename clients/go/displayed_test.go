package placet

import (
	"encoding/json"
	"errors"
	"testing"

	pdpv1 "placet/clients/go/pdp/v1"

	"google.golang.org/protobuf/encoding/protojson"
)

type shownVector struct {
	Name, Expected string
	Lineage        json.RawMessage
	Refused        bool
}

func TestExpectedLineage(t *testing.T) {
	for _, vector := range lines[shownVector](t, "shown_lineages.jsonl", 28) {
		t.Run(vector.Name, func(t *testing.T) {
			displayed := &pdpv1.Approval{Lineage: &pdpv1.ApprovalLineage{}}
			if err := protojson.Unmarshal(vector.Lineage, displayed.Lineage); err != nil {
				t.Fatal(err)
			}
			got, err := ExpectedLineage(displayed)
			var refused *Error
			if vector.Refused != (errors.As(err, &refused) && refused.Reason == "NOT_AS_DISPLAYED") {
				t.Fatalf("refused is %v", err)
			}
			if got != vector.Expected {
				t.Fatalf("is %s, not %s", got, vector.Expected)
			}
		})
	}
	if got, err := ExpectedLineage(&pdpv1.Approval{}); got != "" || err != nil {
		t.Fatalf("an approval without data has %q, %v", got, err)
	}
}
