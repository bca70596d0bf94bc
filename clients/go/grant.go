package placet

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	// grantLifetime and grantSkew are what the contract promises: a grant is valid for 30 s, and the clock of a program
	// that checks it may be 5 s behind the server's.
	grantLifetime, grantSkew = 30, 5
	// grantBytes bounds what is parsed.
	grantBytes = 8 * 1024
)

var grantForm = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// Claims are what a grant says. Approval is empty where none was used.
type Claims struct {
	Realm, Caller, DecisionID, Approval, Digest string
	IssuedAt, Expires                           int64
}

// GrantFor is what a grant has to be for: who asked, in which realm, for the request with which digest.
type GrantFor struct{ Caller, Realm, Digest string }

// VerifyGrant checks a grant offline, at a time, with the JWK Set that GetServerInfo publishes, as docs/wire.md lists it.
// Its error is an *Error with the reason GRANT_INVALID, whose metadata names the check. That each grant is accepted once
// is for SpentGrants.
func VerifyGrant(grant, jwks string, wanted GrantFor, now time.Time) (Claims, error) {
	var none Claims
	if len(grant) > grantBytes {
		return none, invalid("form", "it is longer than 8 KiB")
	}
	if !grantForm.MatchString(grant) {
		return none, invalid("form", "it is not a compact JWS")
	}
	key, err := grantKey(grant, jwks)
	if err != nil {
		return none, err
	}
	claims, err := signedClaims(grant, key)
	if err != nil {
		return none, err
	}
	for _, check := range []struct{ name, is, wanted, what string }{
		{"iss", claims.Realm, wanted.Realm, "another realm"},
		{"aud", claims.Caller, wanted.Caller, "another caller"},
		{"digest", claims.Digest, wanted.Digest, "another request than the one that is about to run"},
	} {
		if check.is != check.wanted {
			return none, invalid(check.name, "it is for "+check.what)
		}
	}
	if now.Unix() >= claims.Expires {
		return none, invalid("exp", "it is over: it is valid for 30 s; or this clock is ahead")
	}
	if now.Unix() < claims.IssuedAt-grantSkew {
		return none, invalid("iat", "it is not valid yet: this clock is behind the server's")
	}
	return claims, nil
}

// SpentGrants are those that a program has accepted: each is for one run. Goroutines may share it; its zero value is
// ready.
type SpentGrants struct {
	turn sync.Mutex
	ends map[string]int64
}

// Spend remembers a grant by its decision, until it is over. It refuses one that was spent before.
func (s *SpentGrants) Spend(claims Claims, now time.Time) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	for id, end := range s.ends {
		if end <= now.Unix() {
			delete(s.ends, id)
		}
	}
	if _, spent := s.ends[claims.DecisionID]; spent {
		return invalid("jti", "it was used before; another run takes another request id")
	}
	if s.ends == nil {
		s.ends = map[string]int64{}
	}
	s.ends[claims.DecisionID] = claims.Expires
	return nil
}

func invalid(check, why string) *Error {
	return &Error{
		Code: codes.PermissionDenied, Reason: "GRANT_INVALID",
		Message:  "the grant does not prove that this may run: " + why,
		Metadata: map[string]string{"check": check},
	}
}

// grantKey is the published grant key that the header names.
func grantKey(grant, jwks string) (ed25519.PublicKey, error) {
	header, err := decoded(strings.SplitN(grant, ".", 2)[0])
	if err != nil {
		return nil, invalid("form", "it is not a compact JWS")
	}
	if header["typ"] != "placet-grant+jwt" {
		return nil, invalid("typ", "its typ is not of a grant")
	}
	if header["alg"] != "EdDSA" && header["alg"] != "Ed25519" {
		return nil, invalid("alg", "its alg is not EdDSA or Ed25519")
	}
	if _, named := header["kid"]; !named || len(header) != 3 {
		return nil, invalid("header", "its header has other members than a grant's")
	}
	return publishedKey(header["kid"], jwks)
}

func publishedKey(kid any, jwks string) (ed25519.PublicKey, error) {
	var published struct {
		Keys []struct {
			Kty, Crv, X string
			Kid         any
			Use         string `json:"placet_use"`
		}
	}
	if err := json.Unmarshal([]byte(jwks), &published); err != nil {
		return nil, invalid("kid", "the keys are not a JWK Set such as GetServerInfo publishes")
	}
	var found []ed25519.PublicKey
	for _, key := range published.Keys {
		if name, is := key.Kid.(string); !is || name != kid {
			continue
		}
		x, err := base64.RawURLEncoding.Strict().DecodeString(key.X)
		if err != nil || len(x) != ed25519.PublicKeySize || key.Kty != "OKP" || key.Crv != "Ed25519" || key.Use != "grant" {
			x = nil
		}
		found = append(found, x)
	}
	if len(found) != 1 || found[0] == nil {
		return nil, invalid("kid", "no published grant key has its kid")
	}
	return found[0], nil
}

// signedClaims are those that this key signed, with exactly the names and types that a grant has.
func signedClaims(grant string, key ed25519.PublicKey) (Claims, error) {
	at := strings.LastIndexByte(grant, '.')
	signature, err := base64.RawURLEncoding.Strict().DecodeString(grant[at+1:])
	if err != nil || !ed25519.Verify(key, []byte(grant[:at]), signature) {
		return Claims{}, invalid("signature", "its signature is not of the server's grant key")
	}
	held, err := decoded(strings.Split(grant, ".")[1])
	if err != nil {
		return Claims{}, invalid("form", "its claims are not JSON")
	}
	var claims Claims
	texts := map[string]*string{
		"iss": &claims.Realm, "aud": &claims.Caller, "digest": &claims.Digest, "jti": &claims.DecisionID,
	}
	if _, used := held["approval"]; used {
		texts["approval"] = &claims.Approval
	}
	for name, to := range texts {
		if text, is := held[name].(string); !is || text == "" {
			return claims, strange(name)
		} else {
			*to = text
		}
	}
	for name, to := range map[string]*int64{"exp": &claims.Expires, "iat": &claims.IssuedAt} {
		number, is := held[name].(json.Number)
		if *to, err = number.Int64(); !is || err != nil {
			return claims, strange(name)
		}
	}
	if len(held) != len(texts)+2 {
		return claims, strange("claims")
	}
	if claims.Expires-claims.IssuedAt != grantLifetime {
		return claims, strange("exp")
	}
	return claims, nil
}

func strange(check string) *Error {
	return invalid(check, "it does not have exactly the claims that a grant has")
}

// decoded is a part of a JWS, as one JSON object.
func decoded(part string) (map[string]any, error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, err
	}
	var held map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&held); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return held, nil
}
