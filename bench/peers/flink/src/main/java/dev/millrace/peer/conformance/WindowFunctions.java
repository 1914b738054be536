package dev.millrace.peer.conformance;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.functions.ReduceFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.windowing.ProcessAllWindowFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.api.windowing.windows.Window;
import org.apache.flink.util.Collector;

/** The functions that a case's parameter {@code fn} names. */
final class WindowFunctions {
    private WindowFunctions() {}

    /** Sums values and keeps the smallest id. */
    static final class Sum implements ReduceFunction<Event> {
        @Override
        public Event reduce(Event left, Event right) {
            return new Event(Math.min(left.id, right.id), left.k, left.v + right.v);
        }
    }

    /** Accumulator and result of {@link Statistics}. */
    public static class Stats {
        public long n;
        public long sum;
        public long min = Long.MAX_VALUE;
        public long max = Long.MIN_VALUE;

        String json() {
            return Json.object("n", n, "sum", sum, "min", min, "max", max);
        }
    }

    /** Count, sum, minimum and maximum. */
    static final class Statistics implements AggregateFunction<Event, Stats, Stats> {
        @Override
        public Stats createAccumulator() {
            return new Stats();
        }

        @Override
        public Stats add(Event event, Stats stats) {
            stats.n++;
            stats.sum += event.v;
            stats.min = Math.min(stats.min, event.v);
            stats.max = Math.max(stats.max, event.v);
            return stats;
        }

        @Override
        public Stats getResult(Stats stats) {
            return stats;
        }

        @Override
        public Stats merge(Stats left, Stats right) {
            Stats merged = new Stats();
            merged.n = left.n + right.n;
            merged.sum = left.sum + right.sum;
            merged.min = Math.min(left.min, right.min);
            merged.max = Math.max(left.max, right.max);
            return merged;
        }
    }

    static final class StatsJson implements MapFunction<Stats, String> {
        @Override
        public String map(Stats stats) {
            return stats.json();
        }
    }

    /** Everything a window holds, and when. */
    static final class Describe extends ProcessWindowFunction<Event, String, String, Window> {
        private final boolean sorted;

        Describe(boolean sorted) {
            this.sorted = sorted;
        }

        @Override
        public void process(String key, Context context, Iterable<Event> events, Collector<String> out) {
            out.collect(describe(key, context.window(), events, context.currentWatermark(), sorted));
        }
    }

    static final class DescribeAll extends ProcessAllWindowFunction<Event, String, Window> {
        private final boolean sorted;

        DescribeAll(boolean sorted) {
            this.sorted = sorted;
        }

        @Override
        public void process(Context context, Iterable<Event> events, Collector<String> out) {
            out.collect(describe(null, context.window(), events, null, sorted));
        }
    }

    private static String describe(
            String key, Window window, Iterable<Event> events, Long watermark, boolean sorted) {
        List<Object> fields = head(key, window);
        List<Integer> ids = sorted ? Json.sortedIds(events) : Json.ids(events);
        long sum = 0;
        for (Event event : events) {
            sum += event.v;
        }
        fields.addAll(List.of("n", ids.size(), "sum", sum, "ids", ids));
        if (watermark != null) {
            fields.addAll(List.of("wm", watermark));
        }
        return Json.object(fields.toArray());
    }

    /** After a reduce: the key, the window and the one reduced event. */
    static final class DescribeReduced extends ProcessWindowFunction<Event, String, String, Window> {
        @Override
        public void process(String key, Context context, Iterable<Event> events, Collector<String> out) {
            Event event = events.iterator().next();
            List<Object> fields = head(key, context.window());
            fields.addAll(List.of("id", event.id, "v", event.v, "wm", context.currentWatermark()));
            out.collect(Json.object(fields.toArray()));
        }
    }

    /** After an aggregate: the key, the window and the one result. */
    static final class DescribeStats extends ProcessWindowFunction<Stats, String, String, Window> {
        @Override
        public void process(String key, Context context, Iterable<Stats> results, Collector<String> out) {
            Stats stats = results.iterator().next();
            List<Object> fields = head(key, context.window());
            fields.addAll(List.of("n", stats.n, "sum", stats.sum, "min", stats.min, "max", stats.max));
            out.collect(Json.object(fields.toArray()));
        }
    }

    static final class DescribeStatsAll extends ProcessAllWindowFunction<Stats, String, Window> {
        @Override
        public void process(Context context, Iterable<Stats> results, Collector<String> out) {
            Stats stats = results.iterator().next();
            List<Object> fields = head(null, context.window());
            fields.addAll(List.of("n", stats.n, "sum", stats.sum, "min", stats.min, "max", stats.max));
            out.collect(Json.object(fields.toArray()));
        }
    }

    /** Counts the firings of each window (windowState) and of each key (globalState). */
    static final class CountFirings extends ProcessWindowFunction<Event, String, String, Window> {
        private static final ValueStateDescriptor<Long> OF_WINDOW = new ValueStateDescriptor<>("of-window", Long.class);
        private static final ValueStateDescriptor<Long> OF_KEY = new ValueStateDescriptor<>("of-key", Long.class);

        @Override
        public void process(String key, Context context, Iterable<Event> events, Collector<String> out)
                throws Exception {
            long ofWindow = increment(context.windowState().getState(OF_WINDOW));
            long ofKey = increment(context.globalState().getState(OF_KEY));
            List<Object> fields = head(key, context.window());
            fields.addAll(List.of("n", Json.ids(events).size(), "ofWindow", ofWindow, "ofKey", ofKey));
            out.collect(Json.object(fields.toArray()));
        }

        @Override
        public void clear(Context context) throws Exception {
            context.windowState().getState(OF_WINDOW).clear();
        }

        private static long increment(ValueState<Long> state) throws Exception {
            long next = state.value() == null ? 1 : state.value() + 1;
            state.update(next);
            return next;
        }
    }

    private static List<Object> head(String key, Window window) {
        List<Object> fields = new ArrayList<>();
        if (key != null) {
            fields.addAll(List.of("k", key));
        }
        if (window instanceof TimeWindow time) {
            fields.addAll(List.of("start", time.getStart(), "end", time.getEnd()));
        }
        return fields;
    }
}
