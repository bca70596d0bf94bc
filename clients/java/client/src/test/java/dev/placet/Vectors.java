package dev.placet;

import com.fasterxml.jackson.databind.JsonNode;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.Limits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The cases that all clients share, and what they are tried with. */
final class Vectors {
    static final Path CASES = Path.of("../../../tests/cases");

    private Vectors() {}

    static Stream<JsonNode> of(String file) {
        try {
            return Files.readAllLines(CASES.resolve(file)).stream().map(Vectors::read);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static GetServerInfoResponse facts(String realm, String... features) {
        return GetServerInfoResponse.newBuilder().setRealm(realm).addAllFeatures(List.of(features))
                .setLimits(Limits.newBuilder().setNesting(32)).build();
    }

    static Question question(JsonNode request) {
        var chain = new ArrayList<Question.Principal>();
        request.path("onBehalfOf").forEach(one -> chain.add(principal(one)));
        request.path("on_behalf_of").forEach(one -> chain.add(principal(one)));
        return Question.of(typed(request.get("subject")), request.get("action").get("name").asText(),
                        typed(request.get("resource")))
                .subjectProperties(map(request.get("subject").path("properties")))
                .actionProperties(map(request.get("action").path("properties")))
                .properties(map(request.get("resource").path("properties")))
                .context(map(request.path("context")))
                .onBehalfOf(chain);
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> map(JsonNode object) {
        return object.isMissingNode() ? Map.of() : Json.STRICT.convertValue(object, Map.class);
    }

    private static Question.Principal principal(JsonNode one) {
        return new Question.Principal(one.get("type").asText(), one.get("id").asText(), map(one.path("properties")));
    }

    private static String typed(JsonNode entity) {
        return entity.get("type").asText() + ":" + entity.get("id").asText();
    }

    private static JsonNode read(String line) {
        try {
            return Json.STRICT.readTree(line);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
