package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.placet.pdp.v1.AuthorizeResponse;
import dev.placet.pdp.v1.Effect;
import dev.placet.pdp.v1.Obligation;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class DecisionTest {
    private static final AuthorizeResponse ALLOW =
            AuthorizeResponse.newBuilder().setEffect(Effect.EFFECT_ALLOW).setDecisionId("dec_1").build();

    @Test
    void onlyAClearAllowIsAllowed() {
        assertTrue(decision(ALLOW).allowed());
        for (int effect : new int[] {0, 2, 3, 99}) {
            var other = decision(ALLOW.toBuilder().setEffectValue(effect).build());
            assertFalse(other.allowed(), other.why());
            assertThrows(DeniedException.class, other::require);
        }
        assertFalse(decision(ALLOW.toBuilder().setDryRun(true).build()).allowed());
        var error = new PlacetException("UNAVAILABLE", "UNAVAILABLE", "no answer");
        assertFalse(new Decision(ALLOW, Set.of(), Optional.of(error)).allowed());
    }

    @Test
    void anObligationCountsOnlyWhereItIsUnderstood() {
        var obliging = ALLOW.toBuilder().addObligations(Obligation.newBuilder().setType("mask")).build();
        assertEquals(List.of("mask"), decision(obliging).unknownObligations());
        assertFalse(decision(obliging).allowed());
        assertTrue(new Decision(obliging, Set.of("mask"), Optional.empty()).allowed());
    }

    private static Decision decision(AuthorizeResponse response) {
        return new Decision(response, Set.of(), Optional.empty());
    }
}
