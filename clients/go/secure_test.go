//go:build story

package placet_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"placet/clients/go"
)

// The servers are those of tests/languages/secure.py.
func TestTLSIsWithTheServersOwnAuthorityAndCertificatesOfIt(t *testing.T) {
	file := func(name string) string { return filepath.Join(os.Getenv("PDP_TLS_FOLDER"), name) }
	token, none := placet.Token(os.Getenv("PDP_TLS_TOKEN")), placet.Token("")
	address, demanding := os.Getenv("PDP_TLS_ADDRESS"), os.Getenv("PDP_TLS_CLIENT_ADDRESS")
	own, others := file("authority.pem"), file("other.pem")
	for name, one := range map[string]struct {
		options  placet.Options
		identity string
	}{
		"a token":                       {placet.Options{Address: address, Token: token, CA: own}, "user:alice"},
		"another authority":             {placet.Options{Address: address, Token: token, CA: others}, ""},
		"plaintext":                     {placet.Options{Address: address, Token: token}, ""},
		"a certificate":                 {placet.Options{Address: demanding, Token: none, CA: own, Certificate: file("client.crt"), Key: file("client.key")}, "bot:report-bot"},
		"no certificate":                {placet.Options{Address: demanding, Token: token, CA: own}, ""},
		"another authority's to itself": {placet.Options{Address: demanding, Token: none, CA: own, Certificate: file("other-client.crt"), Key: file("other-client.key")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			one.options.Timeout = 3 * time.Second
			client, err := placet.New(one.options)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			info, err := client.Info(t.Context())
			var failure *placet.Error
			if one.identity == "" && (!errors.As(err, &failure) || failure.Code != codes.Unavailable) || info.GetCaller().GetIdentity() != one.identity {
				t.Fatal(info, err)
			}
		})
	}
}
