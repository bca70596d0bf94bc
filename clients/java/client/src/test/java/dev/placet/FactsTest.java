package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import dev.placet.pdp.v1.AuthorizeRequest;
import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.DecisionServiceGrpc;
import dev.placet.pdp.v1.Effect;
import dev.placet.pdp.v1.GetServerInfoRequest;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.InfoServiceGrpc;
import dev.placet.pdp.v1.MaskRequest;
import dev.placet.pdp.v1.MaskResponse;
import dev.placet.pdp.v1.MaskServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A server is updated while a client idles: no restart of the client is needed. */
final class FactsTest {
    private static final String[] EVERYTHING = {"properties_json", "context_json", "expected_digest"};
    private static final Question READ = Question.of("user:alice", "read", "table:t");

    private volatile GetServerInfoResponse facts;

    @Test
    void anUpdateBehindAConnectionThatStaysIsNoticedByAnErrorOfAnyCall() throws Exception {
        int port = freePort();
        try (var client = client(port)) {
            var server = serving(port);
            facts = Vectors.facts("old");
            mask(client);
            facts = Vectors.facts("old", EVERYTHING);
            assertEquals("DIGEST_REQUIRED", refused(client));
            mask(client);
            facts = Vectors.facts("new", EVERYTHING);
            assertEquals("REQUEST_DIFFERS", refused(client));
            mask(client);
            facts = Vectors.facts("newer", EVERYTHING);
            assertTrue(client.authorize(READ).allowed(), "a question is asked again by itself");
            server.shutdownNow().awaitTermination();
        }
    }

    @Test
    void aRestartIsNoticedBeforeTheNextCall() throws Exception {
        int port = freePort();
        try (var client = client(port)) {
            for (String realm : List.of("first", "second", "third")) {
                facts = Vectors.facts(realm, EVERYTHING);
                var server = serving(port);
                assertTrue(client.authorize(READ).allowed());
                server.shutdownNow().awaitTermination();
            }
        }
    }

    @Test
    void whereNothingAnswersTheErrorSaysWhatToDo() throws Exception {
        try (var client = client(freePort())) {
            var error = client.authorize(READ).error().orElseThrow();
            assertEquals("UNAVAILABLE", error.code());
            assertTrue(error.getMessage().contains("PDP_ADDRESS"), error.getMessage());
        }
    }

    private static void mask(PlacetClient client) {
        client.mask(Question.mask("user:alice", "t"), List.of());
    }

    private static String refused(PlacetClient client) {
        return assertThrows(PlacetException.class, () -> mask(client)).reason();
    }

    private static PlacetClient client(int port) {
        return PlacetClient.builder().address("127.0.0.1:" + port).token("").build();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private Server serving(int port) throws IOException {
        return Grpc.newServerBuilderForPort(port, InsecureServerCredentials.create())
                .addService(new Info()).addService(new Decisions()).addService(new Masking()).build().start();
    }

    /** Answers, or refuses as a server does. */
    private <A> void answered(Question asked, String digest, A answer, StreamObserver<A> answers) {
        boolean takes = facts.getFeaturesList().contains("expected_digest");
        if (!takes || digest.equals(Canonical.digest(asked.canonical(facts), facts.getRealm()))) {
            answers.onNext(answer);
            answers.onCompleted();
            return;
        }
        var info = ErrorInfo.newBuilder().setReason(digest.isEmpty() ? "DIGEST_REQUIRED" : "REQUEST_DIFFERS").build();
        answers.onError(StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                .setCode(Status.Code.INVALID_ARGUMENT.value()).addDetails(Any.pack(info)).build()));
    }

    private final class Info extends InfoServiceGrpc.InfoServiceImplBase {
        @Override
        public void getServerInfo(GetServerInfoRequest request, StreamObserver<GetServerInfoResponse> answers) {
            answers.onNext(facts);
            answers.onCompleted();
        }
    }

    private final class Decisions extends DecisionServiceGrpc.DecisionServiceImplBase {
        @Override
        public void authorize(AuthorizeRequest request, StreamObserver<AuthorizeResponse> answers) {
            var allow = AuthorizeResponse.newBuilder().setEffect(Effect.EFFECT_ALLOW).build();
            answered(READ, request.getExpectedDigest(), allow, answers);
        }
    }

    private final class Masking extends MaskServiceGrpc.MaskServiceImplBase {
        @Override
        public void mask(MaskRequest request, StreamObserver<MaskResponse> answers) {
            answered(Question.mask("user:alice", "t"), request.getScope().getExpectedDigest(),
                    MaskResponse.getDefaultInstance(), answers);
        }
    }
}
