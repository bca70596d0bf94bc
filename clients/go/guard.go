package placet

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"

	pdpv1 "placet/clients/go/pdp/v1"
)

// GuardOptions say what a guarded function asks.
type GuardOptions[T any] struct {
	// Client asks and reports. Its Understands are the obligations that the function meets.
	Client *Client
	// Ask makes the question about a value: action and resource at least. Subject is the caller itself where it is empty,
	// and Context the value, so that another value needs another approval; it must then be a struct or a map. It is asked
	// again right before the run, and must then say the same.
	Ask func(T) Question
	// Wait is how long people have for their reviews. Without it, *ApprovalPending comes at once.
	Wait time.Duration
}

// Guard makes a function that runs f only with a checked grant for exactly the value that f gets, and reports how it
// ended.
//
//  1. f gets the value decoded anew from the bytes that the digest was made of. What changes meanwhile is not what runs. A
//     value that encoding/json does not read back as it was is refused.
//  2. A call is one run. A RequestID, for example a tool-call id, lets the same call go on later, once: where people must
//     approve, of two programs with one RequestID at most one runs.
//  3. What runs after its call is not guarded: a result that is a channel, a function, an iterator or a reader is refused.
//  4. Nothing runs after *Denied, *ApprovalPending or *Error.
func Guard[T, R any](
	options GuardOptions[T], f func(context.Context, T) (R, error),
) func(context.Context, T) (R, error) {
	return func(ctx context.Context, value T) (result R, err error) {
		if what := runsLater(reflect.TypeFor[R]()); what != "" {
			return result, refusedLater(what)
		}
		argument, err := copyOf(value)
		if err != nil {
			return result, err
		}
		claims, err := options.Client.permit(ctx, argument.asking(options.Ask), options.Wait)
		if err != nil {
			return result, err
		}
		state, detail := pdpv1.OutcomeState_OUTCOME_STATE_FAILED, "panic"
		defer func() { options.Client.report(ctx, claims, state, detail) }()
		copied, err := argument.decoded()
		if err == nil {
			result, err = f(ctx, copied)
		}
		if what := runsLater(reflect.TypeOf(result)); what != "" {
			result, err = discarded(result), refusedLater(what)
		}
		if detail = fmt.Sprintf("%T", err); err == nil {
			state, detail = pdpv1.OutcomeState_OUTCOME_STATE_SUCCEEDED, ""
		}
		return result, err
	}
}

// argument is a value in canonical form. Each use of it is decoded anew.
type argument[T any] struct{ canonical []byte }

func copyOf[T any](value T) (argument[T], error) {
	if err := refuseLikeJSON(reflect.ValueOf(value), "argument"); err != nil {
		return argument[T]{}, err
	}
	held, err := canonicalValue(value)
	if err != nil {
		return argument[T]{}, err
	}
	made := argument[T]{held}
	back, err := made.decoded()
	if err != nil {
		return made, refused("argument", "is not read back from its JSON form: "+oneLine(err.Error()))
	}
	if again, err := canonicalValue(back); err != nil || !bytes.Equal(again, held) {
		return made, refused("argument", "is read back from its JSON form as another value")
	}
	return made, nil
}

func canonicalValue(value any) ([]byte, error) {
	held, err := native(value, "argument")
	if err != nil {
		return nil, err
	}
	return appendCanonical(nil, held), nil
}

func (a argument[T]) decoded() (value T, err error) {
	err = json.Unmarshal(a.canonical, &value)
	return value, err
}

// asking makes the question from a copy of its own, with the argument as context unless the program gives one.
func (a argument[T]) asking(made func(T) Question) ask {
	return func(caller string) (Question, error) {
		value, err := a.decoded()
		if err != nil {
			return Question{}, err
		}
		question := made(value)
		question.Subject = cmp.Or(question.Subject, caller)
		if question.Context == nil {
			question.Context = json.RawMessage(a.canonical)
		}
		return question, nil
	}
}

var reader = reflect.TypeFor[io.Reader]()

// runsLater is what a type is whose values stand for a run that comes later; empty for any other.
func runsLater(kind reflect.Type) string {
	switch {
	case kind == nil:
		return ""
	case kind.Kind() == reflect.Chan:
		return "a channel"
	case kind.Kind() == reflect.Func:
		return "a function or an iterator"
	case kind.Implements(reader):
		return "a reader"
	}
	return ""
}

func refusedLater(what string) *Error {
	return refused("result", "is "+what+", which runs after its call; guard what uses it")
}

// discarded ends what would run later, where it can be ended.
func discarded[R any](result R) (none R) {
	if open, is := any(result).(io.Closer); is {
		_ = open.Close() // it has its error already
	}
	return none
}
