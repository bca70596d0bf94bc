package dev.placet;

import dev.placet.pdp.v1.Approval;
import dev.placet.pdp.v1.ApprovalServiceGrpc;
import dev.placet.pdp.v1.ApprovalState;
import dev.placet.pdp.v1.WaitApprovalRequest;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The client's half of waiting: over many calls, new tokens, and restarts of the server. */
final class Waiting {
    /** What one call may take: the 60 s of the server, and the way. */
    private static final long CALL_MILLIS = 65_000;
    /** Less is not worth another call. */
    private static final long SHORTEST_MILLIS = 100;
    /** A call that lasted longer had a token that counted; one that ended sooner was refused for its token. */
    private static final long REFUSED_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final Set<String> MAY_PASS = Set.of("UNAVAILABLE", "DEADLINE_EXCEEDED");

    private final PlacetClient client;
    private final Token token;
    private final Backoff backoff = new Backoff();
    private int renewals;

    Waiting(PlacetClient client, Token token) {
        this.client = client;
        this.token = token;
    }

    /** The approval as soon as it is PENDING no longer; empty when the time is over. */
    Optional<Approval> approval(String approvalId, Duration atMost) throws InterruptedException {
        var request = WaitApprovalRequest.newBuilder().setApprovalId(approvalId).build();
        var end = Deadline.after(atMost.toMillis(), TimeUnit.MILLISECONDS);
        while (end.timeRemaining(TimeUnit.MILLISECONDS) > SHORTEST_MILLIS) {
            var soonest = end.minimum(Deadline.after(CALL_MILLIS, TimeUnit.MILLISECONDS));
            String used = token.now();
            long began = System.nanoTime();
            try {
                var approval = client.called(ApprovalServiceGrpc.newBlockingStub(client.channel()), soonest,
                        stub -> stub.waitApproval(request)).getApproval();
                if (approval.getState() != ApprovalState.APPROVAL_STATE_PENDING) {
                    return Optional.of(approval);
                }
                backoff.reset();
                renewals = 0;
            } catch (PlacetException error) {
                if (!goesOn(error, used, System.nanoTime() - began)) {
                    throw error;
                }
            }
        }
        return Optional.empty();
    }

    private boolean goesOn(PlacetException error, String used, long lastedNanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        } else if (error.code().equals("UNAUTHENTICATED")) {
            renewals = lastedNanos > REFUSED_NANOS ? 1 : renewals + 1;
            return renewals == 1 && token.isRenewed(used);
        } else if (!MAY_PASS.contains(error.code())) {
            return false;
        }
        backoff.pause();
        client.reconnect();
        return true;
    }
}
