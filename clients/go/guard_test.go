package placet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestTheCopyIsMadeOfTheCanonicalBytes(t *testing.T) {
	given := map[string]any{"tags": []any{"pii"}, "rows": 7}
	made, err := copyOf(given)
	if err != nil || string(made.canonical) != `{"rows":7,"tags":["pii"]}` {
		t.Fatal(string(made.canonical), err)
	}
	given["rows"] = 9
	given["tags"].([]any)[0] = "public"
	first, _ := made.decoded()
	first["rows"] = 10
	if second, err := made.decoded(); err != nil || !reflect.DeepEqual(second, map[string]any{"tags": []any{"pii"}, "rows": 7.0}) {
		t.Fatal(second, err)
	}
}

func TestTextThatIsMeantAsTextIsGuarded(t *testing.T) {
	run, runs := "", 0
	guarded := Guard(GuardOptions[map[string]any]{
		Client: served(t, &liar{features: everything}),
		Ask:    func(map[string]any) Question { return Question{Action: "note", Resource: "order:1"} },
	}, func(_ context.Context, one map[string]any) (any, error) {
		run, runs = one["note"].(string), runs+1
		return nil, nil
	})
	if _, err := guarded(t.Context(), map[string]any{"note": Text("[draft]")}); err != nil || run != "[draft]" {
		t.Fatal(run, err)
	}
	if _, err := guarded(t.Context(), map[string]any{"note": "[draft]"}); err == nil || runs != 1 {
		t.Fatal(runs, err)
	}
}

func TestMaskedRowsAreNotPrinted(t *testing.T) {
	made := &Masked{Rows: []json.RawMessage{json.RawMessage(`{"name":"ann"}`)}, RecordID: "rec_1"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{made, *made} {
			if said := fmt.Sprintf(verb, value); said != `1 masked rows, record "rec_1": no decision` {
				t.Error(verb, said)
			}
		}
	}
}

func TestTheQuestionIsAboutTheValue(t *testing.T) {
	made, err := copyOf(order{ID: "o-1", Amount: 5})
	if err != nil {
		t.Fatal(err)
	}
	question, err := made.asking(func(one order) Question { return Question{Action: "pay", Resource: "order:" + one.ID} })("agent:bot")
	if err != nil || question.Subject != "agent:bot" || question.Resource != "order:o-1" {
		t.Fatal(question, err)
	}
	form, err := question.form()
	if err != nil || !reflect.DeepEqual(form["context"], map[string]any{"id": "o-1", "amount": 5.0}) {
		t.Fatal(form, err)
	}
}

// half is read back as another value than it was.
type half struct{ N int }

func (h half) MarshalJSON() ([]byte, error) {
	return []byte(`{"N":` + strings.Repeat("1", h.N) + `}`), nil
}

func TestValuesThatAreNotReadBackAreRefused(t *testing.T) {
	_, changed := copyOf(half{3})
	_, interfaced := copyOf(struct{ Reader io.Closer }{io.NopCloser(nil)})
	_, infinite := copyOf(math.Inf(1))
	_, hidden := copyOf(order{note: "hidden"})
	_, text := copyOf(map[string]any{"tags": "[pii]"})
	for _, err := range []error{changed, interfaced, infinite, hidden, text} {
		var refusal *Error
		if !errors.As(err, &refusal) || !strings.HasPrefix(refusal.Fields[0].Path, "argument") {
			t.Error(err)
		}
	}
}

func TestWhatRunsLaterIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	channel := Guard(GuardOptions[order]{}, func(context.Context, order) (<-chan int, error) { return nil, nil })
	sequence := Guard(GuardOptions[order]{}, func(context.Context, order) (iter.Seq[int], error) { return nil, nil })
	read := Guard(GuardOptions[order]{}, func(context.Context, order) (io.ReadCloser, error) { return nil, nil })
	_, first := channel(t.Context(), order{})
	_, second := sequence(t.Context(), order{})
	_, third := read(t.Context(), order{})
	for _, err := range []error{first, second, third} {
		if err == nil || !strings.Contains(err.Error(), "which runs after its call") {
			t.Error(err)
		}
	}
}

func TestTokensTravelInPlaintextOnlyOnThisMachine(t *testing.T) {
	for _, address := range []string{"127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/run/placet"} {
		if client, err := New(Options{Address: address, Token: Token("x")}); err != nil || client.Close() != nil {
			t.Error(address, err)
		}
	}
	for _, address := range []string{"10.0.0.1:1", "placet.example:1", "localhost.example:1", "127.0.0.1", "localhost"} {
		if _, err := New(Options{Address: address, Token: Token("x")}); err == nil {
			t.Error(address)
		}
	}
	for _, options := range []Options{{CA: "nowhere.pem"}, {CA: "guard_test.go"}, {Certificate: "own.pem"}} {
		if _, err := New(options); err == nil {
			t.Error(options)
		}
	}
}

func TestPausesGrowAndEndWithTheContext(t *testing.T) {
	pauses := backoffs{}
	began := time.Now()
	if !pauses.wait(t.Context()) || pauses.next != 2*firstPause || time.Since(began) < firstPause/2 {
		t.Fatal(pauses, time.Since(began))
	}
	soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if pauses.wait(soon) {
		t.Fatal("a pause is longer than its context")
	}
}
