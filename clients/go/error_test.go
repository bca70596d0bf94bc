package placet

import (
	"testing"

	"google.golang.org/grpc/codes"
)

func TestReasonsWithoutDetailsAreTheCodesNamesInGRPC(t *testing.T) {
	for of, name := range map[codes.Code]string{
		codes.OK: "OK", codes.Canceled: "CANCELLED", codes.InvalidArgument: "INVALID_ARGUMENT", codes.Unavailable: "UNAVAILABLE",
	} {
		if codeName(of) != name {
			t.Error(codeName(of), name)
		}
	}
}
