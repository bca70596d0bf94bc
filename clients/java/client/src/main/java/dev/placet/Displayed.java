package dev.placet;

import dev.placet.pdp.v1.Approval;
import dev.placet.pdp.v1.ApprovalLineage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a reviewer was shown of an approval. */
public final class Displayed {
    private Displayed() {}

    /**
     * {@code ReviewRequest.expected_lineage} of an approval as it was displayed; empty where it shows no data.
     *
     * <p>It is computed from what was displayed; of columns that were too many to display, it is the server's.
     *
     * @throws PlacetException with the reason NOT_AS_DISPLAYED where the server's is another: leave such an approval
     *     alone
     */
    public static String expectedLineage(Approval displayed) {
        ApprovalLineage shown = displayed.getLineage();
        if (!displayed.hasLineage() || shown.getTruncated()) {
            return shown.getDigest();
        }
        Map<String, Object> columns = new HashMap<>();
        shown.getColumnsList().forEach(column -> columns.put(column.getName(), List.copyOf(column.getTagsList())));
        var datasets = shown.getDatasetsList().stream()
                .map(one -> Map.of("name", one.getName(), "namespace", one.getNamespace())).toList();
        var form = Map.of("columns", columns, "datasets", datasets, "tags", List.copyOf(shown.getTagsList()));
        String made = Canonical.sha256(Canonical.json(form));
        if (columns.size() < shown.getColumnsCount() || !made.equals(shown.getDigest())) {
            throw new PlacetException("FAILED_PRECONDITION", "NOT_AS_DISPLAYED",
                    "what is displayed of the data is not what would be reviewed; leave it alone");
        }
        return made;
    }
}
