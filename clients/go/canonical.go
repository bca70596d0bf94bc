package placet

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// digest is the request digest of canonical bytes: unpadded base64url of the SHA-256 under "placet/v1" and the realm.
func digest(canonical []byte, realm string) string {
	hash := sha256.New()
	hash.Write([]byte("placet/v1\n" + realm + "\n"))
	hash.Write(canonical)
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}

// appendCanonical writes what `native` gives, in the form of RFC 8785.
func appendCanonical(to []byte, value any) []byte {
	switch value := value.(type) {
	case nil:
		return append(to, "null"...)
	case bool:
		return strconv.AppendBool(to, value)
	case float64:
		return appendNumber(to, value)
	case string:
		return appendText(to, value)
	case []any:
		to = append(to, '[')
		for at, item := range value {
			if at > 0 {
				to = append(to, ',')
			}
			to = appendCanonical(to, item)
		}
		return append(to, ']')
	case map[string]any:
		return appendMembers(to, value)
	}
	panic("placet: not a value of native")
}

// appendMembers sorts names by their UTF-16 code units, which is another order than that of bytes beyond U+FFFF.
func appendMembers(to []byte, held map[string]any) []byte {
	names := make([]string, 0, len(held))
	for name := range held {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	to = append(to, '{')
	for at, name := range names {
		if at > 0 {
			to = append(to, ',')
		}
		to = append(appendText(to, name), ':')
		to = appendCanonical(to, held[name])
	}
	return append(to, '}')
}

// appendNumber writes a double as JavaScript does: the shortest digits, with an exponent from 1e21 on and below 1e-6.
func appendNumber(to []byte, value float64) []byte {
	if value == 0 {
		return append(to, '0') // also for -0
	}
	if size := math.Abs(value); size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(to, value, 'f', -1, 64)
	}
	text := strconv.FormatFloat(value, 'e', -1, 64)
	return append(to, strings.NewReplacer("e-0", "e-", "e+0", "e+").Replace(text)...)
}

func appendText(to []byte, text string) []byte {
	to = append(to, '"')
	for at := range len(text) {
		switch letter := text[at]; {
		case letter == '"' || letter == '\\':
			to = append(to, '\\', letter)
		case letter >= ' ':
			to = append(to, letter)
		default:
			to = appendControl(to, letter)
		}
	}
	return append(to, '"')
}

func appendControl(to []byte, letter byte) []byte {
	if short := strings.IndexByte("\b\t\n\f\r", letter); short >= 0 {
		return append(to, '\\', "btnfr"[short])
	}
	const hex = "0123456789abcdef"
	return append(to, '\\', 'u', '0', '0', hex[letter>>4], hex[letter&15])
}
