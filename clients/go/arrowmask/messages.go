package arrowmask

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// writer makes encapsulated IPC messages of batches, none larger than its limit where rows can be parted.
type writer struct {
	ipc   *ipc.Writer
	made  collected
	limit int
}

func newWriter(schema *arrow.Schema, limit int) *writer {
	made := &writer{limit: limit}
	made.ipc = ipc.NewWriterWithPayloadWriter(&made.made, ipc.WithSchema(schema))
	return made
}

// messages are those of one batch: dictionaries that it needs, and the batch in parts.
func (w *writer) messages(batch arrow.RecordBatch) ([][]byte, error) {
	w.made.messages = nil
	err := w.add(batch)
	return w.made.messages, err
}

func (w *writer) add(batch arrow.RecordBatch) error {
	if err := w.ipc.Write(batch); err != nil {
		return err
	}
	last, rows := len(w.made.messages)-1, batch.NumRows()
	if len(w.made.messages[last]) <= w.limit || rows < 2 {
		return nil
	}
	w.made.messages = w.made.messages[:last]
	for _, part := range [][2]int64{{0, rows / 2}, {rows / 2, rows}} {
		half := batch.NewSlice(part[0], part[1])
		err := w.add(half)
		half.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) close() error { return w.ipc.Close() }

// collected is what an ipc.Writer writes behind the schema.
type collected struct {
	messages  [][]byte
	hasSchema bool
}

// Start is of ipc.PayloadWriter.
func (*collected) Start() error { return nil }

// Close is of ipc.PayloadWriter.
func (*collected) Close() error { return nil }

// WritePayload is of ipc.PayloadWriter.
func (c *collected) WritePayload(payload ipc.Payload) error {
	if !c.hasSchema {
		c.hasSchema = true
		return nil
	}
	message, err := encapsulated(payload)
	c.messages = append(c.messages, message)
	return err
}

func encapsulated(payload ipc.Payload) ([]byte, error) {
	var message bytes.Buffer
	_, err := payload.WritePayload(&message)
	return message.Bytes(), err
}

func schemaMessage(schema *arrow.Schema) ([]byte, error) {
	payload := ipc.GetSchemaPayload(schema, memory.DefaultAllocator)
	defer payload.Release()
	return encapsulated(payload)
}
