package dev.millrace.peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;

/** The works by name. */
final class Works {
    static final TypeInformation<Tuple4<Integer, Integer, Long, Integer>> READING =
            Types.TUPLE(Types.INT, Types.INT, Types.LONG, Types.INT);

    private static final Map<String, Work> BY_NAME = new LinkedHashMap<>();

    static {
        BY_NAME.put("stateless-chain", new StatelessChain());
        BY_NAME.put("keyed-tumbling", new KeyedTumbling());
        BY_NAME.put("sliding-60-1", new Sliding());
        BY_NAME.put("session", new Sessions());
        BY_NAME.put("interval-join", new IntervalJoins());
        BY_NAME.put("process-timers", new ProcessTimers());
        BY_NAME.put("word-count-file", new WordCount());
        BY_NAME.put("rebalance-100b", new Rebalance());
        BY_NAME.put("window-latency", new WindowLatency());
        BY_NAME.put("cold-start", new ColdStart());
        BY_NAME.put("exchange-bytes", new ExchangeBytes());
        BY_NAME.put("interruptions", new Interruptions());
        BY_NAME.put("kafka-count", new KafkaCount());
        BY_NAME.put("kafka-copy", new KafkaCopy());
        BY_NAME.put("csv-rows", new TypedRows(false));
        BY_NAME.put("json-rows", new TypedRows(true));
        BY_NAME.put("postgres-rows", new PostgresRows());
        BY_NAME.put("parquet-scan", new ParquetScan());
    }

    private Works() {}

    static Work named(String name) {
        Work work = BY_NAME.get(name);
        if (work == null) {
            throw new IllegalArgumentException("unknown work " + name + "; there are " + BY_NAME.keySet());
        }
        return work;
    }

    static <T> DataStream<T> source(
            StreamExecutionEnvironment env,
            int records,
            StridedSource.Generator<T> generator,
            TypeInformation<T> type,
            int disorderMs) {
        WatermarkStrategy<T> strategy = disorderMs < 0
                ? WatermarkStrategy.noWatermarks()
                : WatermarkStrategy.forBoundedOutOfOrderness(Duration.ofMillis(disorderMs));
        return env.fromSource(new StridedSource<>(records, generator), strategy, "generator", type);
    }

    static List<String> samples(Function<Integer, Tuple> generator, int count) {
        List<String> samples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Tuple record = generator.apply(i);
            StringBuilder json = new StringBuilder("[");
            for (int field = 0; field < record.getArity(); field++) {
                Object value = record.getField(field);
                json.append(field == 0 ? "" : ",").append(value instanceof String text ? quote(text) : value);
            }
            samples.add(json.append(']').toString());
        }
        return samples;
    }

    private static String quote(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static final class KeyedTumbling implements Work {
        @Override
        public void build(StreamExecutionEnvironment env, Options options, int records) {
            source(
                            env,
                            records,
                            new Generators.Purchases(options.number("keys", 100_000)),
                            Types.TUPLE(
                                    Types.STRING, Types.STRING, Types.LONG, Types.INT, Types.INT, Types.DOUBLE),
                            5000)
                    .keyBy(r -> r.f0, Types.STRING)
                    .window(TumblingEventTimeWindows.of(Duration.ofMinutes(1)))
                    .aggregate(
                            new Sums.OfPurchases(),
                            new Sums.WithWindow<>(),
                            Types.LONG,
                            Types.TUPLE(Types.STRING, Types.LONG, Types.LONG))
                    .sinkTo(new ChecksumSink<>(
                            r -> Mix.fold(Mix.fold(Mix.fold(Mix.start(), r.f0), r.f1), r.f2)));
        }

        @Override
        public List<String> samples(Options options, int count) {
            return Works.samples(new Generators.Purchases(options.number("keys", 100_000))::record, count);
        }
    }

    private static final class Sliding implements Work {
        private static Generators.Readings readings(Options options) {
            return new Generators.Readings(options.number("keys", 1000), 10, 0);
        }

        @Override
        public void build(StreamExecutionEnvironment env, Options options, int records) {
            source(env, records, readings(options), READING, 1000)
                    .keyBy(r -> r.f1, Types.INT)
                    .window(SlidingEventTimeWindows.of(Duration.ofSeconds(60), Duration.ofSeconds(1)))
                    .aggregate(
                            new Sums.OfReadings(),
                            new Sums.WithWindow<>(),
                            Types.LONG,
                            Types.TUPLE(Types.INT, Types.LONG, Types.LONG))
                    .sinkTo(new ChecksumSink<>(
                            r -> Mix.fold(Mix.fold(Mix.fold(Mix.start(), r.f0), r.f1), r.f2)));
        }

        @Override
        public List<String> samples(Options options, int count) {
            return Works.samples(readings(options)::record, count);
        }
    }

    private static final class Sessions implements Work {
        private static Generators.Readings readings(Options options) {
            return new Generators.Readings(options.number("keys", 100_000), 100, 0);
        }

        @Override
        public void build(StreamExecutionEnvironment env, Options options, int records) {
            source(env, records, readings(options), READING, 1000)
                    .keyBy(r -> r.f1, Types.INT)
                    .window(EventTimeSessionWindows.withGap(Duration.ofSeconds(3)))
                    .aggregate(
                            new Sums.CountAndSum(),
                            new Sums.WithSession(),
                            Types.TUPLE(Types.LONG, Types.LONG),
                            Types.TUPLE(Types.INT, Types.LONG, Types.LONG, Types.LONG, Types.LONG))
                    .sinkTo(new ChecksumSink<>(Works::hash));
        }

        @Override
        public List<String> samples(Options options, int count) {
            return Works.samples(readings(options)::record, count);
        }
    }

    private static int hash(Tuple5<Integer, Long, Long, Long, Long> r) {
        int h = Mix.fold(Mix.fold(Mix.fold(Mix.start(), r.f0), r.f1), r.f2);
        return Mix.fold(Mix.fold(h, r.f3), r.f4);
    }

    private static final class IntervalJoins implements Work {
        private static Generators.Readings side(Options options, int salt) {
            return new Generators.Readings(options.number("keys", 10_000), 10, salt);
        }

        @Override
        public void build(StreamExecutionEnvironment env, Options options, int records) {
            KeyedStream<Tuple4<Integer, Integer, Long, Integer>, Integer> left = source(
                            env, records / 2, side(options, 0), READING, 1000)
                    .keyBy(r -> r.f1, Types.INT);
            KeyedStream<Tuple4<Integer, Integer, Long, Integer>, Integer> right = source(
                            env, records / 2, side(options, 8), READING, 1000)
                    .keyBy(r -> r.f1, Types.INT);
            left.intervalJoin(right)
                    .between(Duration.ofMillis(-500), Duration.ofMillis(500))
                    .process(
                            new Pairs(),
                            Types.TUPLE(Types.INT, Types.INT, Types.INT, Types.LONG, Types.INT))
                    .sinkTo(new ChecksumSink<>(r -> {
                        int h = Mix.fold(Mix.fold(Mix.fold(Mix.start(), r.f0), r.f1), r.f2);
                        return Mix.fold(Mix.fold(h, r.f3), r.f4);
                    }));
        }

        @Override
        public List<String> samples(Options options, int count) {
            List<String> samples = new ArrayList<>(Works.samples(side(options, 0)::record, count / 2));
            samples.addAll(Works.samples(side(options, 8)::record, count - count / 2));
            return samples;
        }
    }

    private static final class ProcessTimers implements Work {
        private static Generators.Readings readings(Options options) {
            return new Generators.Readings(options.number("keys", 100_000), 100, 0);
        }

        @Override
        public void build(StreamExecutionEnvironment env, Options options, int records) {
            source(env, records, readings(options), READING, 1000)
                    .keyBy(r -> r.f1, Types.INT)
                    .process(new Buckets(), Types.TUPLE(Types.INT, Types.LONG, Types.LONG, Types.LONG))
                    .sinkTo(new ChecksumSink<>(r -> {
                        int h = Mix.fold(Mix.fold(Mix.start(), r.f0), r.f1);
                        return Mix.fold(Mix.fold(h, r.f2), r.f3);
                    }));
        }

        @Override
        public List<String> samples(Options options, int count) {
            return Works.samples(readings(options)::record, count);
        }
    }

    private static final class Rebalance implements Work {
        @Override
        public void build(StreamExecutionEnvironment env, Options options, int records) {
            TypeInformation<Tuple3<Integer, Integer, String>> type =
                    Types.TUPLE(Types.INT, Types.INT, Types.STRING);
            source(env, records, new Generators.Payloads(), type, -1)
                    .rebalance()
                    .map(r -> Tuple3.of(r.f0, r.f1 + 1, r.f2)).returns(type)
                    .sinkTo(new ChecksumSink<>(
                            r -> Mix.fold(Mix.fold(Mix.fold(Mix.start(), r.f0), r.f1), r.f2)));
        }

        @Override
        public List<String> samples(Options options, int count) {
            return Works.samples(new Generators.Payloads()::record, count);
        }
    }
}
