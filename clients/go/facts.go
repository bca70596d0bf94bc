package placet

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	pdpv1 "placet/clients/go/pdp/v1"
)

// facts are what the server says of itself. They are nil, so that the next call asks, where another server may be there
// by now: when a new connection begins, and after an error of any call that an update can be the cause of.
type facts struct {
	atomic.Pointer[pdpv1.GetServerInfoResponse]
}

// HandleConn is of stats.Handler.
func (f *facts) HandleConn(_ context.Context, event stats.ConnStats) {
	if _, begins := event.(*stats.ConnBegin); begins {
		f.Store(nil)
	}
}

// HandleRPC is of stats.Handler. It hears of the end of a call before the one who called.
func (f *facts) HandleRPC(_ context.Context, event stats.RPCStats) {
	end, ended := event.(*stats.End)
	if !ended {
		return
	}
	switch status.Code(end.Error) {
	case codes.Unavailable, codes.InvalidArgument: // among these REQUEST_DIFFERS, DIGEST_REQUIRED, and an unknown field
		f.Store(nil)
	}
}

// TagConn is of stats.Handler.
func (*facts) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// TagRPC is of stats.Handler.
func (*facts) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
