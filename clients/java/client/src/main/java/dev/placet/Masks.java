package dev.placet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import dev.placet.pdp.v1.JsonRecords;
import dev.placet.pdp.v1.MaskData;
import dev.placet.pdp.v1.MaskRequest;
import dev.placet.pdp.v1.MaskResponse;
import dev.placet.pdp.v1.MaskServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Rows of Java, masked as JSON records. */
final class Masks {
    private Masks() {}

    static MaskedRows masked(PlacetClient client, Question question, List<?> rows) {
        int nesting = client.serverInfo().getLimits().getNesting();
        var records = JsonRecords.newBuilder();
        for (Object row : rows) {
            records.addRecords(written(JsonValue.row(row, "rows[" + records.getRecordsCount() + "]", nesting)));
        }
        var request = MaskRequest.newBuilder()
                .setScope(client.maskScope(question))
                .setData(MaskData.newBuilder().setRecords(records))
                .build();
        var answer = client.call(MaskServiceGrpc.newBlockingStub(client.channel()), stub -> stub.mask(request));
        var decision = client.decision(answer.getDecision());
        return new MaskedRows(decision, answer.getPlan(), decision.allowed() ? read(answer, rows.size()) : List.of(),
                answer.getRecordId());
    }

    private static List<Map<String, Object>> read(MaskResponse answer, int sent) {
        var rows = new ArrayList<Map<String, Object>>();
        try {
            for (String text : answer.getData().getRecords().getRecordsList()) {
                rows.add(Json.EXACT.readValue(text, new TypeReference<>() {}));
            }
        } catch (JsonProcessingException error) {
            throw new PlacetException("DATA_LOSS", "ANSWER_UNREADABLE", "a masked row is not a JSON object");
        }
        if (rows.size() != sent || answer.getRows() != sent) {
            throw new PlacetException("DATA_LOSS", "ANSWER_UNREADABLE", "other rows came back than were sent");
        }
        return rows;
    }

    private static String written(Map<String, Object> row) {
        try {
            return Json.EXACT.writeValueAsString(row);
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException("a row cannot be written as JSON", error);
        }
    }
}
