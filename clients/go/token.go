package placet

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A TokenSource returns the token of now. It is called for each call, so that a token which ends is followed by the next.
type TokenSource func(context.Context) (string, error)

// Token is a token that stays.
func Token(text string) TokenSource {
	return func(context.Context) (string, error) { return text, nil }
}

// TokenFile is the token in a file, which something may renew.
func TokenFile(path string) TokenSource {
	return func(context.Context) (string, error) {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("the token file cannot be read: %w", err)
		}
		token := strings.TrimSpace(string(content))
		if token == "" {
			return "", fmt.Errorf("the token file %s holds no token", path)
		}
		return token, nil
	}
}

// fromEnvironment is PDP_TOKEN, or else the file PDP_TOKEN_FILE, or else no token.
func fromEnvironment() TokenSource {
	if file := os.Getenv("PDP_TOKEN_FILE"); file != "" && os.Getenv("PDP_TOKEN") == "" {
		return TokenFile(file)
	}
	return Token(os.Getenv("PDP_TOKEN"))
}

// GetRequestMetadata makes a TokenSource what gRPC calls per-RPC credentials.
func (s TokenSource) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := s(ctx)
	if err == nil && strings.ContainsFunc(token, func(letter rune) bool { return letter < ' ' || letter > '~' }) {
		err = fmt.Errorf("a token has only printable ASCII characters; was something else copied with it?")
	}
	if err != nil {
		said := status.New(codes.Unauthenticated, err.Error())
		if detailed, failed := said.WithDetails(&errdetails.ErrorInfo{Reason: "TOKEN_UNAVAILABLE"}); failed == nil {
			said = detailed
		}
		return nil, said.Err()
	}
	if token == "" {
		return nil, nil
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity is for New to see to: it takes plaintext on this machine alone.
func (TokenSource) RequireTransportSecurity() bool { return false }
