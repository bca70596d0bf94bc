package dev.placet;

import dev.placet.pdp.v1.MaskPlan;
import java.util.List;
import java.util.Map;

/**
 * The answer to a masking.
 *
 * @param decision the decision
 * @param plan what was done with each column
 * @param data the masked rows, which {@link #rows} gives where the decision allows
 * @param recordId the record in the audit log
 */
public record MaskedRows(Decision decision, MaskPlan plan, List<Map<String, Object>> data, String recordId) {
    /** The masked rows; whole numbers are Long or BigInteger, fractions BigDecimal. */
    public List<Map<String, Object>> rows() throws DeniedException {
        decision.require();
        return data;
    }
}
