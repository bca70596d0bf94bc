package dev.placet;

import dev.placet.pdp.v1.Action;
import dev.placet.pdp.v1.AuthorizeRequest;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.MaskScope;
import dev.placet.pdp.v1.Resource;
import dev.placet.pdp.v1.Subject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * May a subject do an action to a resource? Subjects and resources are written {@code <type>:<id>}.
 *
 * <p>A question does not change: each method returns another one. Its maps hold null, Boolean, String, {@link Text},
 * whole numbers up to 2^53-1, finite fractions, lists, maps with names of text, records (an object of their
 * components) and enums (their names). They are read when it is asked; anything else is an {@link
 * IllegalArgumentException} then, with the path.
 */
public final class Question implements Cloneable {
    private Principal subject;
    private List<Principal> onBehalfOf = List.of();
    private String action;
    private Map<String, ?> actionProperties = Map.of();
    private Principal resource;
    private Map<String, ?> context = Map.of();
    private String requestId = "";
    private String approvalId = "";
    private String supersedes = "";
    private String justification = "";
    private boolean dryRun;
    private boolean explain;
    private boolean wantGrant;

    private Question() {}

    /** May {@code subject} do {@code action} to {@code resource}? */
    public static Question of(String subject, String action, String resource) {
        var question = new Question();
        question.subject = Principal.of(subject, Map.of());
        question.action = action;
        question.resource = Principal.of(resource, Map.of());
        return question;
    }

    /** May {@code subject} have masked rows of {@code table}? For {@link PlacetClient#mask} and Arrow streams. */
    public static Question mask(String subject, String table) {
        return of(subject, "mask", "table:" + table);
    }

    /** The subjects that the subject acts for, outermost last. */
    public Question onBehalfOf(String... subjects) {
        return onBehalfOf(List.of(subjects).stream().map(one -> Principal.of(one, Map.of())).toList());
    }

    /** The resource's attributes. */
    public Question properties(Map<String, ?> properties) {
        return with(other -> other.resource = resource.with(Text.required(properties, "resource.properties")));
    }

    /** The subject's attributes. */
    public Question subjectProperties(Map<String, ?> properties) {
        return with(other -> other.subject = subject.with(Text.required(properties, "subject.properties")));
    }

    /** The action's attributes. */
    public Question actionProperties(Map<String, ?> properties) {
        return with(other -> other.actionProperties = Text.required(properties, "action.properties"));
    }

    /** Everything else that the decision may depend on. */
    public Question context(Map<String, ?> context) {
        return arguments(Text.required(context, "context"));
    }

    /**
     * Names one intended execution, such as a tool-call id, which a later call goes on with. It is random by default.
     */
    public Question requestId(String requestId) {
        return with(other -> other.requestId = requestId);
    }

    /** The approval to use. */
    public Question approvalId(String approvalId) {
        return with(other -> other.approvalId = approvalId);
    }

    /** The approval that a reviewer sent back, which this question answers. */
    public Question supersedes(String approvalId) {
        return with(other -> other.supersedes = approvalId);
    }

    /** The requester's words for the reviewers. */
    public Question justification(String justification) {
        return with(other -> other.justification = justification);
    }

    /** Decide and record only: the answer allows nothing. */
    public Question dryRun() {
        return with(other -> other.dryRun = true);
    }

    /** Ask for every rule that fired. */
    public Question explain() {
        return with(other -> other.explain = true);
    }

    /** Ask for a grant also where no approval is used. */
    public Question wantGrant() {
        return with(other -> other.wantGrant = true);
    }

    String requestId() {
        return requestId;
    }

    /** The same question with a request id. */
    Question identified() {
        return requestId.isEmpty() ? requestId(UUID.randomUUID().toString()) : this;
    }

    /** The same question with a context in which any text is meant as text. */
    Question arguments(Map<String, ?> arguments) {
        return with(other -> other.context = arguments);
    }

    boolean hasContext() {
        return !context.isEmpty();
    }

    /** The same question for a chain to which the server has added. */
    Question onBehalfOf(List<Principal> chain) {
        return with(other -> other.onBehalfOf = List.copyOf(chain));
    }

    List<Principal> onBehalfOf() {
        return onBehalfOf;
    }

    /** The five members that the digest covers, in JSON's values. */
    Map<String, Object> members(int nesting) {
        var chain = new ArrayList<Object>();
        for (Principal principal : onBehalfOf) {
            chain.add(principal.members("on_behalf_of[" + chain.size() + "]", nesting));
        }
        var acted = Map.of(
                "name", JsonValue.text(action, "action.name"),
                "properties", JsonValue.members(actionProperties, "action.properties", nesting));
        var members = new LinkedHashMap<String, Object>();
        members.put("subject", subject.members("subject", nesting));
        members.put("on_behalf_of", chain);
        members.put("action", acted);
        members.put("resource", resource.members("resource", nesting));
        members.put("context", JsonValue.members(context, "context", nesting));
        return members;
    }

    /** The request digest in the realm of a server, which {@link PlacetClient#serverInfo} gives. */
    public String digest(GetServerInfoResponse facts) {
        return Canonical.digest(canonical(facts), facts.getRealm());
    }

    /** The canonical form of the five members. */
    String canonical(GetServerInfoResponse facts) {
        return Canonical.json(members(facts.getLimits().getNesting()));
    }

    /** The question as an attempt, in the fields that this server knows. */
    AuthorizeRequest request(GetServerInfoResponse facts, String attemptId) {
        var members = members(facts.getLimits().getNesting());
        var fill = new Fill(facts);
        var request = AuthorizeRequest.newBuilder()
                .setSubject(fill.subject(members.get("subject")))
                .setAction(fill.properties(members.get("action"), Action.newBuilder().setName(action)))
                .setResource(fill.properties(members.get("resource"),
                        Resource.newBuilder().setType(resource.type).setId(resource.id)))
                .setRequestId(requestId)
                .setAttemptId(attemptId)
                .setApprovalId(approvalId)
                .setSupersedes(supersedes)
                .setJustification(justification)
                .setDryRun(dryRun)
                .setExplain(explain)
                .setWantGrant(wantGrant);
        ((List<?>) members.get("on_behalf_of")).forEach(one -> request.addOnBehalfOf(fill.subject(one)));
        fill.put(members.get("context"), "context", request);
        return fill.digest(members, request).build();
    }

    /** The scope of a masking; {@link IllegalArgumentException} for what a scope has no field for. */
    MaskScope scope(GetServerInfoResponse facts) {
        if (!action.equals("mask") || !resource.type.equals("table")) {
            throw new IllegalArgumentException("a masking is asked about with Question.mask");
        } else if (!resource.properties.isEmpty() || !actionProperties.isEmpty() || !supersedes.isEmpty()
                || dryRun || explain || wantGrant) {
            throw new IllegalArgumentException("a masking has no properties of table or action, and no dryRun, "
                    + "explain, wantGrant or supersedes");
        }
        var members = members(facts.getLimits().getNesting());
        var fill = new Fill(facts);
        var scope = MaskScope.newBuilder()
                .setSubject(fill.subject(members.get("subject")))
                .setTable(resource.id)
                .setRequestId(requestId)
                .setAttemptId(UUID.randomUUID().toString())
                .setApprovalId(approvalId)
                .setJustification(justification);
        ((List<?>) members.get("on_behalf_of")).forEach(one -> scope.addOnBehalfOf(fill.subject(one)));
        fill.put(members.get("context"), "context", scope);
        return fill.digest(members, scope).build();
    }

    private Question with(Consumer<Question> change) {
        try {
            var other = (Question) clone();
            change.accept(other);
            return other;
        } catch (CloneNotSupportedException error) {
            throw new AssertionError(error);
        }
    }

    /** A subject or a resource. */
    record Principal(String type, String id, Map<String, ?> properties) {
        static Principal of(String text, Map<String, ?> properties) {
            int colon = text.indexOf(':');
            if (colon < 0) {
                throw new IllegalArgumentException("\"" + text + "\" is not <type>:<id>");
            }
            return new Principal(text.substring(0, colon), text.substring(colon + 1), properties);
        }

        static Principal of(Subject subject) {
            return new Principal(subject.getType(), subject.getId(), Structs.plain(subject.getProperties()));
        }

        Principal with(Map<String, ?> other) {
            return new Principal(type, id, other);
        }

        Map<String, Object> members(String path, int nesting) {
            return Map.of(
                    "type", JsonValue.text(type, path + ".type"),
                    "id", JsonValue.text(id, path + ".id"),
                    "properties", JsonValue.members(properties, path + ".properties", nesting));
        }
    }
}
