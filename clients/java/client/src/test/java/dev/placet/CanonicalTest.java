package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class CanonicalTest {
    static Stream<JsonNode> digests() {
        return Vectors.of("digests.jsonl");
    }

    @ParameterizedTest
    @MethodSource("digests")
    void everyVectorHasItsCanonicalFormAndDigest(JsonNode vector) {
        var facts = Vectors.facts(vector.get("realm").asText());
        String canonical = Vectors.question(vector.get("request")).canonical(facts);
        assertEquals(vector.get("canonical").asText(), canonical);
        assertEquals(vector.get("digest").asText(), Canonical.digest(canonical, facts.getRealm()));
    }

    /** Numbers of which Java 17 prints more digits than needed, of which the nearest has another double, and limits. */
    @ParameterizedTest
    @CsvSource({"2.0E-3, 0.002", "2.2E-322, 2.2e-322", "4.9E-324, 5e-324",
        "5.684341886080802E-14, 5.684341886080802e-14",
        "1.0E-6, 0.000001", "1.0E-7, 1e-7", "-1.5, -1.5", "0.1, 0.1", "123456.789, 123456.789",
        "2.2250738585072014E-308, 2.2250738585072014e-308", "4503599627370495.5, 4503599627370495.5",
        "9.5367431640625E-7, 9.5367431640625e-7", "1.1125369292536007E-308, 1.1125369292536007e-308"})
    void aFractionHasItsShortestForm(String number, String form) {
        assertEquals(form, Canonical.fraction(Double.parseDouble(number)));
    }

    @Test
    void everyFractionReadsBackAsItself() {
        var random = new Random(1);
        for (int count = 0; count < 2000; count++) {
            double number = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(number)) {
                assertEquals(number, Double.parseDouble(Canonical.fraction(number)));
            }
        }
    }

    @Test
    void keysSortByTheirUnitsOfUtf16() {
        // U+1F600 begins with the unit D83D, so it stands before U+FB33.
        assertEquals("{\"\uD83D\uDE00\":1,\"\uFB33\":2}", Canonical.json(Map.of("\uFB33", 2L, "\uD83D\uDE00", 1L)));
    }
}
