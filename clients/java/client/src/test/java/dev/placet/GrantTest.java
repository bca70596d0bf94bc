package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class GrantTest {
    static Stream<JsonNode> valid() {
        return Vectors.of("grants.jsonl").filter(vector -> vector.get("valid").asBoolean());
    }

    static Stream<JsonNode> impostors() {
        return Vectors.of("grants.jsonl").filter(vector -> !vector.get("valid").asBoolean());
    }

    @ParameterizedTest
    @MethodSource("valid")
    void aGrantCounts(JsonNode vector) {
        assertEquals(30, accepted(vector).expiresAt() - accepted(vector).issuedAt());
    }

    @ParameterizedTest
    @MethodSource("impostors")
    void anImpostorIsRefusedForItsReason(JsonNode vector) {
        var error = assertThrows(PlacetException.class, () -> accepted(vector), vector.get("name").asText());
        assertEquals("GRANT_INVALID", error.reason());
        assertEquals(vector.get("reason").asText(), error.metadata().get("check"), vector.get("name").asText());
    }

    private static Grant accepted(JsonNode vector) {
        var now = Instant.ofEpochSecond(vector.get("now").asLong());
        var grant = Grant.verified(vector.get("grant").asText(), vector.get("jwks").toString(),
                vector.get("caller").asText(), vector.get("realm").asText(), vector.get("digest").asText(), now);
        var spent = new Grant.Spent();
        vector.get("spent").forEach(id -> spent.spend(new Grant(id.asText(), "", 0, Long.MAX_VALUE), now));
        spent.spend(grant, now);
        return grant;
    }
}
