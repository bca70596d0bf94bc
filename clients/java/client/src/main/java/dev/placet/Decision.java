package dev.placet;

import dev.placet.pdp.v1.Approval;
import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.Effect;
import dev.placet.pdp.v1.Obligation;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An answer, or the error that came instead of one.
 *
 * @param response the answer; empty with an error
 * @param understood the obligations that this program meets
 * @param error why there is no answer
 */
public record Decision(AuthorizeResponse response, Set<String> understood, Optional<PlacetException> error) {
    /** Whether it is a real allow with obligations that this program declared to know. Meet them before acting. */
    public boolean allowed() {
        return error.isEmpty() && response.getEffect() == Effect.EFFECT_ALLOW && !response.getDryRun()
                && unknownObligations().isEmpty();
    }

    /** Whether people have to review first. */
    public boolean needsApproval() {
        return error.isEmpty() && response.getEffect() == Effect.EFFECT_NEEDS_APPROVAL;
    }

    /** The approval that the answer is about. */
    public Optional<Approval> approval() {
        return response.hasApproval() ? Optional.of(response.getApproval()) : Optional.empty();
    }

    /** The types of obligations that turn the allow into a deny here. */
    public List<String> unknownObligations() {
        return response.getObligationsList().stream().map(Obligation::getType)
                .filter(type -> !understood.contains(type)).toList();
    }

    /** One line for a log or a person; it names the decision. */
    public String why() {
        if (error.isPresent()) {
            return error.get().reason() + ": " + error.get().getMessage();
        }
        String reasons = response.getReasonsList().stream()
                .map(reason -> reason.getReason() + " [" + reason.getRule() + "]").collect(Collectors.joining("; "));
        String unknown = unknownObligations().isEmpty() ? "" : "; unknown obligations " + unknownObligations();
        String effect = response.getEffect() == Effect.UNRECOGNIZED
                ? "EFFECT_" + response.getEffectValue() // of a newer server
                : response.getEffect().name().replaceFirst("^EFFECT_", "");
        String dry = response.getDryRun() ? "; only a dry run" : "";
        return effect + ": " + reasons + unknown + dry + " (" + response.getDecisionId() + ")";
    }

    /** This decision if it allows. */
    public Decision require() throws DeniedException {
        if (!allowed()) {
            throw new DeniedException(this);
        }
        return this;
    }
}
