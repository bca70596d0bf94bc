package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.placet.pdp.v1.ApprovalServiceGrpc;
import dev.placet.pdp.v1.ApprovalState;
import dev.placet.pdp.v1.AuthorizeRequest;
import dev.placet.pdp.v1.DecisionServiceGrpc;
import dev.placet.pdp.v1.GetApprovalRequest;
import dev.placet.pdp.v1.ListApprovalsRequest;
import dev.placet.pdp.v1.OutcomeState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The story that every client tells, against `pdp dev`: `pdp` is on the PATH, and PDP_STATE names its folder. */
final class StoryIT {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    record Export(String table, long rows, List<String> columns) {}

    private final PlacetClient bot = client("report-bot");
    private final PlacetClient alice = client("alice");
    private final String table = "t" + UUID.randomUUID();
    private final String requestId = UUID.randomUUID().toString();
    private final List<Export> ran = new ArrayList<>();

    @AfterEach
    void close() {
        bot.close();
        alice.close();
    }

    @Test
    void allowsAndDenies() {
        var context = Map.of("rows", (1L << 53) - 1, "nested", Map.of("list", List.of(0.002, "é", Map.of())));
        var read = Question.of("agent:report-bot", "read", "table:customers").onBehalfOf("user:alice").context(context);
        var decision = bot.authorize(read).require();
        assertEquals(read.digest(bot.serverInfo()), decision.response().getRequestDigest());
        assertEquals("alice", decision.response().getOnBehalfOf(0).getId());
        var denied = bot.authorize(Question.of("agent:report-bot", "drop", "table:customers"));
        assertFalse(denied.allowed());
        assertThrows(DeniedException.class, denied::require);
        assertFalse(bot.authorize(read.dryRun()).allowed());
    }

    @Test
    void errorsHaveAllTheirDetails() {
        var error = bot.authorize(Question.of("agent:report-bot", "", "table:")).error().orElseThrow();
        assertEquals("INVALID_ARGUMENT/INVALID_REQUEST", error.code() + "/" + error.reason());
        assertEquals(List.of("action.name", "resource.id"),
                error.fields().stream().map(PlacetException.BadField::path).sorted().toList());
        assertEquals("SUBJECT_NOT_ALLOWED",
                bot.authorize(Question.of("user:somebody", "read", "table:t")).error().orElseThrow().reason());
        try (var stranger = PlacetClient.builder().token("nothing").build()) {
            var decision = stranger.authorize(Question.of("user:alice", "read", "table:t"));
            assertEquals("UNAUTHENTICATED", decision.error().orElseThrow().code());
        }
        try (var nobody = PlacetClient.builder().address("127.0.0.1:1").timeout(Duration.ofSeconds(1)).build()) {
            var decision = nobody.authorize(Question.of("user:alice", "read", "table:t"));
            assertEquals("UNAVAILABLE", decision.error().orElseThrow().code());
        }
    }

    @Test
    void whatArrivesOtherwiseIsNotDecided() {
        var request = Question.of("agent:report-bot", "read", "table:t").context(Map.of("rows", 1))
                .request(bot.serverInfo(), "attempt");
        AuthorizeRequest lost = request.toBuilder().clearContext().clearContextJson().build();
        var error = assertThrows(PlacetException.class,
                () -> bot.call(DecisionServiceGrpc.newBlockingStub(bot.channel()), stub -> stub.authorize(lost)));
        assertEquals("REQUEST_DIFFERS", error.reason());
    }

    @Test
    void aGuardedRunWaitsForPeopleAndHappensOnce() throws Exception {
        var export = bot.guard(options().waiting(MINUTE), one -> {
            ran.add(one);
            return CompletableFuture.supplyAsync(() -> one.rows);
        });
        var arguments = new Export(table, 7, new ArrayList<>(List.of("name")));
        var approving = CompletableFuture.runAsync(() -> approve(arguments));
        assertEquals(7, export.apply(arguments).join());
        approving.join();
        assertEquals(List.of(new Export(table, 7, List.of("name"))), ran); // as it was asked about
        var again = assertThrows(DeniedException.class, () -> export.apply(ran.get(0)));
        assertTrue(again.getMessage().contains("pdp.approval_consumed"), again.getMessage());
        var other = assertThrows(PlacetException.class, () -> export.apply(new Export(table, 8, List.of("name"))));
        assertEquals("REQUEST_ID_REUSED", other.reason());
        assertEquals(1, ran.size());
        assertEquals(OutcomeState.OUTCOME_STATE_SUCCEEDED, outcome());
    }

    @Test
    void pendingComesAtOnceWithoutTimeToWait() {
        var export = bot.guard(options(), ran::add);
        var pending = assertThrows(ApprovalPendingException.class, () -> export.apply(new Export(table, 1, List.of())));
        assertEquals(requestId, pending.requestId());
        assertEquals(pending.approvalId(), approvalId());
        assertTrue(ran.isEmpty());
    }

    @Test
    void aTokenThatEndedIsFollowedByTheNextOne() throws Exception {
        var export = bot.guard(options(), ran::add);
        var pending = assertThrows(ApprovalPendingException.class, () -> export.apply(new Export(table, 1, List.of())));
        String next = pdp("token", "--as", "report-bot");
        var reads = new AtomicInteger();
        try (var renewing = PlacetClient.builder().token(() -> reads.incrementAndGet() > 3 ? next : "ended").build()) {
            var approval = renewing.await(pending.approvalId(), Duration.ofSeconds(2));
            assertEquals(ApprovalState.APPROVAL_STATE_PENDING, approval.getState());
        }
    }

    @Test
    void aQuestionThatChangesDoesNotRun() {
        var calls = new AtomicInteger();
        var options = GuardOptions.of(Export.class, (caller, one) ->
                Question.of(caller, "read", "table:t" + calls.incrementAndGet()));
        var changed = assertThrows(PlacetException.class,
                () -> alice.guard(options, ran::add).apply(new Export(table, 1, List.of())));
        assertEquals("ARGUMENTS_CHANGED", changed.reason());
        assertTrue(ran.isEmpty());
    }

    @Test
    void whatRunsAfterItsCallIsRefusedAndReportedAsFailed() throws Exception {
        var export = bot.guard(options().waiting(MINUTE), one -> List.of(one).stream());
        var arguments = new Export(table, 1, new ArrayList<>());
        var approving = CompletableFuture.runAsync(() -> approve(arguments));
        assertThrows(IllegalStateException.class, () -> export.apply(arguments));
        approving.join();
        assertEquals(OutcomeState.OUTCOME_STATE_FAILED, outcome());
    }

    @Test
    void aMapIsGuardedToo() throws Exception {
        var options = GuardOptions.ofMap((caller, one) -> Question.of(caller, "read", "table:" + one.get("table")));
        var read = alice.guard(options, one -> one);
        assertEquals(Map.of("table", "t", "rows", 2L, "share", 0.5),
                read.apply(Map.of("table", "t", "rows", 2, "share", 0.5)));
        assertThrows(IllegalArgumentException.class, () -> read.apply(Map.of("table", "t", "at", MINUTE)));
    }

    @Test
    void rowsComeBackMasked() {
        record Customer(String given_name) {}
        var masked = alice.mask(Question.mask("user:alice", "crm.customers"),
                List.of(new Customer("michaela"), Map.of("given_name", "Michaela")));
        assertEquals("token", masked.plan().getColumns(0).getMask());
        var names = masked.rows().stream().map(row -> row.get("given_name").toString()).distinct().toList();
        assertTrue(names.size() == 1 && names.get(0).startsWith("name_"), names.toString());
        assertThrows(PlacetException.class, () -> alice.mask(Question.mask("user:alice", "crm.customers"),
                List.of(Map.of("salary", 1))));
    }

    private GuardOptions<Export> options() {
        return GuardOptions.of(Export.class, (caller, one) -> Question.of(caller, "export", "table:" + one.table)
                .onBehalfOf("user:alice").properties(Map.of("tags", List.of("pii"))).requestId(requestId));
    }

    /** What the reviewers do as soon as the approval is there; meanwhile the caller's list changes. */
    private void approve(Export arguments) {
        while (approvalId().isEmpty()) {
            Thread.onSpinWait(); // each look is a call
        }
        arguments.columns.add("salary");
        for (String reviewer : List.of("bob", "carol")) {
            pdp("approvals", "approve", approvalId(), "--as", reviewer, "--reason", "read it");
        }
    }

    private String approvalId() {
        var request = ListApprovalsRequest.newBuilder().setPageSize(100).build();
        return bot.call(ApprovalServiceGrpc.newBlockingStub(bot.channel()), stub -> stub.listApprovals(request))
                .getApprovalsList().stream().filter(one -> one.getRequest().getResource().getId().equals(table))
                .map(one -> one.getApprovalId()).findFirst().orElse("");
    }

    private OutcomeState outcome() {
        var request = GetApprovalRequest.newBuilder().setApprovalId(approvalId()).build();
        return bot.call(ApprovalServiceGrpc.newBlockingStub(bot.channel()), stub -> stub.getApproval(request))
                .getApproval().getOutcome().getState();
    }

    private static PlacetClient client(String name) {
        return builder(name).build();
    }

    private static PlacetClient.Builder builder(String name) {
        return PlacetClient.builder().token(pdp("token", "--as", name));
    }

    private static String pdp(String... arguments) {
        var command = new ArrayList<>(List.of("pdp"));
        command.addAll(Arrays.asList(arguments));
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            assertEquals(0, process.waitFor(), command + " says " + said);
            return said;
        } catch (IOException | InterruptedException error) {
            throw new AssertionError(error);
        }
    }
}
