package dev.placet;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;

/**
 * What a guarded function is asked about.
 *
 * <p>Its arguments are one record or map, and they are the context of the question, so that other arguments need
 * another approval. The function gets a copy, decoded from the canonical bytes that the digest was made of; whole
 * numbers in a map are {@code Long}, fractions {@code Double}.
 *
 * @param arguments the class of the arguments
 * @param question the question about a call, by the caller's own identity and the arguments, without a context; it is
 *     called again right before the run and must then say the same
 * @param patience how long people have for their reviews; without, {@link ApprovalPendingException} comes at once
 */
public record GuardOptions<A>(Class<?> arguments, BiFunction<String, A, Question> question, Duration patience) {
    public GuardOptions {
        Objects.requireNonNull(question);
        Objects.requireNonNull(patience);
    }

    /** Options for a function of a record. */
    public static <A extends Record> GuardOptions<A> of(Class<A> arguments, BiFunction<String, A, Question> question) {
        return new GuardOptions<>(arguments, question, Duration.ZERO);
    }

    /** Options for a function of a map. */
    public static GuardOptions<Map<String, Object>> ofMap(BiFunction<String, Map<String, Object>, Question> question) {
        return new GuardOptions<>(Map.class, question, Duration.ZERO);
    }

    /** The same, where people have so long for their reviews. */
    public GuardOptions<A> waiting(Duration patience) {
        return new GuardOptions<>(arguments, question, patience);
    }
}
