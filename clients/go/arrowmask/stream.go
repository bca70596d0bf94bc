// Package arrowmask masks Arrow tables of any size. It is a package of its own, so that a program that only asks needs no
// arrow-go.
package arrowmask

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"placet/clients/go"
	pdpv1 "placet/clients/go/pdp/v1"
)

// Masked is a masked table, where the decision allows.
type Masked struct {
	Decision *placet.Decision
	Plan     *pdpv1.MaskPlan
	// Batches are all of the table after Mask. Release ends them.
	Batches []arrow.RecordBatch
	// RecordID is the record's in the audit log.
	RecordID string
}

// Format says what came, and never the rows themselves: they stay out of logs.
func (m Masked) Format(to fmt.State, _ rune) {
	fmt.Fprintf(to, "%d masked batches, record %q: %s", len(m.Batches), m.RecordID, m.Decision.Why())
}

// Release gives the memory of the batches back.
func (m *Masked) Release() {
	for _, batch := range m.Batches {
		batch.Release()
	}
	m.Batches = nil
}

// Mask returns a whole masked table. What came of one whose end did not is thrown away. There are batches only with a
// decision that allows: look at Decision, or call its Require.
func Mask(ctx context.Context, client *placet.Client, scope placet.MaskScope, table array.RecordReader) (*Masked, error) {
	kept := &Masked{}
	masked, err := Stream(ctx, client, scope, table, func(batch arrow.RecordBatch) error {
		batch.Retain()
		kept.Batches = append(kept.Batches, batch)
		return nil
	})
	if err != nil {
		kept.Release()
		return nil, err
	}
	masked.Batches = kept.Batches
	return masked, nil
}

// Stream gives each masked batch to `each` as it comes, in bounded memory; `each` retains what it keeps. Where it returns
// an error, nothing that came may be used: the end is missing, or rows are. It reads the table in a goroutine that has
// ended when it returns. One stream lasts at most as long as the server is configured to, 30 min by default.
func Stream(
	ctx context.Context, client *placet.Client, scope placet.MaskScope, table array.RecordReader,
	each func(arrow.RecordBatch) error,
) (*Masked, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, opened, err := open(ctx, client, scope, table.Schema())
	if err != nil {
		return nil, err
	}
	masked := &Masked{Decision: client.Decided(opened.Decision), Plan: opened.Plan}
	if !masked.Decision.Allowed() {
		return masked, nil
	}
	info, err := client.Info(ctx)
	if err != nil {
		return nil, err
	}
	sending := send(stream, table, int(info.Limits.GetMessageBytes()/2), cancel)
	answers := &answers{stream: stream, rest: opened.Plan.OutputSchema}
	rows, failure := receive(answers, each)
	cancel() // nothing is sent any more once this side has failed
	sent := <-sending
	if err := cause(answers, sent, rows, failure); err != nil {
		return nil, err
	}
	masked.RecordID = answers.end.RecordId
	return masked, nil
}

// open begins a stream. Nothing of the table is sent before the decision.
func open(
	ctx context.Context, client *placet.Client, scope placet.MaskScope, schema *arrow.Schema,
) (pdpv1.MaskService_MaskStreamClient, *pdpv1.StreamOpened, error) {
	message, err := scope.Message(ctx, client, "mask")
	if err != nil {
		return nil, nil, err
	}
	described, err := schemaMessage(schema)
	if err != nil {
		return nil, nil, err
	}
	stream, err := pdpv1.NewMaskServiceClient(client.Conn()).MaskStream(ctx)
	if err != nil {
		return nil, nil, placet.FromError(err)
	}
	shape := &pdpv1.MaskShape{Shape: &pdpv1.MaskShape_ArrowSchema{ArrowSchema: described}}
	start := &pdpv1.StreamStart{Scope: message, Shape: shape}
	err = stream.Send(&pdpv1.MaskStreamRequest{Message: &pdpv1.MaskStreamRequest_Start{Start: start}})
	if err != nil && err != io.EOF { // io.EOF: the answer has the reason
		return nil, nil, placet.FromError(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, nil, failed(err)
	}
	return stream, answer.GetOpened(), nil
}

// sent is what became of the table: rows that went out, and why no more did.
type sent struct {
	rows int64
	err  error
}

// send starts sending. A table that cannot be read ends the stream.
func send(
	stream pdpv1.MaskService_MaskStreamClient, table array.RecordReader, limit int, cancel context.CancelFunc,
) <-chan sent {
	done := make(chan sent, 1)
	go func() {
		out := newWriter(table.Schema(), limit)
		rows, err := sendAll(stream, table, out)
		if err != nil {
			cancel()
		}
		done <- sent{rows, errors.Join(err, out.close())}
	}()
	return done
}

func sendAll(stream pdpv1.MaskService_MaskStreamClient, table array.RecordReader, out *writer) (rows int64, err error) {
	for table.Next() {
		messages, err := out.messages(table.RecordBatch())
		if err != nil {
			return rows, err
		}
		rows += table.RecordBatch().NumRows()
		for _, message := range messages {
			request := &pdpv1.MaskStreamRequest{Message: &pdpv1.MaskStreamRequest_ArrowMessage{ArrowMessage: message}}
			if stream.Send(request) != nil {
				return rows, nil // the other side of the stream has the reason
			}
		}
	}
	if err := table.Err(); err != nil && err != io.EOF {
		return rows, err
	}
	return rows, stream.CloseSend()
}

// receive reads batches until the answers end.
func receive(answers *answers, each func(arrow.RecordBatch) error) (rows int64, err error) {
	reader, err := ipc.NewReader(answers)
	if err != nil {
		return 0, err
	}
	defer reader.Release()
	for reader.Next() {
		rows += reader.RecordBatch().NumRows()
		if err := each(reader.RecordBatch()); err != nil {
			return rows, err
		}
	}
	if err := reader.Err(); err != nil && err != io.EOF {
		return rows, err
	}
	return rows, nil
}

// cause is the first real cause: our own failure cancels the stream, and the server's makes reading Arrow fail.
func cause(answers *answers, sent sent, came int64, failure error) error {
	switch {
	case sent.err != nil && answers.end == nil:
		return sent.err
	case answers.err != nil:
		return failed(answers.err)
	case failure != nil:
		return failure
	case answers.end == nil:
		return placet.Incomplete("the stream ended before all was masked")
	case sent.rows != came || uint64(came) != answers.end.Rows:
		return placet.Incomplete(fmt.Sprintf("%d rows were sent, %d masked and %d came back", sent.rows, answers.end.Rows, came))
	}
	return nil
}

// answers are the Arrow messages of a stream, one behind the other.
type answers struct {
	stream pdpv1.MaskService_MaskStreamClient
	rest   []byte
	end    *pdpv1.StreamEnd
	err    error
}

func (a *answers) Read(into []byte) (int, error) {
	for len(a.rest) == 0 {
		answer, err := a.stream.Recv()
		if err == io.EOF {
			return 0, io.EOF
		}
		if err != nil {
			a.err = err
			return 0, err
		}
		a.rest = answer.GetArrowMessage()
		if end := answer.GetEnd(); end != nil {
			a.end = end
		}
	}
	count := copy(into, a.rest)
	a.rest = a.rest[count:]
	return count, nil
}

func failed(err error) error {
	if err == io.EOF {
		return placet.Incomplete("the stream ended before it had begun")
	}
	return placet.FromError(err)
}
