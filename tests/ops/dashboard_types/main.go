// Holds a dashboard of Grafana against the types that Grafana publishes. A field that is unknown or missing, and a value
// of another type or out of its range, ends it with 1.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The part of a panel that the types of a panel read without being strict.
type fields struct {
	Panels []struct {
		FieldConfig json.RawMessage `json:"fieldConfig"`
	} `json:"panels"`
}

func main() {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = held(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func held(text []byte) error {
	var board dashboard.Dashboard
	var own fields
	errs := []error{json.Unmarshal(text, &own), real(board.UnmarshalJSONStrict(text)), real(board.Validate())}
	for at, panel := range own.Panels {
		var config dashboard.FieldConfigSource
		if err := real(config.UnmarshalJSONStrict(panel.FieldConfig)); err != nil {
			errs = append(errs, fmt.Errorf("panels[%s].fieldConfig: %w", strconv.Itoa(at), err))
		}
	}
	return errors.Join(errs...)
}

// The types return an empty list of errors where they found none, which Go takes for an error.
func real(err error) error {
	var list cog.BuildErrors
	if errors.As(err, &list) && len(list) == 0 {
		return nil
	}
	return err
}
