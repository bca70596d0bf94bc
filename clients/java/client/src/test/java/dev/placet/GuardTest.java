package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.Subject;
import io.grpc.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SubmissionPublisher;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class GuardTest {
    private static final GuardOptions<Map<String, Object>> READ =
            GuardOptions.ofMap((caller, one) -> Question.of(caller, "read", "table:" + one.get("table")));
    private static final Map<String, Object> ARGUMENTS = Map.of("table", "t", "rows", 1);

    record Hiding(String table, @JsonIgnore String secret) {}

    private final List<Object> ran = new ArrayList<>();

    static Stream<UnaryOperator<AuthorizeResponse>> lies() {
        return Stream.of(
                answer -> answer.toBuilder().clearGrant().build(),
                answer -> answer.toBuilder().setGrant(answer.getGrant() + "A").build(),
                answer -> answer.toBuilder().setDecisionId("dec_other").build(),
                answer -> answer.toBuilder().setRequestDigest("other").build(),
                answer -> answer.toBuilder().addOnBehalfOf(Subject.newBuilder().setType("user").setId("bob")).build());
    }

    @ParameterizedTest
    @MethodSource("lies")
    void anAllowWithoutItsProofRunsNothing(UnaryOperator<AuthorizeResponse> lie) throws Exception {
        try (var server = new Impostor(lie); var client = server.client()) {
            var error = assertThrows(PlacetException.class, () -> client.guard(READ, ran::add).apply(ARGUMENTS));
            assertEquals("GRANT_INVALID", error.reason());
        }
        assertTrue(ran.isEmpty());
    }

    @Test
    void oneGrantIsForOneRun() throws Exception {
        var first = new ArrayList<AuthorizeResponse>();
        UnaryOperator<AuthorizeResponse> repeating = answer -> {
            first.add(answer);
            return first.get(0);
        };
        try (var server = new Impostor(repeating); var client = server.client()) {
            var read = client.guard(READ, ran::add);
            read.apply(ARGUMENTS);
            var error = assertThrows(PlacetException.class, () -> read.apply(ARGUMENTS));
            assertEquals("jti", error.metadata().get("check"));
        }
        assertEquals(1, ran.size());
    }

    @Test
    void anAnswerThatWasLostIsAskedForAgainByTheSameAttempt() throws Exception {
        var lost = new ArrayList<AuthorizeResponse>();
        UnaryOperator<AuthorizeResponse> losing = answer -> {
            if (lost.size() < 2) {
                lost.add(answer);
                throw Status.UNAVAILABLE.asRuntimeException();
            }
            return answer;
        };
        try (var server = new Impostor(losing); var client = server.client()) {
            assertTrue(client.authorize(Question.of("user:alice", "read", "table:t")).allowed());
            assertEquals(3, server.requests.size());
            assertEquals(1, server.requests.stream().distinct().count());
        }
    }

    @Test
    void anotherErrorIsNotTriedAgain() throws Exception {
        UnaryOperator<AuthorizeResponse> failing = answer -> {
            throw Status.INTERNAL.asRuntimeException();
        };
        try (var server = new Impostor(failing); var client = server.client()) {
            var decision = client.authorize(Question.of("user:alice", "read", "table:t"));
            assertEquals("INTERNAL", decision.error().orElseThrow().code());
            assertEquals(1, server.requests.size());
        }
    }

    @Test
    void argumentsThatDoNotReadBackRunNothing() throws Exception {
        try (var server = new Impostor(answer -> answer); var client = server.client()) {
            var options = GuardOptions.of(Hiding.class, (caller, one) -> Question.of(caller, "read", "table:t"));
            assertThrows(Exception.class, () -> client.guard(options, ran::add).apply(new Hiding("t", "s")));
            assertThrows(IllegalArgumentException.class,
                    () -> client.guard(READ, ran::add).apply(Map.of("table", "t", "tags", "[pii]")));
            assertTrue(server.requests.isEmpty());
            var meant = Map.<String, Object>of("table", "t", "tags", new Text("[pii]"));
            assertEquals("[pii]", client.guard(READ, one -> one.get("tags")).apply(meant));
        }
        assertTrue(ran.isEmpty());
    }

    @Test
    void whatRunsAfterItsCallIsRefused() throws Exception {
        Guard.requireEnded(List.of(1));
        Guard.requireEnded(CompletableFuture.completedFuture(1));
        try (var publisher = new SubmissionPublisher<>()) {
            for (Object later : List.of(List.of(1).iterator(), Stream.of(1), new FutureTask<>(() -> 1), publisher,
                    CompletableFuture.completedFuture(Stream.of(1)))) {
                assertThrows(IllegalStateException.class, () -> Guard.requireEnded(later));
            }
        }
        assertThrows(IOException.class,
                () -> Guard.requireEnded(CompletableFuture.failedFuture(new IOException("the disk is gone"))));
    }
}
