package dev.placet;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.placet.pdp.v1.ApprovalServiceGrpc;
import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.OutcomeState;
import dev.placet.pdp.v1.ReportOutcomeRequest;
import io.grpc.Deadline;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.BaseStream;

/**
 * A function behind its guard: nothing runs without a proof that this very request may run, here and now.
 *
 * <p>ask - wait for people - ask again, using the approval - look again at what is about to run - check the grant -
 * run - report
 */
final class Guard<A, R> implements GuardedFunction<A, R> {
    private static final System.Logger LOG = System.getLogger("dev.placet.guard");
    private static final Grant.Spent SPENT = new Grant.Spent();

    private final PlacetClient client;
    private final GuardOptions<A> options;
    private final GuardedFunction<A, R> function;

    Guard(PlacetClient client, GuardOptions<A> options, GuardedFunction<A, R> function) {
        this.client = client;
        this.options = options;
        this.function = function;
    }

    @Override
    public R apply(A arguments) throws Exception {
        var call = new Call(client.serverInfo(), arguments);
        var grant = call.granted(options.patience());
        R result;
        try {
            result = function.apply(call.copy);
            requireEnded(result);
        } catch (Throwable error) {
            report(grant, OutcomeState.OUTCOME_STATE_FAILED, error.getClass().getSimpleName());
            throw error;
        }
        report(grant, OutcomeState.OUTCOME_STATE_SUCCEEDED, "");
        return result;
    }

    /** One call: the context is taken from the arguments once, and everything else is made of it. */
    private final class Call {
        private final Map<String, Object> context;
        private final Question asked;
        private final String canonical;
        private GetServerInfoResponse facts;
        private A copy;

        @SuppressWarnings("unchecked") // names that are not text are refused with the path
        Call(GetServerInfoResponse facts, A arguments) {
            this.facts = facts;
            if (arguments instanceof Map<?, ?> map) {
                Text.required((Map<String, ?>) map, "arguments");
            }
            context = JsonValue.members(arguments, "arguments", facts.getLimits().getNesting());
            asked = question().identified().wantGrant();
            canonical = asked.canonical(facts);
        }

        /** The proof that what `copy` holds may run. */
        Grant granted(Duration patience) throws InterruptedException {
            var decision = decided(patience).require().response();
            try {
                return checked(decision);
            } catch (PlacetException error) {
                var known = facts;
                facts = client.freshServerInfo(); // its keys may be others by now
                if (facts.equals(known)) {
                    throw error;
                }
                return checked(decision);
            }
        }

        private Decision decided(Duration patience) throws InterruptedException {
            String attemptId = UUID.randomUUID().toString(); // it is for one run; another one may go on beside it
            var end = Deadline.after(patience.toMillis(), TimeUnit.MILLISECONDS);
            var question = asked;
            while (true) {
                var decision = client.decision(client.decided(question, attemptId,
                        Deadline.after(client.timeout().toMillis(), TimeUnit.MILLISECONDS)));
                if (!decision.needsApproval()) {
                    return decision;
                }
                String approvalId = decision.response().getApproval().getApprovalId();
                long left = end.timeRemaining(TimeUnit.MILLISECONDS);
                if (left <= 0) {
                    throw new ApprovalPendingException(approvalId, asked.requestId());
                }
                client.await(approvalId, Duration.ofMillis(left));
                requireUnchanged();
                question = asked.approvalId(approvalId);
            }
        }

        /** The grant of an answer, for what would run now. Nothing waits between this and the run. */
        private Grant checked(AuthorizeResponse answer) {
            requireUnchanged();
            var chain = new ArrayList<>(asked.onBehalfOf());
            int named = chain.size();
            // Those that the caller's credential adds stand behind them.
            answer.getOnBehalfOfList().stream().skip(named).map(Question.Principal::of).forEach(chain::add);
            String digest = Canonical.digest(asked.onBehalfOf(chain).canonical(facts), facts.getRealm());
            if (answer.getOnBehalfOfCount() < named || !digest.equals(answer.getRequestDigest())) {
                throw PlacetException.grantInvalid("digest", "the server decided about another request than this one");
            }
            var now = Instant.now();
            var grant = Grant.verified(answer.getGrant(), facts.getJwks(), facts.getCaller().getIdentity(),
                    facts.getRealm(), digest, now);
            if (!grant.decisionId().equals(answer.getDecisionId())
                    || !grant.approvalId().equals(answer.getApproval().getApprovalId())) {
                throw PlacetException.grantInvalid("jti", "the grant is for another decision");
            }
            copy = decoded();
            SPENT.spend(grant, now);
            return grant;
        }

        private void requireUnchanged() {
            if (!question().canonical(facts).equals(canonical)) {
                throw changed("what is about to run is not what was asked about: it changed meanwhile");
            }
        }

        private Question question() {
            var made = options.question().apply(facts.getCaller().getIdentity(), decoded());
            if (made.hasContext()) {
                throw new IllegalArgumentException("the context of a guarded function is its arguments; leave it out");
            }
            return made.arguments(context);
        }

        /** The arguments anew, from the canonical bytes: what one reader does to them, no other sees. */
        @SuppressWarnings("unchecked") // GuardOptions pairs the class with the type
        private A decoded() {
            try {
                var text = Canonical.json(context);
                var made = (A) Json.STRICT.readValue(text, options.arguments());
                if (Canonical.json(JsonValue.members(made, "arguments", facts.getLimits().getNesting())).equals(text)) {
                    return made;
                }
            } catch (JsonProcessingException error) {
                throw new IllegalArgumentException("the arguments do not read back from their JSON form", error);
            }
            throw changed("the arguments read back from their JSON form as others");
        }
    }

    private static PlacetException changed(String sentence) {
        return new PlacetException("PERMISSION_DENIED", "ARGUMENTS_CHANGED", sentence);
    }

    /** Waits for a future, and refuses what would run after the call. */
    static void requireEnded(Object result) throws Exception {
        if (result instanceof CompletionStage<?> stage) {
            try {
                requireEnded(stage.toCompletableFuture().join());
            } catch (CompletionException error) {
                throw error.getCause() instanceof Exception cause ? cause : error;
            }
        } else if (result instanceof Iterator || result instanceof BaseStream || result instanceof Future
                || result instanceof Flow.Publisher) {
            if (result instanceof BaseStream<?, ?> stream) {
                stream.close();
            } else if (result instanceof Future<?> future) {
                future.cancel(true);
            }
            throw new IllegalStateException("the guarded function gave a " + result.getClass().getSimpleName()
                    + ", which runs after its call; return a list or a CompletableFuture");
        }
    }

    /** A report that fails is logged: it must not hide the result. */
    private void report(Grant grant, OutcomeState state, String detail) {
        if (grant.approvalId().isEmpty()) {
            return;
        }
        var request = ReportOutcomeRequest.newBuilder()
                .setApprovalId(grant.approvalId()).setState(state).setDetail(detail).build();
        boolean interrupted = Thread.interrupted(); // the report is made all the same
        try {
            client.call(ApprovalServiceGrpc.newBlockingStub(client.channel()), stub -> stub.reportOutcome(request));
        } catch (RuntimeException error) {
            String reason = error instanceof PlacetException known ? known.reason() : error.getClass().getSimpleName();
            LOG.log(System.Logger.Level.WARNING, "the outcome of {0} was not reported: {1}",
                    grant.approvalId(), reason);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
