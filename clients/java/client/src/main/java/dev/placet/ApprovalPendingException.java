package dev.placet;

import java.util.Map;

/** People have to review first. After that, call again with the same request id. */
public final class ApprovalPendingException extends PlacetException {
    private final String approvalId;
    private final String requestId;

    ApprovalPendingException(String approvalId, String requestId) {
        super("FAILED_PRECONDITION", "APPROVAL_PENDING", "people have to review " + approvalId + " first",
                Map.of("approval_id", approvalId, "request_id", requestId));
        this.approvalId = approvalId;
        this.requestId = requestId;
    }

    /** The approval that people review. */
    public String approvalId() {
        return approvalId;
    }

    /** The request id with which to call again. */
    public String requestId() {
        return requestId;
    }
}
