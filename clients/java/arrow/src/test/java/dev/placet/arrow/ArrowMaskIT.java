package dev.placet.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.placet.PlacetClient;
import dev.placet.PlacetException;
import dev.placet.Question;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the server at PDP_ADDRESS, as PDP_TOKEN's caller. */
final class ArrowMaskIT {
    @TempDir
    Path folder;

    @Test
    void aTableComesBackMasked() throws Exception {
        Path target = folder.resolve("masked.arrows");
        try (var client = PlacetClient.builder().build(); var table = Table.of(3, 70_000)) {
            var masked = ArrowMask.mask(client, Question.mask("user:alice", "crm.customers"), table, target);
            assertEquals(210_000, masked.rows());
            assertEquals("token", masked.plan().getColumns(0).getMask());
            assertTrue(masked.recordId().startsWith("rec_"));
        }
        long rows = 0;
        try (var reader = new ArrowStreamReader(Files.newInputStream(target), new RootAllocator())) {
            while (reader.loadNextBatch()) {
                rows += reader.getVectorSchemaRoot().getRowCount();
                assertTrue(reader.getVectorSchemaRoot().getVector(0).getObject(0).toString().startsWith("name_"));
            }
        }
        assertEquals(210_000, rows);
    }

    @Test
    void aColumnWithoutAMaskLeavesNothing() throws Exception {
        try (var client = PlacetClient.builder().build();
                var table = new Table(new RootAllocator(), "salary", 1, 1, false)) {
            var error = assertThrows(PlacetException.class, () -> ArrowMask.mask(client,
                    Question.mask("user:alice", "crm.customers"), table, folder.resolve("masked.arrows")));
            assertEquals("MASK_PLAN_REFUSED", error.reason());
        }
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }
}
