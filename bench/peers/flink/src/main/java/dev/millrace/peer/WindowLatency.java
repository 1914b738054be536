package dev.millrace.peer;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;

/**
 * Sums per key in windows of 10 ms, at {@code --rate} records a second: how long after a window's end (in wall time,
 * which is the event time) does each of its results reach the sink. Results of the first {@code --discard} seconds do
 * not count.
 */
final class WindowLatency implements Work {
    private static final int BUCKET_US = 10;

    /** Latencies in buckets of 10 µs, up to 20 s. */
    private static final AtomicLongArray HISTOGRAM = new AtomicLongArray(2_000_000);

    private static final long EPOCH_OFFSET_NS = System.currentTimeMillis() * 1_000_000 - System.nanoTime();

    private static volatile long countFromNs;
    private static volatile long startNs;

    private static long nowNs() {
        return System.nanoTime() + EPOCH_OFFSET_NS;
    }

    @Override
    public void configure(Configuration configuration, Options options) {
        configuration.set(ExecutionOptions.BUFFER_TIMEOUT, Duration.ofMillis(options.number("buffer-timeout", 1)));
        configuration.set(
                PipelineOptions.AUTO_WATERMARK_INTERVAL, Duration.ofMillis(options.number("watermark-interval", 1)));
    }

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        for (int i = 0; i < HISTOGRAM.length(); i++) {
            HISTOGRAM.set(i, 0);
        }
        startNs = nowNs() + 1_000_000_000;
        countFromNs = startNs + options.number("discard", 5) * 1_000_000_000L;
        Generators.Readings readings = new Generators.Readings(options.number("keys", 1000), 1, 0);
        env.fromSource(
                        new PacedSource(records, options.number("rate", 100_000), readings),
                        WatermarkStrategy.forMonotonousTimestamps(),
                        "paced",
                        Works.READING)
                .keyBy(r -> r.f1, Types.INT)
                .window(TumblingEventTimeWindows.of(Duration.ofMillis(10)))
                .aggregate(
                        new Sums.CountAndSum(),
                        new Sums.WithSession(),
                        Types.TUPLE(Types.LONG, Types.LONG),
                        Types.TUPLE(Types.INT, Types.LONG, Types.LONG, Types.LONG, Types.LONG))
                .sinkTo(new ChecksumSink<>(result -> {
                    long now = nowNs();
                    if (now >= countFromNs) {
                        long us = (now - result.f2 * 1_000_000) / 1000;
                        HISTOGRAM.incrementAndGet((int) Math.min(Math.max(us / BUCKET_US, 0), HISTOGRAM.length() - 1));
                    }
                    // Windows depend on the clock here; the number of records in them does not.
                    return (int) (long) result.f3;
                }));
    }

    @Override
    public Map<String, String> extras() {
        long total = 0;
        for (int i = 0; i < HISTOGRAM.length(); i++) {
            total += HISTOGRAM.get(i);
        }
        Map<String, String> extras = new TreeMap<>();
        extras.put("results", String.valueOf(total));
        extras.put("p50Ms", quantile(total, 0.5));
        extras.put("p99Ms", quantile(total, 0.99));
        extras.put("p9999Ms", quantile(total, 0.9999));
        return extras;
    }

    private static String quantile(long total, double quantile) {
        long rank = (long) Math.ceil(total * quantile);
        long seen = 0;
        for (int i = 0; i < HISTOGRAM.length(); i++) {
            seen += HISTOGRAM.get(i);
            if (seen >= rank) {
                return String.format(java.util.Locale.ROOT, "%.2f", (i + 1) * BUCKET_US / 1000.0);
            }
        }
        return "null";
    }

    /** As {@link StridedSource}, but record i is due at start + i / rate, and that is its time. */
    private static final class PacedSource
            implements Source<Tuple4<Integer, Integer, Long, Integer>, StridedSource.NoSplit, Integer> {
        private final int records;
        private final int rate;
        private final Generators.Readings readings;

        PacedSource(int records, int rate, Generators.Readings readings) {
            this.records = records;
            this.rate = rate;
            this.readings = readings;
        }

        @Override
        public Boundedness getBoundedness() {
            return Boundedness.BOUNDED;
        }

        @Override
        public SourceReader<Tuple4<Integer, Integer, Long, Integer>, StridedSource.NoSplit> createReader(
                SourceReaderContext context) {
            int stride = context.currentParallelism();
            int subtask = context.getIndexOfSubtask();
            return new StridedSource.SplitlessReader<>() {
                private int next = subtask;

                @Override
                public InputStatus pollNext(ReaderOutput<Tuple4<Integer, Integer, Long, Integer>> output)
                        throws InterruptedException {
                    long now = nowNs();
                    for (int i = 0; i < 128; i++) {
                        if (next >= records) {
                            return InputStatus.END_OF_INPUT;
                        }
                        long due = startNs + next * 1_000_000_000L / rate;
                        if (due > now) {
                            // Gives the core to the other threads; a timer could not wake up this exactly.
                            java.util.concurrent.locks.LockSupport.parkNanos(Math.min(due - now, 50_000));
                            return InputStatus.MORE_AVAILABLE;
                        }
                        Tuple4<Integer, Integer, Long, Integer> record = readings.record(next);
                        record.f2 = due / 1_000_000;
                        output.collect(record, record.f2);
                        next += stride;
                    }
                    return InputStatus.MORE_AVAILABLE;
                }
            };
        }

        @Override
        public SplitEnumerator<StridedSource.NoSplit, Integer> createEnumerator(
                SplitEnumeratorContext<StridedSource.NoSplit> context) {
            return new StridedSource.EmptyEnumerator();
        }

        @Override
        public SplitEnumerator<StridedSource.NoSplit, Integer> restoreEnumerator(
                SplitEnumeratorContext<StridedSource.NoSplit> context, Integer state) {
            return new StridedSource.EmptyEnumerator();
        }

        @Override
        public SimpleVersionedSerializer<StridedSource.NoSplit> getSplitSerializer() {
            return new StridedSource.Constant<>(new StridedSource.NoSplit("none"));
        }

        @Override
        public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
            return new StridedSource.Constant<>(0);
        }
    }
}
