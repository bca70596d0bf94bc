package placet

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pdpv1 "placet/clients/go/pdp/v1"
)

const (
	// defaultTimeout is what a decision may take with all its attempts, unless the program says otherwise.
	defaultTimeout = 5 * time.Second
	// attempts of one decision while the server is away; with their pauses they fit into the timeout.
	attempts = 4
	// keepaliveEvery is the time between two pings, also while no call waits; the server takes one each 10 s. With the
	// time that an answer may take, a dead connection is noticed within a minute.
	keepaliveEvery, keepaliveAnswer = 30 * time.Second, 20 * time.Second
)

// differing are the reasons for which a server decided nothing, because it compares another digest than it was sent.
var differing = []string{"REQUEST_DIFFERS", "DIGEST_REQUIRED"}

// Options of a client. What is left out comes from the environment: PDP_ADDRESS, PDP_TOKEN or PDP_TOKEN_FILE, PDP_CA,
// PDP_CERTIFICATE and PDP_KEY.
type Options struct {
	// Address is host:port or unix:/path. Without CA it must be on this machine.
	Address string
	// Token is the caller's token: Token("…"), TokenFile("…") or a function.
	Token TokenSource
	// CA is the PEM file of the server's authority, for TLS.
	CA string
	// Certificate and Key are PEM files of the client's own.
	Certificate, Key string
	// Understands lists the obligation types that this program meets. Any other one turns an allow into a deny.
	Understands []string
	// Timeout is for each call with all its attempts; 5 s if it is 0.
	Timeout time.Duration
	// Keepalive is the time between two pings; 30 s if it is 0.
	Keepalive time.Duration
}

// A Client is a connection to a Placet server. Goroutines may share it.
type Client struct {
	conn       *grpc.ClientConn
	token      TokenSource
	timeout    time.Duration
	understood []string
	info       facts
}

// New makes a client. It connects at its first call.
func New(options Options) (*Client, error) {
	if options.Token == nil {
		options.Token = fromEnvironment()
	}
	made := &Client{
		token: options.Token, timeout: cmp.Or(options.Timeout, defaultTimeout), understood: slices.Clone(options.Understands),
	}
	var err error
	made.conn, err = dialled(options, &made.info)
	if err != nil {
		return nil, err
	}
	return made, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Conn is for stubs of package pdpv1, such as pdpv1.NewApprovalServiceClient(client.Conn()). Calls over it carry the
// token. FromError reads their errors.
func (c *Client) Conn() *grpc.ClientConn { return c.conn }

// Info is what the server says of itself and of the caller, asked once a connection and where it may be another by now.
func (c *Client) Info(ctx context.Context) (*pdpv1.GetServerInfoResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return retried(ctx, func() (*pdpv1.GetServerInfoResponse, error) { return c.known(ctx) })
}

// known is Info without another attempt. Its error is one of gRPC.
func (c *Client) known(ctx context.Context) (*pdpv1.GetServerInfoResponse, error) {
	if known := c.info.Load(); known != nil {
		return known, nil
	}
	info, err := pdpv1.NewInfoServiceClient(c.conn).GetServerInfo(ctx, &pdpv1.GetServerInfoRequest{})
	if err == nil {
		c.info.Store(info)
	}
	return info, err
}

// Authorize asks. A deny is an answer, never an error; the decision is nil where there is an error, and allows nothing.
// Each call is an attempt of its own: an approval that an earlier one used is denied. While the server is away it is
// asked again within the timeout, as the same attempt.
func (c *Client) Authorize(ctx context.Context, question Question) (*Decision, error) {
	form, err := question.form()
	if err != nil {
		return nil, err
	}
	question.RequestID = cmp.Or(question.RequestID, randomID())
	return c.decide(ctx, question, form, randomID())
}

// decide asks until there is an answer to this attempt, as long as the timeout and its tries last. Each try is in the
// form that the server of then takes.
func (c *Client) decide(ctx context.Context, question Question, form form, attemptID string) (*Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := retried(ctx, func() (*pdpv1.AuthorizeResponse, error) {
		info, err := c.known(ctx)
		if err != nil {
			return nil, err
		}
		asked := question.message(form, info)
		asked.AttemptId = attemptID
		return pdpv1.NewDecisionServiceClient(c.conn).Authorize(ctx, asked)
	})
	if err != nil {
		return nil, err
	}
	answer.DryRun = answer.DryRun || question.DryRun
	return c.Decided(answer), nil
}

// Decided is an answer that a stub gave, as a decision of this client.
func (c *Client) Decided(answer *pdpv1.AuthorizeResponse) *Decision {
	return &Decision{Response: answer, understood: c.understood}
}

// retried is a call that is made again while the server is away, until the context ends, and once, at once, where the
// server turns out to be another one than the facts were of: nothing was decided then. Its error is an *Error.
func retried[T any](ctx context.Context, call func() (T, error)) (T, error) {
	pauses := backoffs{}
	for attempt := 1; ; attempt++ {
		answer, err := call()
		if err == nil {
			return answer, nil
		}
		failure := advised(failed(err))
		if attempt == 1 && slices.Contains(differing, failure.Reason) {
			continue
		}
		if failure.Code != codes.Unavailable || attempt == attempts || !pauses.wait(ctx) {
			return answer, failure
		}
	}
}

// advised says what to do about errors that a setting can be the cause of.
func advised(failure *Error) *Error {
	if failure.Reason == "UNAVAILABLE" && strings.Contains(failure.Message, "while dialing") {
		failure.Message += "; start `pdp dev`, or name the server with Options.Address or PDP_ADDRESS"
	}
	if failure.Code == codes.Unauthenticated && failure.Reason != "TOKEN_UNAVAILABLE" {
		failure.Message += "; the token comes from Options.Token, or from PDP_TOKEN or PDP_TOKEN_FILE"
	}
	return failure
}

// randomID has 128 bits, so that no two attempts have one.
func randomID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails: crypto/rand ends the program instead
	return hex.EncodeToString(id[:])
}
