package placet

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"
	"time"
)

type order struct {
	ID     string `json:"id"`
	Amount int64  `json:"amount,omitempty"`
	Lines  []line `json:"lines,omitempty"`
	Secret string `json:"-"`
	note   string
}

type line struct{ Price float64 }

// What encoding/json leaves out without an error: embedded values that are no structs, and fields of one name.
type (
	unseenTags []string
	unseen     struct {
		unseenTags
		Name string
	}
	left  struct{ Tags []string }
	right struct{ Tags []string }
	both  struct {
		left
		right
	}
	twins struct {
		A string
		B string `json:"A"`
	}
	labelled struct{ Labels []string }
	shadowed struct {
		labelled
		Labels []string `json:"Labels,omitempty"`
	}
)

func TestRefusalsNameThePath(t *testing.T) {
	itself := map[string]any{}
	itself["a"] = itself
	for want, value := range map[string]any{
		"context.when":               map[string]any{"when": make(chan int)},
		"context.run":                map[string]any{"run": func() {}},
		"context.z":                  map[string]any{"z": complex(1, 2)},
		"context.raw":                map[string]any{"raw": []byte("bytes")},
		"context.key":                map[string]any{"key": [2]byte{1, 2}},
		"context.days":               map[string]any{"days": map[int]string{1: "Monday"}},
		"context.list[1]":            map[string]any{"list": []any{1, math.NaN()}},
		"context.far":                map[string]any{"far": math.Inf(1)},
		"context.n":                  map[string]any{"n": int64(1) << 53},
		"context.u":                  map[string]any{"u": uint64(math.MaxUint64)},
		"context.big":                map[string]any{"big": new(big.Int).Lsh(big.NewInt(1), 60)},
		"context.text":               map[string]any{"text": "a\x00b"},
		`context["a\u0000b"]`:        map[string]any{"a\x00b": 1},
		"context.bent":               map[string]any{"bent": "\xff"},
		"context.twice.a":            map[string]any{"twice": json.RawMessage(`{"a": 1, "\u0061": 2}`)},
		"context":                    map[string]any{"half": json.RawMessage(`"\ud800"`)},
		"context.number":             map[string]any{"number": json.Number("1e400")},
		"context.tags":               map[string]any{"tags": "[pii]"},
		"context.Secret":             order{Secret: "hidden"},
		"context.note":               order{note: "hidden"},
		"context.unseenTags":         unseen{unseenTags: unseenTags{"pii"}},
		"context.Tags":               both{left: left{[]string{"pii"}}},
		"context.A":                  twins{A: "pii"},
		"context.Labels":             shadowed{labelled: labelled{[]string{"pii"}}},
		"context.lines[0].Price":     order{Lines: []line{{math.NaN()}}},
		`context["two words"].Price`: map[string]any{"two words": &line{math.Inf(-1)}},
	} {
		_, err := members(value, "context")
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Reason != "INVALID_REQUEST" || refusal.Fields[0].Path != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, value := range []any{itself, "text", 1, []int{1}} {
		if _, err := members(value, "context"); err == nil {
			t.Errorf("%T was taken", value)
		}
	}
}

func TestWhatIsTaken(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 30, 0, 0, time.UTC)
	for want, value := range map[string]any{
		`{}`:                                     nil,
		`{"amount":9007199254740991,"id":"o-1"}`: order{ID: "o-1", Amount: largestWhole},
		`{"at":"2026-11-29T12:30:00Z"}`:          map[string]any{"at": at},
		`{"big":12}`:                             map[string]any{"big": big.NewInt(12)},
		`{"draft":"[draft]"}`:                    map[string]any{"draft": Text("[draft]")},
		`{"named":"[pii]"}`:                      map[string]string{"named": "[pii]"},
		`{"note":{"html":"<a>&"}}`:               map[string]any{"note": map[string]any{"html": "<a>&"}},
		`{"pair":"😀"}`:                           map[string]any{"pair": json.RawMessage(`"\ud83d\ude00"`)},
		`{"plain":"\\ud800"}`:                    map[string]any{"plain": `\ud800`},
		`{"zero":0}`:                             map[string]any{"zero": math.Copysign(0, -1)},
	} {
		held, err := members(value, "context")
		if got := string(appendCanonical(nil, held)); err != nil || got != want {
			t.Errorf("%s is not %s: %v", got, want, err)
		}
	}
}
