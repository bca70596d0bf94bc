package dev.placet.arrow;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/** Batches of one column of names, as many as wanted; then it ends, or breaks. */
final class Table extends ArrowReader {
    private final String column;
    private final int rows;
    private final boolean breaks;
    private int batches;

    Table(BufferAllocator allocator, String column, int batches, int rows, boolean breaks) {
        super(allocator);
        this.column = column;
        this.batches = batches;
        this.rows = rows;
        this.breaks = breaks;
    }

    static Table of(int batches, int rows) {
        return new Table(new RootAllocator(), "given_name", batches, rows, false);
    }

    static Table breaking() {
        return new Table(new RootAllocator(), "given_name", 1, 1, true);
    }

    @Override
    public boolean loadNextBatch() throws IOException {
        if (batches == 0 && breaks) {
            throw new IOException("the disk is gone");
        } else if (batches-- == 0) {
            return false;
        }
        prepareLoadNextBatch();
        VectorSchemaRoot root = getVectorSchemaRoot();
        var names = (VarCharVector) root.getVector(0);
        names.reset();
        for (int row = 0; row < rows; row++) {
            names.setSafe(row, ("name " + row).getBytes(StandardCharsets.UTF_8));
        }
        root.setRowCount(rows);
        return true;
    }

    @Override
    public long bytesRead() {
        return 0;
    }

    @Override
    protected void closeReadSource() {}

    @Override
    protected Schema readSchema() {
        return new Schema(List.of(Field.nullable(column, new ArrowType.Utf8())));
    }
}
