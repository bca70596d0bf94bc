package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class QuestionTest {
    private static final String[] FEATURES = {"properties_json", "context_json", "expected_digest"};
    private static final Question READ = Question.of("agent:report-bot", "read", "table:customers");

    enum Level { LOW }

    record Order(long id, List<String> tags, Level level) {}

    static Stream<Arguments> unfit() {
        var endless = new ArrayList<Object>();
        endless.add(endless);
        return Stream.of(
                Arguments.of(new Date(), "Date"), Arguments.of(Instant.now(), "Instant"),
                Arguments.of(new byte[] {1}, "byte[]"), Arguments.of(new String[] {"pii"}, "String[]"),
                Arguments.of(Set.of(1), "no JSON form"), Arguments.of(Optional.of(1), "Optional"),
                Arguments.of(new BigDecimal("0.1"), "BigDecimal"), Arguments.of('c', "Character"),
                Arguments.of(1L << 53, "beyond 2^53-1"), Arguments.of(-(1L << 53), "beyond 2^53-1"),
                Arguments.of(BigInteger.ONE.shiftLeft(53), "beyond 2^53-1"),
                Arguments.of(BigInteger.ONE.shiftLeft(80), "beyond 2^53-1"), Arguments.of(1e300, "beyond 2^53-1"),
                Arguments.of(Double.NaN, "NaN"), Arguments.of(Float.POSITIVE_INFINITY, "Infinity"),
                Arguments.of("a\0b", "U+0000"), Arguments.of("\uD83D", "surrogate"),
                Arguments.of(Map.of(1, 2), "not text"), Arguments.of(Map.of("a\0", 2), "U+0000"),
                Arguments.of(endless, "deeper than 32"));
    }

    @ParameterizedTest
    @MethodSource("unfit")
    void whatCannotBeCarriedIsRefusedWithItsPath(Object value, String why) {
        var question = READ.context(Map.of("rows", Arrays.asList(1, value)));
        var error = assertThrows(IllegalArgumentException.class, () -> question.canonical(Vectors.facts("dev")));
        assertTrue(error.getMessage().startsWith("context.rows[1]"), error.getMessage());
        assertTrue(error.getMessage().contains(why), error.getMessage());
    }

    @Test
    void whatCanBeCarriedIsSentAsItIs() {
        var context = new HashMap<String, Object>();
        context.put("order", new Order((1L << 53) - 1, List.of("pii"), Level.LOW));
        context.put("share", 0.002);
        context.put("whole", 2.0f);
        context.put("none", Collections.singletonList(null));
        var request = READ.context(context).request(Vectors.facts("dev", FEATURES), "attempt");
        assertEquals("{\"none\":[null],\"order\":{\"id\":9007199254740991,\"level\":\"LOW\",\"tags\":[\"pii\"]},"
                + "\"share\":0.002,\"whole\":2}", request.getContextJson());
        assertEquals(43, request.getExpectedDigest().length());
        assertTrue(request.getSubject().getPropertiesJson().isEmpty() && !request.hasContext());
    }

    @Test
    void anOlderServerGetsAStructAndNoNewField() {
        var request = READ.properties(Map.of("tags", List.of("pii"), "rows", 5))
                .request(Vectors.facts("dev"), "attempt");
        assertEquals(Map.of("tags", List.of("pii"), "rows", 5.0), Structs.plain(request.getResource().getProperties()));
        assertEquals("", request.getResource().getPropertiesJson() + request.getExpectedDigest());
    }

    @Test
    void textThatBeginsLikeJsonHasToBeMeant() {
        for (String text : List.of("[pii]", " {\"a\": 1}", "\"pii\"", "'pii'")) {
            assertThrows(IllegalArgumentException.class, () -> READ.properties(Map.of("tags", text)));
            var meant = READ.properties(Map.of("tags", new Text(text))).request(Vectors.facts("dev"), "attempt");
            assertEquals(Map.of("tags", text), Structs.plain(meant.getResource().getProperties()));
        }
    }

    @Test
    void aMaskingIsAskedAboutWithoutWhatItHasNoFieldFor() {
        var mask = Question.mask("user:alice", "customers");
        assertEquals("customers", mask.scope(Vectors.facts("dev")).getTable());
        for (var other : List.of(READ, mask.dryRun(), mask.wantGrant(), mask.explain(), mask.supersedes("apr_1"),
                mask.properties(Map.of("tags", List.of())), mask.actionProperties(Map.of("a", 1)))) {
            assertThrows(IllegalArgumentException.class, () -> other.scope(Vectors.facts("dev")));
        }
    }

    @Test
    void aTextWithoutATypeIsNoSubject() {
        assertThrows(IllegalArgumentException.class, () -> Question.of("alice", "read", "table:customers"));
    }

    @Test
    void aQuestionDoesNotChange() {
        READ.onBehalfOf("user:alice").context(Map.of("rows", 1)).dryRun();
        assertEquals(READ.canonical(Vectors.facts("dev")),
                Question.of("agent:report-bot", "read", "table:customers").canonical(Vectors.facts("dev")));
    }
}
