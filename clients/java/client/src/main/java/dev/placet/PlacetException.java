package dev.placet;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What came instead of an answer, or why an answer does not let anything run.
 *
 * <p>{@link #code} is the gRPC status code's name and {@link #reason} the contract's stable reason, the code where
 * there is none. The message is one sentence for people.
 */
public class PlacetException extends RuntimeException {
    private final String code;
    private final String reason;
    private final transient List<BadField> fields;
    private final transient Map<String, String> metadata;
    private final transient Optional<Duration> retryAfter;

    /** A field whose value is not accepted, and what to do about it. */
    public record BadField(String path, String description) {}

    /** An error that this program finds itself. */
    public PlacetException(String code, String reason, String message) {
        this(code, reason, message, Map.of());
    }

    PlacetException(String code, String reason, String message, Map<String, String> metadata) {
        this(code, reason, message, List.of(), metadata, Optional.empty());
    }

    private PlacetException(String code, String reason, String message, List<BadField> fields,
            Map<String, String> metadata, Optional<Duration> retryAfter) {
        super(message);
        this.code = code;
        this.reason = reason;
        this.fields = fields;
        this.metadata = metadata;
        this.retryAfter = retryAfter;
    }

    /** A grant that does not prove that this may run here and now; the metadata's {@code check} names why. */
    static PlacetException grantInvalid(String check, String message) {
        return new PlacetException("PERMISSION_DENIED", "GRANT_INVALID", message, Map.of("check", check));
    }

    /** The error of a call, with the details that the server gave. */
    public static PlacetException of(StatusRuntimeException error) {
        String code = error.getStatus().getCode().name();
        var info = ErrorInfo.newBuilder().setReason(code).build();
        List<BadField> fields = List.of();
        Optional<Duration> retryAfter = Optional.empty();
        try {
            for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    info = detail.unpack(ErrorInfo.class);
                } else if (detail.is(BadRequest.class)) {
                    fields = detail.unpack(BadRequest.class).getFieldViolationsList().stream()
                            .map(one -> new BadField(one.getField(), one.getDescription())).toList();
                } else if (detail.is(RetryInfo.class)) {
                    var delay = detail.unpack(RetryInfo.class).getRetryDelay();
                    retryAfter = Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
                }
            }
        } catch (InvalidProtocolBufferException | IllegalArgumentException unreadable) {
            // Details that are not of this error say nothing; the code and the sentence stand.
        }
        String sentence = Optional.ofNullable(error.getStatus().getDescription()).orElse("no answer");
        if (error.getStatus().getCause() != null) { // of this machine, such as a refused connection
            sentence += ": " + error.getStatus().getCause().getMessage();
        }
        if (error.getStatus().getCause() instanceof ConnectException) {
            sentence += "; start `pdp dev`, or name the server with Builder.address or PDP_ADDRESS";
        }
        var made = new PlacetException(code, info.getReason(), sentence.replaceAll("\\s+", " "), fields,
                info.getMetadataMap(), retryAfter);
        made.initCause(error);
        return made;
    }

    /** The name of the gRPC status code, for example {@code INVALID_ARGUMENT}. */
    public String code() {
        return code;
    }

    /** The stable reason, for example {@code REQUEST_DIFFERS}. */
    public String reason() {
        return reason;
    }

    /** The fields at fault. */
    public List<BadField> fields() {
        return fields;
    }

    /** What the server says of the error for programs. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** When a retry can help; empty where none is advised. */
    public Optional<Duration> retryAfter() {
        return retryAfter;
    }

    boolean is(Status.Code other) {
        return code.equals(other.name());
    }
}
