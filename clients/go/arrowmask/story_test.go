//go:build story

package arrowmask_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"placet/clients/go"
	"placet/clients/go/arrowmask"
)

var alice = sync.OnceValues(func() (*placet.Client, error) {
	token, err := exec.Command("pdp", "token", "--as", "alice").Output()
	if err != nil {
		return nil, err
	}
	return placet.New(placet.Options{Token: placet.Token(strings.TrimSpace(string(token)))})
})

func client(t *testing.T) *placet.Client {
	t.Helper()
	made, err := alice()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// table has batches of customers; their rows are so long that some do not fit one message.
func table(t *testing.T, batches, rows int, column string) array.RecordReader {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: column, Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	var made []arrow.RecordBatch
	for number := range batches {
		builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for row := range rows {
			builder.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("name-%d-%d %s", number, row, strings.Repeat("x", 90)))
		}
		made = append(made, builder.NewRecordBatch())
	}
	reader, err := array.NewRecordReader(schema, made)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

var scope = placet.MaskScope{Subject: "user:alice", Table: "crm.customers"}

func TestATableOfSeveralMessagesComesBackWhole(t *testing.T) {
	masked, err := arrowmask.Mask(t.Context(), client(t), scope, table(t, 2, 30_000, "given_name"))
	if err != nil || !masked.Decision.Allowed() || masked.RecordID == "" {
		t.Fatal(masked, err)
	}
	defer masked.Release()
	rows, first := int64(0), masked.Batches[0].Column(0).(*array.String)
	for _, batch := range masked.Batches {
		rows += batch.NumRows()
	}
	if rows != 60_000 || strings.HasPrefix(first.Value(0), "name-") || first.Value(0) == first.Value(1) {
		t.Fatal(rows, first.Value(0))
	}
}

func TestNothingComesOfATableThatEndsEarly(t *testing.T) {
	broken := errors.New("the disk is gone")
	reader := &breaking{table(t, 3, 10, "given_name"), broken, 2}
	masked, err := arrowmask.Mask(t.Context(), client(t), scope, reader)
	if !errors.Is(err, broken) || masked != nil {
		t.Fatal(masked, err)
	}
	refusal := errors.New("no more")
	_, err = arrowmask.Stream(t.Context(), client(t), scope, table(t, 3, 10, "given_name"),
		func(arrow.RecordBatch) error { return refusal })
	if !errors.Is(err, refusal) {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = arrowmask.Mask(ended, client(t), scope, table(t, 1, 1, "given_name")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestAColumnWithoutAMaskIsRefused(t *testing.T) {
	_, err := arrowmask.Mask(t.Context(), client(t), scope, table(t, 1, 1, "salary"))
	var failure *placet.Error
	if !errors.As(err, &failure) || failure.Reason != "MASK_PLAN_REFUSED" {
		t.Fatal(err)
	}
}

// breaking is a table that cannot be read any more after some batches.
type breaking struct {
	array.RecordReader
	err  error
	left int
}

func (b *breaking) Next() bool {
	b.left--
	return b.left >= 0 && b.RecordReader.Next()
}

func (b *breaking) Err() error { return b.err }
