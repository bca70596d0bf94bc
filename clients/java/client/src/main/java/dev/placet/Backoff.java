package dev.placet;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Pauses that double, each shortened by chance to no less than its half, so that clients spread out. */
final class Backoff {
    private static final long FIRST_MILLIS = 100;
    /** A restarted server is noticed within two seconds. */
    private static final long LONGEST_MILLIS = 2000;

    private long millis = FIRST_MILLIS;

    /** The longest that the next pause may take. */
    Duration next() {
        return Duration.ofMillis(millis);
    }

    void reset() {
        millis = FIRST_MILLIS;
    }

    void pause() throws InterruptedException {
        Thread.sleep(ThreadLocalRandom.current().nextLong(millis / 2, millis + 1));
        millis = Math.min(2 * millis, LONGEST_MILLIS);
    }
}
