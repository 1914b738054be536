package dev.millrace.peer;

import java.util.concurrent.atomic.AtomicLong;

/** What sources and sinks tell the benchmark: they run in other threads of the same JVM. */
final class Meter {
    private static final AtomicLong FIRST_START = new AtomicLong();
    private static final AtomicLong LAST_END = new AtomicLong();
    private static final AtomicLong CHECKSUM = new AtomicLong();
    private static final AtomicLong OUTPUTS = new AtomicLong();

    /** Milliseconds since the epoch of the first output in this JVM; 0: none yet. */
    private static final AtomicLong FIRST_OUTPUT_EVER = new AtomicLong();

    private Meter() {}

    static void reset() {
        FIRST_START.set(0);
        LAST_END.set(0);
        CHECKSUM.set(0);
        OUTPUTS.set(0);
    }

    static void sourceStarts() {
        FIRST_START.compareAndSet(0, System.nanoTime());
    }

    static void firstOutput() {
        FIRST_OUTPUT_EVER.compareAndSet(0, System.currentTimeMillis());
    }

    static void sinkEnds(long checksum, long outputs) {
        CHECKSUM.addAndGet(checksum);
        OUTPUTS.addAndGet(outputs);
        LAST_END.accumulateAndGet(System.nanoTime(), Math::max);
    }

    static double seconds() {
        return (LAST_END.get() - FIRST_START.get()) / 1e9;
    }

    static long checksum() {
        return CHECKSUM.get() & Mix.CHECKSUM_MASK;
    }

    static long outputs() {
        return OUTPUTS.get();
    }

    static long firstOutputEverMs() {
        return FIRST_OUTPUT_EVER.get();
    }
}
