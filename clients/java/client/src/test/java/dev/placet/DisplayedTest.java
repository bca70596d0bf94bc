package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.placet.pdp.v1.Approval;
import dev.placet.pdp.v1.ApprovalColumn;
import dev.placet.pdp.v1.DatasetName;
import dev.placet.pdp.v1.ApprovalLineage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class DisplayedTest {
    static Stream<JsonNode> vectors() {
        return Vectors.of("shown_lineages.jsonl");
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void everyVectorHasItsDigestOrIsRefused(JsonNode vector) {
        var displayed = Approval.newBuilder().setLineage(lineage(vector.get("lineage"))).build();
        if (vector.has("expected")) {
            assertEquals(vector.get("expected").asText(), Displayed.expectedLineage(displayed));
        } else {
            var refused = assertThrows(PlacetException.class, () -> Displayed.expectedLineage(displayed));
            assertEquals("NOT_AS_DISPLAYED", refused.reason());
        }
    }

    @Test
    void anApprovalWithoutDataNeedsNoDigest() {
        assertEquals("", Displayed.expectedLineage(Approval.getDefaultInstance()));
    }

    private static ApprovalLineage lineage(JsonNode shown) {
        var made = ApprovalLineage.newBuilder().setDigest(shown.get("digest").asText())
                .setTruncated(shown.path("truncated").asBoolean()).addAllTags(texts(shown.path("tags")));
        shown.path("datasets").forEach(one -> made.addDatasets(DatasetName.newBuilder()
                .setNamespace(one.get("namespace").asText()).setName(one.get("name").asText())));
        shown.path("columns").forEach(one -> made.addColumns(ApprovalColumn.newBuilder()
                .setName(one.get("name").asText()).addAllTags(texts(one.path("tags")))));
        return made.build();
    }

    private static List<String> texts(JsonNode list) {
        var found = new ArrayList<String>();
        list.forEach(one -> found.add(one.asText()));
        return found;
    }
}
