package placet

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

type grantVector struct {
	Name, Reason, Caller, Realm, Digest, Grant string
	Valid                                      bool
	Now                                        int64
	JWKS                                       json.RawMessage
	Spent                                      []string
}

func TestGrants(t *testing.T) {
	for _, vector := range lines[grantVector](t, "grants.jsonl", 70) {
		t.Run(vector.Name, func(t *testing.T) {
			at, spent := time.Unix(vector.Now, 0), SpentGrants{}
			for _, id := range vector.Spent {
				if err := spent.Spend(Claims{DecisionID: id, Expires: vector.Now + 30}, at); err != nil {
					t.Fatal(err)
				}
			}
			wanted := GrantFor{Caller: vector.Caller, Realm: vector.Realm, Digest: vector.Digest}
			claims, err := VerifyGrant(vector.Grant, string(vector.JWKS), wanted, at)
			if err == nil {
				err = spent.Spend(claims, at)
			}
			if vector.Valid != (err == nil) {
				t.Fatal(err)
			}
			var refusal *Error
			if errors.As(err, &refusal) && refusal.Metadata["check"] != vector.Reason {
				t.Fatalf("%v, which is not %s", refusal.Metadata, vector.Reason)
			}
		})
	}
}

func TestSpentGrantsAreForgottenWhenTheyAreOver(t *testing.T) {
	spent, claims := SpentGrants{}, Claims{DecisionID: "dec_1", Expires: 30}
	if err := errors.Join(spent.Spend(claims, time.Unix(0, 0)), spent.Spend(claims, time.Unix(30, 0))); err != nil {
		t.Fatal(err)
	}
}
