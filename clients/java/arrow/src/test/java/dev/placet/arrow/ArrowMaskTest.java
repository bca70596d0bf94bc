package dev.placet.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.placet.DeniedException;
import dev.placet.PlacetClient;
import dev.placet.PlacetException;
import dev.placet.Question;
import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.Effect;
import dev.placet.pdp.v1.GetServerInfoRequest;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.InfoServiceGrpc;
import dev.placet.pdp.v1.Limits;
import dev.placet.pdp.v1.MaskPlan;
import dev.placet.pdp.v1.MaskServiceGrpc;
import dev.placet.pdp.v1.MaskStreamRequest;
import dev.placet.pdp.v1.MaskStreamResponse;
import dev.placet.pdp.v1.StreamEnd;
import dev.placet.pdp.v1.StreamOpened;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a server that masks nothing, and ends as each test wants. */
final class ArrowMaskTest {
    private static final Question NAMES = Question.mask("user:alice", "crm.customers");

    @TempDir
    Path folder;

    private Server server;
    private PlacetClient client;

    @AfterEach
    void close() {
        client.close();
        server.shutdownNow();
    }

    @Test
    void aStreamWithItsEndIsKept() throws Exception {
        start(Effect.EFFECT_ALLOW, Status.OK, 0);
        try (var table = Table.of(3, 100_000)) {
            var masked = ArrowMask.mask(client, NAMES, table, folder.resolve("masked.arrows"));
            assertEquals(300_000, masked.rows());
        }
        assertEquals(1, files());
    }

    @Test
    void whatDoesNotEndAsItShouldLeavesNothing() throws Exception {
        record Case(Effect effect, Status status, long missing, String reason) {}
        for (var one : new Case[] {
            new Case(Effect.EFFECT_ALLOW, Status.OK, -1, "STREAM_INCOMPLETE"),
            new Case(Effect.EFFECT_ALLOW, Status.OK, 1, "STREAM_INCOMPLETE"),
            new Case(Effect.EFFECT_ALLOW, Status.UNAVAILABLE, -1, "UNAVAILABLE"),
            new Case(Effect.EFFECT_DENY, Status.OK, 0, "DENIED")}) {
            start(one.effect, one.status, one.missing);
            try (var table = Table.of(2, 10)) {
                var error = assertThrows(PlacetException.class,
                        () -> ArrowMask.mask(client, NAMES, table, folder.resolve("masked.arrows")));
                assertEquals(one.reason, error.reason());
                assertEquals(one.effect == Effect.EFFECT_DENY, error instanceof DeniedException);
            }
            close();
            assertEquals(0, files());
        }
    }

    @Test
    void aSourceThatBreaksLeavesNothing() throws Exception {
        start(Effect.EFFECT_ALLOW, Status.OK, 0);
        try (var table = Table.breaking()) {
            var error = assertThrows(IOException.class,
                    () -> ArrowMask.mask(client, NAMES, table, folder.resolve("masked.arrows")));
            assertEquals("the disk is gone", error.getMessage());
        }
        assertEquals(0, files());
    }

    private long files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.count();
        }
    }

    /** A server whose end lacks so many rows; with -1 it sends no end. */
    private void start(Effect effect, Status status, long missing) throws IOException {
        server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .addService(new Masks(effect, status, missing)).addService(new Facts()).build().start();
        client = PlacetClient.builder().address("127.0.0.1:" + server.getPort()).token("").build();
    }

    private static final class Facts extends InfoServiceGrpc.InfoServiceImplBase {
        @Override
        public void getServerInfo(GetServerInfoRequest request, StreamObserver<GetServerInfoResponse> answers) {
            var limits = Limits.newBuilder().setNesting(32).setMessageBytes(1 << 20);
            answers.onNext(GetServerInfoResponse.newBuilder().setLimits(limits).build());
            answers.onCompleted();
        }
    }

    private static final class Masks extends MaskServiceGrpc.MaskServiceImplBase {
        private final Effect effect;
        private final Status status;
        private final long missing;

        Masks(Effect effect, Status status, long missing) {
            this.effect = effect;
            this.status = status;
            this.missing = missing;
        }

        @Override
        public StreamObserver<MaskStreamRequest> maskStream(StreamObserver<MaskStreamResponse> answers) {
            return new StreamObserver<>() {
                private long rows;

                @Override
                public void onNext(MaskStreamRequest request) {
                    var answer = MaskStreamResponse.newBuilder();
                    if (request.hasStart()) {
                        var decision = AuthorizeResponse.newBuilder().setEffect(effect);
                        var shape = request.getStart().getShape();
                        var plan = MaskPlan.newBuilder().setOutputSchema(shape.getArrowSchema());
                        answer.setOpened(StreamOpened.newBuilder().setDecision(decision).setPlan(plan));
                    } else {
                        rows += rows(request);
                        answer.setArrowMessage(request.getArrowMessage());
                    }
                    answers.onNext(answer.build());
                }

                private static long rows(MaskStreamRequest request) {
                    try {
                        return Exchange.rows(request.getArrowMessage());
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                }

                @Override
                public void onError(Throwable error) {}

                @Override
                public void onCompleted() {
                    if (missing >= 0) {
                        var end = StreamEnd.newBuilder().setRows(rows - missing);
                        answers.onNext(MaskStreamResponse.newBuilder().setEnd(end).build());
                    }
                    if (status.isOk()) {
                        answers.onCompleted();
                    } else {
                        answers.onError(status.asRuntimeException());
                    }
                }
            };
        }
    }
}
