package dev.placet.arrow;

import com.google.protobuf.ByteString;
import dev.placet.PlacetClient;
import dev.placet.PlacetException;
import dev.placet.pdp.v1.MaskServiceGrpc;
import dev.placet.pdp.v1.MaskStreamRequest;
import dev.placet.pdp.v1.MaskStreamResponse;
import dev.placet.pdp.v1.StreamEnd;
import dev.placet.pdp.v1.StreamOpened;
import dev.placet.pdp.v1.StreamStart;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;

/**
 * One stream to the server and back: one thread sends, at the speed of the server, and gRPC's own writes what comes
 * back into a file. Whichever side fails first gives the error.
 */
final class Exchange implements ClientResponseObserver<MaskStreamRequest, MaskStreamResponse>, AutoCloseable {
    /** What ends an Arrow IPC stream. */
    private static final byte[] END_OF_STREAM = {-1, -1, -1, -1, 0, 0, 0, 0};

    private final OutputStream file;
    private ClientCallStreamObserver<MaskStreamRequest> requests;
    private StreamOpened opened;
    private StreamEnd end;
    private RuntimeException failure;
    private boolean done;
    private long sent;
    private long came;

    Exchange(PlacetClient client, Path part) throws IOException {
        file = Files.newOutputStream(part);
        MaskServiceGrpc.newStub(client.channel()).maskStream(this);
    }

    /** Begin, and return the decision. */
    synchronized StreamOpened open(StreamStart start) throws InterruptedException {
        requests.onNext(MaskStreamRequest.newBuilder().setStart(start).build());
        while (opened == null && !done) {
            wait();
        }
        requireGood(opened != null);
        return opened;
    }

    /** Send one batch, as soon as the server takes it. */
    synchronized void send(ByteString message, int rows) throws InterruptedException {
        while (!requests.isReady() && !done) {
            wait();
        }
        requireGood(!done);
        requests.onNext(MaskStreamRequest.newBuilder().setArrowMessage(message).build());
        sent += rows;
    }

    /** Everything was sent: wait until all of it came back, and the server says so. */
    synchronized StreamEnd end() throws IOException, InterruptedException {
        requests.onCompleted();
        while (!done) {
            wait();
        }
        requireGood(end != null && end.getRows() == sent && came == sent);
        file.write(END_OF_STREAM);
        file.close();
        return end;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<MaskStreamRequest> stream) {
        requests = stream;
        stream.setOnReadyHandler(this::wake);
    }

    @Override
    public synchronized void onNext(MaskStreamResponse answer) {
        try {
            switch (answer.getMessageCase()) {
                case OPENED -> {
                    opened = answer.getOpened();
                    opened.getPlan().getOutputSchema().writeTo(file);
                }
                case ARROW_MESSAGE -> {
                    answer.getArrowMessage().writeTo(file);
                    came += rows(answer.getArrowMessage());
                }
                case END -> end = answer.getEnd();
                case MESSAGE_NOT_SET -> throw incomplete();
            }
        } catch (IOException | RuntimeException error) {
            failed(new PlacetException("DATA_LOSS", "STREAM_INCOMPLETE", "what came back cannot be kept: " + error));
        }
        notifyAll();
    }

    @Override
    public synchronized void onError(Throwable error) {
        failed(error instanceof StatusRuntimeException status
                ? PlacetException.of(status) : new RuntimeException(error));
        notifyAll();
    }

    @Override
    public synchronized void onCompleted() {
        done = true;
        notifyAll();
    }

    @Override
    public void close() throws IOException {
        synchronized (this) {
            done = true;
        }
        requests.cancel("the client does not read on", null);
        file.close();
    }

    private synchronized void wake() {
        notifyAll();
    }

    private void failed(RuntimeException error) {
        failure = failure == null ? error : failure;
        done = true;
    }

    private void requireGood(boolean good) {
        if (failure != null) {
            throw failure;
        } else if (!good) {
            throw incomplete();
        }
    }

    private static PlacetException incomplete() {
        return new PlacetException("DATA_LOSS", "STREAM_INCOMPLETE",
                "the stream ended before all was masked; nothing of it may be used");
    }

    static long rows(ByteString message) throws IOException {
        var bytes = new ReadChannel(Channels.newChannel(new ByteArrayInputStream(message.toByteArray())));
        var read = MessageSerializer.readMessage(bytes).getMessage();
        return read.headerType() == MessageHeader.RecordBatch
                ? ((RecordBatch) read.header(new RecordBatch())).length() : 0;
    }
}
