package dev.millrace.peer;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** Sums per key without end, and writes down when it put something out: a double of milliseconds, at most one per millisecond and subtask. */
final class Interruptions implements Work {
    private static final TypeInformation<Tuple3<Integer, Long, Long>> SUMS =
            Types.TUPLE(Types.INT, Types.LONG, Types.LONG);

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        int keys = options.number("keys", 1_000_000);
        env.fromSource(
                        new DataGeneratorSource<>(
                                index -> Tuple3.of((int) (index % keys), 1L, index),
                                Long.MAX_VALUE,
                                RateLimiterStrategy.perSecond(options.number("rate", 400_000)),
                                SUMS),
                        WatermarkStrategy.noWatermarks(),
                        "numbers")
                .keyBy(value -> value.f0, Types.INT)
                .reduce((a, b) -> Tuple3.of(a.f0, a.f1 + b.f1, a.f2 + b.f2))
                .map(new Seen(options.text("output")))
                .returns(Types.LONG)
                .sinkTo(new DiscardingSink<>());
    }

    private static final class Seen extends RichMapFunction<Tuple3<Integer, Long, Long>, Long> {
        private final String directory;
        private transient OutputStream file;
        private transient long lastMs;

        Seen(String directory) {
            this.directory = directory;
        }

        @Override
        public void open(OpenContext context) throws IOException {
            var task = getRuntimeContext().getTaskInfo();
            file = Files.newOutputStream(
                    Path.of(directory, task.getIndexOfThisSubtask() + "-" + task.getAttemptNumber()),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        }

        @Override
        public Long map(Tuple3<Integer, Long, Long> value) throws IOException {
            long now = System.currentTimeMillis();
            if (now != lastMs) {
                lastMs = now;
                file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(now).array());
            }
            return value.f1;
        }

        @Override
        public void close() throws IOException {
            if (file != null) {
                file.close();
            }
        }
    }
}
