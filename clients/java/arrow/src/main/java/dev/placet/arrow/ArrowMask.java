package dev.placet.arrow;

import com.google.protobuf.ByteString;
import dev.placet.Decision;
import dev.placet.DeniedException;
import dev.placet.PlacetClient;
import dev.placet.Question;
import dev.placet.pdp.v1.MaskPlan;
import dev.placet.pdp.v1.MaskShape;
import dev.placet.pdp.v1.StreamStart;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;

/** Masks Arrow data of any length, in bounded memory. */
public final class ArrowMask {
    /** The part of the largest message that a batch may take: its description and the envelope come on top. */
    private static final int BODY_PART = 2;
    /** Rows of a batch; far below what the server takes, also where a row has hardly a byte. */
    private static final int BATCH_ROWS = 65_536;

    private ArrowMask() {}

    /**
     * What was masked.
     *
     * @param decision the decision, which allows
     * @param plan what was done with each column
     * @param rows the number of rows
     * @param recordId the record in the audit log
     */
    public record Masked(Decision decision, MaskPlan plan, long rows, String recordId) {}

    /**
     * Masks what the reader gives into a file, an Arrow IPC stream. The file is there only once all of it was masked
     * and recorded; after an error nothing of it is.
     *
     * @param question made by {@link Question#mask}
     * @param source without dictionaries; the caller closes it
     * @throws DeniedException where the decision does not allow
     * @throws dev.placet.PlacetException where the server fails, or ends without saying that all was masked
     */
    public static Masked mask(PlacetClient client, Question question, ArrowReader source, Path target)
            throws IOException, InterruptedException {
        var root = source.getVectorSchemaRoot();
        if (!source.getDictionaryVectors().isEmpty()) {
            throw new IllegalArgumentException("the source has dictionaries; decode them first (DictionaryEncoder)");
        }
        var start = StreamStart.newBuilder()
                .setScope(client.maskScope(question))
                .setShape(MaskShape.newBuilder().setArrowSchema(schema(root)));
        long bytes = client.serverInfo().getLimits().getMessageBytes() / BODY_PART;
        Path part = Files.createTempFile(target.toAbsolutePath().getParent(), ".masked", ".part");
        try (var exchange = new Exchange(client, part)) {
            var opened = exchange.open(start.build());
            var decision = client.decision(opened.getDecision()).require();
            while (source.loadNextBatch()) {
                send(root, 0, root.getRowCount(), bytes, exchange);
            }
            var end = exchange.end();
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return new Masked(decision, opened.getPlan(), end.getRows(), end.getRecordId());
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static void send(VectorSchemaRoot root, int from, int rows, long bytes, Exchange exchange)
            throws IOException, InterruptedException {
        try (var slice = root.slice(from, rows); var batch = new VectorUnloader(slice).getRecordBatch()) {
            if (rows > 1 && (rows > BATCH_ROWS || batch.computeBodyLength() > bytes)) {
                send(root, from, rows / 2, bytes, exchange);
                send(root, from + rows / 2, rows - rows / 2, bytes, exchange);
            } else if (rows > 0) {
                var written = new ByteArrayOutputStream();
                MessageSerializer.serialize(new WriteChannel(Channels.newChannel(written)), batch);
                exchange.send(ByteString.copyFrom(written.toByteArray()), rows);
            }
        }
    }

    private static ByteString schema(VectorSchemaRoot root) throws IOException {
        var written = new ByteArrayOutputStream();
        MessageSerializer.serialize(new WriteChannel(Channels.newChannel(written)), root.getSchema());
        return ByteString.copyFrom(written.toByteArray());
    }
}
