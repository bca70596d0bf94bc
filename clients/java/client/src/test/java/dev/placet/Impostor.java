package dev.placet;

import dev.placet.pdp.v1.AuthorizeRequest;
import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.CallerInfo;
import dev.placet.pdp.v1.DecisionServiceGrpc;
import dev.placet.pdp.v1.Effect;
import dev.placet.pdp.v1.GetServerInfoRequest;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.InfoServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;

/** A server that allows everything with a good grant, but for what a test changes in its answers. */
final class Impostor implements AutoCloseable {
    /** Bytes of an Ed25519 key, which end its X.509 form. */
    private static final int KEY_BYTES = 32;

    final List<AuthorizeRequest> requests = new ArrayList<>();
    private final UnaryOperator<AuthorizeResponse> changed;
    private final KeyPair key;
    private final Server server;

    Impostor(UnaryOperator<AuthorizeResponse> changed) throws IOException, GeneralSecurityException {
        this.changed = changed;
        key = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .addService(new Facts()).addService(new Decisions()).build().start();
    }

    PlacetClient client() {
        return PlacetClient.builder().address("127.0.0.1:" + server.getPort()).token("").build();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private GetServerInfoResponse facts() {
        byte[] encoded = key.getPublic().getEncoded();
        var published = Map.of("kty", "OKP", "crv", "Ed25519", "kid", "k", "placet_use", "grant",
                "x", base64(Arrays.copyOfRange(encoded, encoded.length - KEY_BYTES, encoded.length)));
        return Vectors.facts("dev", "properties_json", "context_json", "expected_digest").toBuilder()
                .setJwks(Canonical.json(Map.of("keys", List.of(published))))
                .setCaller(CallerInfo.newBuilder().setIdentity("user:alice")).build();
    }

    private AuthorizeResponse allow(AuthorizeRequest request) {
        String decisionId = "dec_" + UUID.randomUUID();
        long now = Instant.now().getEpochSecond();
        var claims = Map.of("iss", "dev", "aud", "user:alice", "jti", decisionId, "digest", request.getExpectedDigest(),
                "iat", now, "exp", now + 30);
        return AuthorizeResponse.newBuilder().setEffect(Effect.EFFECT_ALLOW).setDecisionId(decisionId)
                .setRequestDigest(request.getExpectedDigest()).addAllOnBehalfOf(request.getOnBehalfOfList())
                .setGrant(signed(claims)).build();
    }

    private String signed(Map<String, ?> claims) {
        try {
            var header = Map.of("typ", "placet-grant+jwt", "alg", "EdDSA", "kid", "k");
            String text = base64(Canonical.json(header).getBytes(StandardCharsets.UTF_8)) + "."
                    + base64(Canonical.json(claims).getBytes(StandardCharsets.UTF_8));
            var signature = Signature.getInstance("Ed25519");
            signature.initSign(key.getPrivate());
            signature.update(text.getBytes(StandardCharsets.US_ASCII));
            return text + "." + base64(signature.sign());
        } catch (GeneralSecurityException error) {
            throw new AssertionError(error);
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private final class Facts extends InfoServiceGrpc.InfoServiceImplBase {
        @Override
        public void getServerInfo(GetServerInfoRequest request, StreamObserver<GetServerInfoResponse> answers) {
            answers.onNext(facts());
            answers.onCompleted();
        }
    }

    private final class Decisions extends DecisionServiceGrpc.DecisionServiceImplBase {
        @Override
        public void authorize(AuthorizeRequest request, StreamObserver<AuthorizeResponse> answers) {
            requests.add(request);
            try {
                answers.onNext(changed.apply(allow(request)));
                answers.onCompleted();
            } catch (StatusRuntimeException error) {
                answers.onError(error);
            }
        }
    }
}
