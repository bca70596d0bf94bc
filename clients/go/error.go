package placet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An Error came instead of an answer: from the server, from the way to it, or from this client, which refuses to send
// or to trust something.
type Error struct {
	// Code is the gRPC status code.
	Code codes.Code
	// Reason is stable, for example "REQUEST_DIFFERS"; without details of the server it is the code's name.
	Reason string
	// Message is one line for people.
	Message string
	// Fields are the fields at fault.
	Fields []Field
	// Metadata has what programs may need to know of this reason.
	Metadata map[string]string
	// RetryAfter is when a retry can help; nil where none is advised.
	RetryAfter *time.Duration
}

// A Field is one that is not accepted: its path, for example "context.rows", and why.
type Field struct{ Path, Description string }

func (e *Error) Error() string { return e.Reason + ": " + e.Message }

// Is says that a call which ran out of time, or was cancelled, is the context's error, too.
func (e *Error) Is(target error) bool {
	return e.Code == codes.Canceled && target == context.Canceled ||
		e.Code == codes.DeadlineExceeded && target == context.DeadlineExceeded
}

// FromError is the *Error for what a stub over a client's connection gave, and nil for nil.
func FromError(err error) error {
	if err == nil {
		return nil
	}
	return failed(err)
}

// failed reads an error of gRPC, or one that was read before.
func failed(err error) *Error {
	if known, is := err.(*Error); is {
		return known
	}
	said := status.Convert(err)
	made := &Error{Code: said.Code(), Reason: codeName(said.Code()), Message: oneLine(said.Message())}
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			made.Reason, made.Metadata = detail.Reason, detail.Metadata
		case *errdetails.BadRequest:
			for _, field := range detail.FieldViolations {
				made.Fields = append(made.Fields, Field{field.Field, field.Description})
			}
		case *errdetails.RetryInfo:
			after := detail.RetryDelay.AsDuration()
			made.RetryAfter = &after
		}
	}
	return made
}

// refused is an argument that cannot be sent.
func refused(path, why string) *Error {
	return &Error{
		Code: codes.InvalidArgument, Reason: "INVALID_REQUEST", Message: path + ": " + why, Fields: []Field{{path, why}},
	}
}

// Incomplete is masked data that is not whole: nothing of it may be used.
func Incomplete(why string) *Error {
	return &Error{Code: codes.DataLoss, Reason: "STREAM_INCOMPLETE", Message: why + "; nothing of it may be used"}
}

// codeName is the code's name in gRPC, such as INVALID_ARGUMENT.
func codeName(of codes.Code) string { return code.Code(of).String() }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Denied says that a decision does not allow.
type Denied struct{ Decision *Decision }

func (d *Denied) Error() string { return d.Decision.Why() }

// ApprovalPending says that people have to review first. After that, ask again with the same request id, or with this
// approval.
type ApprovalPending struct{ ApprovalID, RequestID string }

func (p *ApprovalPending) Error() string {
	return fmt.Sprintf("people have to review %s first", p.ApprovalID)
}
