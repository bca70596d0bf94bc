package dev.placet;

/** A function of one value, before and behind its guard. */
@FunctionalInterface
public interface GuardedFunction<A, R> {
    /** Runs it. */
    R apply(A arguments) throws Exception;
}
