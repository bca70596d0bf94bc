package placet

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
)

// dialled is a connection as the options and the environment say, which is watched. It is made at the first call.
func dialled(options Options, watched stats.Handler) (*grpc.ClientConn, error) {
	address := cmp.Or(options.Address, os.Getenv("PDP_ADDRESS"), "127.0.0.1:4770")
	secure, err := transport(address, options)
	if err != nil {
		return nil, err
	}
	ping := cmp.Or(options.Keepalive, keepaliveEvery)
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(secure),
		grpc.WithPerRPCCredentials(options.Token),
		grpc.WithDisableRetry(), // ours are under one attempt id
		grpc.WithNoProxy(),      // a proxy would see tokens, or refuse this machine's own addresses
		grpc.WithDisableServiceConfig(),
		grpc.WithStatsHandler(watched),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: ping, Timeout: min(keepaliveAnswer, ping), PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: firstPause, Multiplier: 2, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: defaultTimeout,
		}),
	)
}

// transport is TLS with the authorities in the PEM file CA, or plaintext to this machine.
func transport(address string, options Options) (credentials.TransportCredentials, error) {
	ca := cmp.Or(options.CA, os.Getenv("PDP_CA"))
	certificate, key := cmp.Or(options.Certificate, os.Getenv("PDP_CERTIFICATE")), cmp.Or(options.Key, os.Getenv("PDP_KEY"))
	if ca == "" {
		if certificate != "" || key != "" {
			return nil, fmt.Errorf("placet: a certificate goes with TLS: give CA too, the file of the server's authority")
		}
		if !isLocal(address) {
			return nil, fmt.Errorf("placet: %q is not host:port on this machine (127.0.0.1, [::1], localhost) or "+
				"unix:/path; a token must not travel in plaintext: give CA, the file of the server's authority, for TLS", address)
		}
		return insecure.NewCredentials(), nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("placet: CA cannot be read: %w", err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("placet: CA %s holds no certificate in PEM", ca)
	}
	if certificate != "" || key != "" {
		own, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("placet: Certificate and Key: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return credentials.NewTLS(config), nil
}

// isLocal is whether an address is unix:/path, or a host:port that is on this machine.
func isLocal(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	if host, port, found := strings.Cut(address, ":"); found && host == "localhost" && !strings.Contains(port, ":") {
		return true
	}
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().IsLoopback()
}
