package dev.millrace.peer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What sources and sinks tell the benchmark: they run in other threads of the same JVM. In a TaskManager of a cluster,
 * which has one slot, they print it.
 */
final class Meter {
    /** Set by {@code -Dbench.report=true}. */
    private static final boolean REPORTS = Boolean.getBoolean("bench.report");

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final AtomicLong START_CPU = new AtomicLong();
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
        if (FIRST_START.compareAndSet(0, System.nanoTime())) {
            START_CPU.set(SYSTEM.getProcessCpuTime());
        }
    }

    static void firstOutput() {
        if (REPORTS) {
            System.out.println("@first " + System.currentTimeMillis());
        }
        FIRST_OUTPUT_EVER.compareAndSet(0, System.currentTimeMillis());
    }

    static void sinkEnds(long checksum, long outputs) {
        CHECKSUM.addAndGet(checksum);
        OUTPUTS.addAndGet(outputs);
        LAST_END.accumulateAndGet(System.nanoTime(), Math::max);
        if (REPORTS) {
            report(checksum & Mix.CHECKSUM_MASK, outputs);
        }
    }

    /** The slot's only sink has ended; the next job starts anew. Without a source here, {@code startNs} is 0. */
    private static void report(long checksum, long outputs) {
        System.out.printf(
                "@bench {\"startNs\":\"%d\",\"endNs\":\"%d\",\"startCpuMicros\":%d,\"endCpuMicros\":%d,"
                        + "\"outputs\":%d,\"checksum\":%d,\"extras\":{}}%n",
                FIRST_START.get(),
                System.nanoTime(),
                START_CPU.get() / 1000,
                SYSTEM.getProcessCpuTime() / 1000,
                outputs,
                checksum);
        FIRST_START.set(0);
        START_CPU.set(SYSTEM.getProcessCpuTime());
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
