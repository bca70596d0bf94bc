package placet

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Text is meant as text, even where it begins like JSON: Properties: map[string]any{"note": placet.Text("[draft]")}.
type Text string

const (
	// deepest is how many levels are looked at: twice what a request may have. A list that holds itself has no end.
	deepest = 64
	// largestWhole is the largest whole number that I-JSON (RFC 7493) lets a reader keep exactly.
	largestWhole = 1<<53 - 1
)

var (
	marshaler, texter = reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()
	plainName         = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)
	likeJSON          = regexp.MustCompile(`(?s)^\s*(?:[\[{"]|'.*'\s*$)`)
	surrogates        = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)
	loneSurrogate     = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*\\u[dD][89a-fA-F]`)
)

// members is a struct or map as the contract carries it: encoding/json's form, with every number a float64. Nil has
// none. What that form would lose or bend is refused, with its path.
func members(value any, path string) (map[string]any, error) {
	if value == nil {
		return map[string]any{}, nil
	}
	if err := refuseLikeJSON(reflect.ValueOf(value), path); err != nil {
		return nil, err
	}
	tree, err := native(value, path)
	switch tree := tree.(type) {
	case map[string]any:
		return tree, err
	case nil:
		return map[string]any{}, err
	}
	return nil, refused(path, "is not an object; give a struct or a map")
}

// native is any value in that form.
func native(value any, path string) (any, error) {
	text, err := marshalled(value, path)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return read(decoder, path)
}

// marshalled is encoding/json's text of a value that has lost nothing in it.
func marshalled(value any, path string) ([]byte, error) {
	if err := check(reflect.ValueOf(value), path, 0); err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, refused(path, "has no JSON form: "+oneLine(err.Error()))
	}
	if !utf8.Valid(text) || loneSurrogate.Match(surrogates.ReplaceAll(text, nil)) {
		return nil, refused(path, "holds text that is not Unicode; mend it, or give its bytes as base64")
	}
	return text, nil
}

// check refuses what encoding/json would change or leave out without an error. What a type makes of itself is its own.
func check(value reflect.Value, path string, depth int) error {
	if depth > deepest {
		return refused(path, fmt.Sprintf("is more than %d levels deep", deepest))
	}
	if !value.IsValid() || makesItself(value) {
		return nil
	}
	switch value.Kind() {
	case reflect.Interface, reflect.Pointer:
		return check(value.Elem(), path, depth+1)
	case reflect.Float32, reflect.Float64:
		if math.IsNaN(value.Float()) || math.IsInf(value.Float(), 0) {
			return refused(path, "is not a finite number; send a string")
		}
	case reflect.String:
		if !utf8.ValidString(value.String()) {
			return refused(path, "is not valid UTF-8; give its bytes as base64")
		}
	case reflect.Slice, reflect.Array:
		return checkItems(value, path, depth)
	case reflect.Map:
		return checkMap(value, path, depth)
	case reflect.Struct:
		return checkFields(value, path, depth)
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return refused(path, fmt.Sprintf("is a value of type %s, which has no JSON form", value.Type()))
	}
	return nil
}

func makesItself(value reflect.Value) bool {
	kind := value.Type()
	if value.CanAddr() && kind.Kind() != reflect.Pointer && kind.Kind() != reflect.Interface {
		kind = reflect.PointerTo(kind)
	}
	return kind.Kind() != reflect.Interface && (kind.Implements(marshaler) || kind.Implements(texter))
}

func checkItems(value reflect.Value, path string, depth int) error {
	if value.Type().Elem().Kind() == reflect.Uint8 {
		return refused(path, "is bytes, which JSON has no form for; give text, for example base64")
	}
	for at := range value.Len() {
		if err := check(value.Index(at), fmt.Sprintf("%s[%d]", path, at), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkMap(value reflect.Value, path string, depth int) error {
	if key := value.Type().Key(); key.Kind() != reflect.String || key.Implements(texter) {
		return refused(path, fmt.Sprintf("has names of type %s; names are text in JSON", key))
	}
	for each := value.MapRange(); each.Next(); {
		at := joined(path, each.Key().String())
		if err := check(each.Key(), at, depth+1); err != nil {
			return err
		}
		if err := check(each.Value(), at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkFields(value reflect.Value, path string, depth int) error {
	if err := checkNames(value.Type(), path, map[string]bool{}, depth); err != nil {
		return err
	}
	for at := range value.NumField() {
		field, held := value.Type().Field(at), value.Field(at)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if (!field.IsExported() && !embeds(field)) || field.Tag.Get("json") == "-" {
			if !held.IsZero() {
				return refused(joined(path, field.Name), "is a field that JSON leaves out; clear it, or ask about what matters of it")
			}
			continue
		}
		if name == "" && !field.Anonymous {
			name = field.Name
		}
		if err := check(held, joined(path, name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// checkNames refuses a struct in which JSON has one name for two fields: it keeps one of them, or none.
func checkNames(kind reflect.Type, path string, seen map[string]bool, depth int) error {
	if depth > deepest {
		return refused(path, fmt.Sprintf("is more than %d levels deep", deepest))
	}
	for at := range kind.NumField() {
		field := kind.Field(at)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Tag.Get("json") == "-":
		case embeds(field) && name == "":
			if err := checkNames(pointed(field.Type), path, seen, depth+1); err != nil {
				return err
			}
		case field.IsExported():
			if name = cmp.Or(name, field.Name); seen[name] {
				return refused(joined(path, name), "is the JSON name of two fields; give each a name of its own")
			}
			seen[name] = true
		}
	}
	return nil
}

// embeds tells whether JSON shows the fields of this one as the struct's own.
func embeds(field reflect.StructField) bool {
	return field.Anonymous && pointed(field.Type).Kind() == reflect.Struct
}

func pointed(kind reflect.Type) reflect.Type {
	if kind.Kind() == reflect.Pointer {
		return kind.Elem()
	}
	return kind
}

// refuseLikeJSON refuses a member that was meant as a list or an object: a rule that looks for "pii" among tags finds
// nothing in the text "[pii]". A field or a map that is declared as text holds text.
func refuseLikeJSON(value reflect.Value, path string) error {
	if value.Kind() != reflect.Map || value.Type().Elem().Kind() != reflect.Interface {
		return nil
	}
	for each := value.MapRange(); each.Next(); {
		if text, is := each.Value().Interface().(string); is && likeJSON.MatchString(text) {
			return refused(joined(path, fmt.Sprint(each.Key())), "is text that begins like JSON, so a policy would see "+
				"neither list nor object; give the list or object itself, or placet.Text for what is text")
		}
	}
	return nil
}

// read is the next value of a text: objects as maps, and refused where a name stands twice.
func read(decoder *json.Decoder, path string) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, refused(path, "has no JSON form: "+oneLine(err.Error()))
	}
	switch token := token.(type) {
	case json.Number:
		return number(token, path)
	case string:
		return token, refuseNUL(token, path)
	case json.Delim:
		if token == '[' {
			return readItems(decoder, path)
		}
		return readMembers(decoder, path)
	}
	return token, nil
}

func readItems(decoder *json.Decoder, path string) (any, error) {
	items := []any{}
	for decoder.More() {
		item, err := read(decoder, fmt.Sprintf("%s[%d]", path, len(items)))
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := decoder.Token()
	return items, err
}

func readMembers(decoder *json.Decoder, path string) (any, error) {
	held := map[string]any{}
	for decoder.More() {
		name, _ := decoder.Token()
		at := joined(path, name.(string))
		if _, twice := held[name.(string)]; twice {
			return nil, refused(at, "stands in its object twice")
		}
		value, err := read(decoder, at)
		if err == nil {
			err = refuseNUL(name.(string), at)
		}
		if err != nil {
			return nil, err
		}
		held[name.(string)] = value
	}
	_, err := decoder.Token()
	return held, err
}

func number(token json.Number, path string) (any, error) {
	value, err := token.Float64()
	if err != nil {
		return nil, refused(path, "is no number that a double can hold; send a string")
	}
	if value == math.Trunc(value) && math.Abs(value) > largestWhole {
		return nil, refused(path, "is a whole number beyond 2^53-1, which JSON readers change silently; send a string")
	}
	return value, nil
}

func refuseNUL(text, path string) error {
	if strings.Contains(text, "\x00") {
		return refused(path, "contains U+0000; remove it")
	}
	return nil
}

func joined(path, name string) string {
	if name == "" || plainName.MatchString(name) {
		return strings.TrimSuffix(path+"."+name, ".")
	}
	quoted, _ := json.Marshal(name)
	return path + "[" + string(quoted) + "]"
}
