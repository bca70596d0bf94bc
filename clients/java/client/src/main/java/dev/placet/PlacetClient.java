package dev.placet;

import dev.placet.pdp.v1.Approval;
import dev.placet.pdp.v1.ApprovalServiceGrpc;
import dev.placet.pdp.v1.AuthorizeRequest;
import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.DecisionServiceGrpc;
import dev.placet.pdp.v1.GetApprovalRequest;
import dev.placet.pdp.v1.GetServerInfoRequest;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.InfoServiceGrpc;
import dev.placet.pdp.v1.MaskScope;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A connection to a Placet server. Threads may share it.
 *
 * <pre>{@code
 * try (var pdp = PlacetClient.builder().build()) {
 *     var question = Question.of("agent:report-bot", "read", "table:customers").onBehalfOf("user:alice");
 *     if (pdp.authorize(question).allowed()) { ... }
 * }
 * }</pre>
 *
 * <p>Only a clear allow is allowed. An error, an unknown effect and an obligation that the program does not know are
 * not.
 */
public final class PlacetClient implements AutoCloseable {
    /** Attempts of one decision while the server is away; with their pauses they fit into the usual timeout. */
    private static final int ATTEMPTS = 4;
    /** With these nothing was decided, because the server is another one than the facts were of. */
    private static final Set<String> DIFFERING = Set.of("REQUEST_DIFFERS", "DIGEST_REQUIRED");

    private final ManagedChannel connection;
    private final Channel channel;
    private final Token token;
    private final Duration timeout;
    private final Set<String> understood;
    private final Facts facts;

    private PlacetClient(Builder builder) {
        connection = Link.opened(builder.address, builder.ca, builder.certificate, builder.key, builder.keepalive);
        token = new Token(builder.token);
        facts = new Facts(connection);
        channel = ClientInterceptors.intercept(connection, token, facts);
        timeout = builder.timeout;
        understood = builder.understood;
    }

    /**
     * A client by the environment: {@code PDP_ADDRESS}, {@code PDP_TOKEN} or {@code PDP_TOKEN_FILE}, {@code PDP_CA}.
     */
    public static Builder builder() {
        return new Builder(System.getenv());
    }

    /**
     * The answer to a question, or the error that came instead. Only {@code UNAVAILABLE} is tried again, as the same
     * attempt. Each call is an attempt of its own: an approval that an earlier one used is denied.
     *
     * @throws IllegalArgumentException where the question holds what cannot be sent, with the path
     */
    public Decision authorize(Question question) {
        var asked = question.identified();
        try {
            var end = Deadline.after(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return decision(decided(asked, UUID.randomUUID().toString(), end));
        } catch (PlacetException error) {
            return new Decision(AuthorizeResponse.getDefaultInstance(), understood, Optional.of(error));
        }
    }

    /**
     * The approval as soon as it is PENDING no longer, or as it is after that time, also over restarts of the server
     * and new tokens. Act only on an approval that is APPROVED.
     */
    public Approval await(String approvalId, Duration atMost) throws InterruptedException {
        var ended = new Waiting(this, token).approval(approvalId, atMost);
        return ended.isPresent() ? ended.get() : call(ApprovalServiceGrpc.newBlockingStub(channel),
                stub -> stub.getApproval(GetApprovalRequest.newBuilder().setApprovalId(approvalId).build()))
                .getApproval();
    }

    /**
     * A function that runs only with a checked grant for exactly the arguments that it is about to get; see
     * {@link GuardOptions}.
     *
     * @throws IllegalArgumentException when it is called with arguments that JSON has no form for
     */
    public <A, R> GuardedFunction<A, R> guard(GuardOptions<A> options, GuardedFunction<A, R> function) {
        return new Guard<>(this, options, function);
    }

    /**
     * Masked rows, in the number and order of these maps or records. They hold what a {@link Question} may hold, and
     * numbers of any length, BigDecimal among them. The question is made by {@link Question#mask}.
     *
     * @throws PlacetException where there is no answer
     */
    public MaskedRows mask(Question question, List<?> rows) {
        return Masks.masked(this, question, rows);
    }

    /** What this server is and takes. It is asked once a connection, and where it may be another by now. */
    public GetServerInfoResponse serverInfo() {
        return facts(Deadline.after(timeout.toMillis(), TimeUnit.MILLISECONDS));
    }

    /** The same, asked anew. */
    GetServerInfoResponse freshServerInfo() {
        facts.forget();
        return serverInfo();
    }

    /** The channel, which sends the token with each call: for the stubs of {@code dev.placet.pdp.v1}. */
    public Channel channel() {
        return channel;
    }

    /** One call of a blocking stub within the timeout, whose errors are {@link PlacetException}s. */
    public <S extends AbstractStub<S>, T> T call(S stub, Function<S, T> rpc) {
        return called(stub, Deadline.after(timeout.toMillis(), TimeUnit.MILLISECONDS), rpc);
    }

    /** The scope of a Mask RPC that this question asks for, as an attempt of its own. */
    public MaskScope maskScope(Question question) {
        return question.identified().scope(serverInfo());
    }

    /** An answer as this client understands it. */
    public Decision decision(AuthorizeResponse answer) {
        return new Decision(answer, understood, Optional.empty());
    }

    /** Closes the connection. */
    @Override
    public void close() {
        connection.shutdownNow();
    }

    /** The answer to one attempt, asked until it is there or the deadline or the attempts are over. */
    AuthorizeResponse decided(Question question, String attemptId, Deadline end) {
        return retried(end, () -> {
            var request = question.request(facts(end), attemptId);
            var answer = called(DecisionServiceGrpc.newBlockingStub(channel), end, stub -> stub.authorize(request));
            return request.getDryRun() ? answer.toBuilder().setDryRun(true).build() : answer;
        });
    }

    Duration timeout() {
        return timeout;
    }

    void reconnect() {
        connection.resetConnectBackoff();
    }

    <S extends AbstractStub<S>, T> T called(S stub, Deadline end, Function<S, T> rpc) {
        try {
            return rpc.apply(stub.withDeadline(end));
        } catch (StatusRuntimeException error) {
            throw PlacetException.of(error);
        }
    }

    private <T> T retried(Deadline end, Supplier<T> call) {
        var backoff = new Backoff();
        for (int attempt = 1; ; attempt++) {
            try {
                return call.get();
            } catch (PlacetException error) {
                if (attempt == 1 && DIFFERING.contains(error.reason())) {
                    continue;
                }
                long left = end.timeRemaining(TimeUnit.MILLISECONDS);
                if (!error.is(Status.Code.UNAVAILABLE) || attempt == ATTEMPTS || left <= backoff.next().toMillis()) {
                    throw error;
                }
            }
            try {
                backoff.pause();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new PlacetException("CANCELLED", "CANCELLED", "this thread was interrupted");
            }
            reconnect();
        }
    }

    private GetServerInfoResponse facts(Deadline end) {
        return facts.or(() -> called(InfoServiceGrpc.newBlockingStub(channel), end,
                stub -> stub.getServerInfo(GetServerInfoRequest.getDefaultInstance())));
    }

    /** What a client is made of; what is left out comes from the environment. */
    public static final class Builder {
        private String address;
        private Supplier<String> token;
        private Path ca;
        private Path certificate;
        private Path key;
        private Duration timeout = Duration.ofSeconds(5);
        private Duration keepalive = Duration.ofSeconds(30);
        private Set<String> understood = Set.of();

        private Builder(Map<String, String> environment) {
            address = environment.getOrDefault("PDP_ADDRESS", "127.0.0.1:4770");
            String text = environment.getOrDefault("PDP_TOKEN", "");
            String file = environment.getOrDefault("PDP_TOKEN_FILE", "");
            token = text.isEmpty() && !file.isEmpty() ? Token.in(Path.of(file)) : () -> text;
            ca = path(environment.get("PDP_CA"));
            certificate = path(environment.get("PDP_CERTIFICATE"));
            key = path(environment.get("PDP_KEY"));
        }

        /** {@code host:port}, or {@code unix:/path}. */
        public Builder address(String address) {
            this.address = address;
            return this;
        }

        /** The token. */
        public Builder token(String token) {
            return token(() -> token);
        }

        /** What gives the token of now; it is read for each call, and waits go on with the next token. */
        public Builder token(Supplier<String> source) {
            token = source;
            return this;
        }

        /** A file that holds the token and that something renews. */
        public Builder tokenFile(Path file) {
            return token(Token.in(file));
        }

        /** The PEM file of the server's authority. Without, the address must be on this machine. */
        public Builder ca(Path ca) {
            this.ca = ca;
            return this;
        }

        /** The client's own certificate and its key, in PEM. */
        public Builder certificate(Path certificate, Path key) {
            this.certificate = certificate;
            this.key = key;
            return this;
        }

        /** How long a call may take with all its attempts. */
        public Builder timeout(Duration timeout) {
            this.timeout = timeout;
            return this;
        }

        /** The time between two pings, which notice a dead connection. */
        public Builder keepalive(Duration keepalive) {
            this.keepalive = keepalive;
            return this;
        }

        /** The types of obligations that this program meets. */
        public Builder understands(String... obligations) {
            understood = Set.of(obligations);
            return this;
        }

        /** The client. It connects when it is first asked. */
        public PlacetClient build() {
            return new PlacetClient(this);
        }

        private static Path path(String name) {
            return name == null || name.isEmpty() ? null : Path.of(name);
        }
    }
}
