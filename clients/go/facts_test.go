package placet

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pdpv1 "placet/clients/go/pdp/v1"
)

// updated is a server of a realm, which becomes another one by an update.
type updated struct {
	pdpv1.UnimplementedInfoServiceServer
	pdpv1.UnimplementedDecisionServiceServer
	pdpv1.UnimplementedMaskServiceServer
	realm    string
	features []string
}

// serving starts a server at an address.
func serving(t *testing.T, address string, server *updated) *grpc.Server {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	made := grpc.NewServer()
	pdpv1.RegisterInfoServiceServer(made, server)
	pdpv1.RegisterDecisionServiceServer(made, server)
	pdpv1.RegisterMaskServiceServer(made, server)
	go func() { _ = made.Serve(listener) }()
	t.Cleanup(made.Stop)
	return made
}

// freeAddress is one that a server can have, and the next one after it.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (u *updated) GetServerInfo(context.Context, *pdpv1.GetServerInfoRequest) (*pdpv1.GetServerInfoResponse, error) {
	return &pdpv1.GetServerInfoResponse{Realm: u.realm, Features: u.features}, nil
}

func (u *updated) Authorize(_ context.Context, asked *pdpv1.AuthorizeRequest) (*pdpv1.AuthorizeResponse, error) {
	answer := &pdpv1.AuthorizeResponse{Effect: pdpv1.Effect_EFFECT_ALLOW, RequestDigest: asked.ExpectedDigest}
	return answer, u.compared("read", asked.ExpectedDigest)
}

func (u *updated) Mask(_ context.Context, asked *pdpv1.MaskRequest) (*pdpv1.MaskResponse, error) {
	answer := &pdpv1.MaskResponse{Decision: &pdpv1.AuthorizeResponse{Effect: pdpv1.Effect_EFFECT_ALLOW}}
	return answer, u.compared("mask", asked.Scope.ExpectedDigest)
}

func (u *updated) MaskStream(stream grpc.BidiStreamingServer[pdpv1.MaskStreamRequest, pdpv1.MaskStreamResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	return u.compared("mask", first.GetStart().Scope.ExpectedDigest)
}

// compared refuses as a server does.
func (u *updated) compared(action, digest string) error {
	wanted, err := Question{Subject: "user:alice", Action: action, Resource: "table:t"}.Digest(u.realm)
	reason := "REQUEST_DIFFERS"
	if digest == "" {
		reason = "DIGEST_REQUIRED"
	}
	if err != nil || digest == wanted || digest == "" && u.features == nil {
		return err
	}
	said, err := status.New(codes.InvalidArgument, "no").WithDetails(&errdetails.ErrorInfo{Reason: reason})
	if err != nil {
		return err
	}
	return said.Err()
}

// calls are of each kind that says a digest.
func calls(client *Client) map[string]func(context.Context) error {
	scope := MaskScope{Subject: "user:alice", Table: "t"}
	return map[string]func(context.Context) error{
		"authorize": func(ctx context.Context) error {
			_, err := client.Authorize(ctx, Question{Subject: "user:alice", Action: "read", Resource: "table:t"})
			return err
		},
		"mask": func(ctx context.Context) error {
			_, err := Mask(ctx, client, scope, []any{})
			return err
		},
		"stream": func(ctx context.Context) error {
			message, err := scope.Message(ctx, client, "mask")
			if err != nil {
				return err
			}
			stream, err := pdpv1.NewMaskServiceClient(client.Conn()).MaskStream(ctx)
			if err != nil {
				return err
			}
			start := &pdpv1.MaskStreamRequest_Start{Start: &pdpv1.StreamStart{Scope: message}}
			if err := stream.Send(&pdpv1.MaskStreamRequest{Message: start}); err != nil {
				return err
			}
			if _, err = stream.Recv(); status.Code(err) == codes.Unknown { // the end of a stream
				return nil
			}
			return FromError(err)
		},
	}
}

func TestAnUpdateBehindAConnectionThatStaysIsNoticedByAnErrorOfAnyCall(t *testing.T) {
	address := freeAddress(t)
	server := &updated{realm: "old"}
	serving(t, address, server)
	client, err := New(Options{Address: address, Token: Token("x")})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for name, call := range calls(client) {
		*server = updated{realm: "old"}
		client.info.Store(nil)
		for _, next := range []struct {
			server updated
			reason string
		}{{updated{realm: "old", features: everything}, "DIGEST_REQUIRED"}, {updated{realm: name, features: everything}, "REQUEST_DIFFERS"}} {
			if err := call(t.Context()); err != nil {
				t.Fatal(name, err)
			}
			server.realm, server.features = next.server.realm, next.server.features
			var failure *Error
			err := call(t.Context())
			if name == "authorize" && err == nil { // it asks anew by itself
				continue
			}
			if !errors.As(err, &failure) || failure.Reason != next.reason {
				t.Fatal(name, err)
			}
		}
		if err := call(t.Context()); err != nil {
			t.Fatal(name, err)
		}
	}
}

func TestARestartIsNoticedBeforeTheNextCall(t *testing.T) {
	address := freeAddress(t)
	client, err := New(Options{Address: address, Token: Token("x")})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, realm := range []string{"first", "second", "third"} {
		running := serving(t, address, &updated{realm: realm, features: everything})
		if err := calls(client)["authorize"](t.Context()); err != nil {
			t.Fatal(realm, err)
		}
		running.Stop()
	}
}

func TestWhereNothingAnswersTheErrorSaysWhatToDo(t *testing.T) {
	client, err := New(Options{Address: freeAddress(t), Token: Token("x")})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for name, call := range calls(client) {
		if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "PDP_ADDRESS") {
			t.Error(name, err)
		}
	}
}
