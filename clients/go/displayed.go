package placet

import (
	"crypto/sha256"
	"encoding/base64"

	pdpv1 "placet/clients/go/pdp/v1"

	"google.golang.org/grpc/codes"
)

// ExpectedLineage is ReviewRequest.expected_lineage of an approval as it was displayed; empty where it shows no data. It is
// computed from what was displayed; of columns that were too many to display, it is the server's. Its error is an *Error
// with the reason NOT_AS_DISPLAYED where the server's is another: leave such an approval alone.
func ExpectedLineage(displayed *pdpv1.Approval) (string, error) {
	shown := displayed.GetLineage()
	if shown == nil || shown.GetTruncated() {
		return shown.GetDigest(), nil
	}
	columns := map[string]any{}
	for _, column := range shown.GetColumns() {
		columns[column.GetName()] = texts(column.GetTags())
	}
	datasets := []any{}
	for _, one := range shown.GetDatasets() {
		datasets = append(datasets, map[string]any{"namespace": one.GetNamespace(), "name": one.GetName()})
	}
	form := map[string]any{"columns": columns, "datasets": datasets, "tags": texts(shown.GetTags())}
	hash := sha256.Sum256(appendCanonical(nil, form))
	made := base64.RawURLEncoding.EncodeToString(hash[:])
	if len(columns) < len(shown.GetColumns()) || made != shown.GetDigest() {
		return "", &Error{
			Code:    codes.FailedPrecondition,
			Reason:  "NOT_AS_DISPLAYED",
			Message: "what is displayed of the data is not what would be reviewed; leave it alone",
		}
	}
	return made, nil
}

func texts(held []string) []any {
	made := make([]any, len(held))
	for at, text := range held {
		made[at] = text
	}
	return made
}
