package dev.millrace.peer.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.BroadcastState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ReadOnlyBroadcastState;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.co.BroadcastProcessFunction;
import org.apache.flink.streaming.api.functions.co.CoFlatMapFunction;
import org.apache.flink.streaming.api.functions.co.CoMapFunction;
import org.apache.flink.streaming.api.functions.co.KeyedBroadcastProcessFunction;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.util.Collector;

/** Two inputs: connected ({@code left}, {@code right}) or with broadcast rules ({@code data}, {@code rules}). */
final class ConnectPipelines {
    static final MapStateDescriptor<String, Long> RULES = new MapStateDescriptor<>("rules", Types.STRING, Types.LONG);

    private ConnectPipelines() {}

    static void coMap(Plumbing plumbing) {
        plumbing.output(plumbing.input("left").connect(plumbing.input("right")).map(new Sides()));
    }

    static void coFlatMap(Plumbing plumbing) {
        plumbing.output(plumbing.input("left").connect(plumbing.input("right")).flatMap(new Repeat()));
    }

    static void coProcess(Plumbing plumbing) {
        plumbing.output(plumbing.input("left")
                .keyBy(event -> event.k, Types.STRING)
                .connect(plumbing.input("right").keyBy(event -> event.k, Types.STRING))
                .process(new Both(), Types.STRING));
    }

    static void keyedBroadcast(Plumbing plumbing) {
        plumbing.output(plumbing.input("data")
                .keyBy(event -> event.k, Types.STRING)
                .connect(plumbing.input("rules").broadcast(RULES))
                .process(new KeyedRules(), Types.STRING));
    }

    static void broadcast(Plumbing plumbing) {
        plumbing.output(plumbing.input("data")
                .connect(plumbing.input("rules").broadcast(RULES))
                .process(new Rules(), Types.STRING));
    }

    static final class Sides implements CoMapFunction<Event, Event, String> {
        @Override
        public String map1(Event event) {
            return Json.object("in", 1, "id", event.id, "v", event.v);
        }

        @Override
        public String map2(Event event) {
            return Json.object("in", 2, "id", event.id, "v", -event.v);
        }
    }

    /** As often as the value says on the left (modulo 4), never for odd values on the right. */
    static final class Repeat implements CoFlatMapFunction<Event, Event, String> {
        @Override
        public void flatMap1(Event event, Collector<String> out) {
            for (long i = 0; i < Math.floorMod(event.v, 4L); i++) {
                out.collect(Json.object("in", 1, "id", event.id, "i", i));
            }
        }

        @Override
        public void flatMap2(Event event, Collector<String> out) {
            if (event.v % 2 == 0) {
                out.collect(Json.object("in", 2, "id", event.id));
            }
        }
    }

    /** Counts what each side has sent per key; "reg" on either side registers an event-time timer at {@code a}. */
    static final class Both extends KeyedCoProcessFunction<String, Event, Event, String> {
        private transient ValueState<Long> left;
        private transient ValueState<Long> right;

        @Override
        public void open(OpenContext context) {
            left = getRuntimeContext().getState(new ValueStateDescriptor<>("left", Long.class));
            right = getRuntimeContext().getState(new ValueStateDescriptor<>("right", Long.class));
        }

        @Override
        public void processElement1(Event event, Context context, Collector<String> out) throws Exception {
            left.update(of(left) + 1);
            element(1, event, context, out);
        }

        @Override
        public void processElement2(Event event, Context context, Collector<String> out) throws Exception {
            right.update(of(right) + 1);
            element(2, event, context, out);
        }

        private void element(int input, Event event, Context context, Collector<String> out) throws Exception {
            if (event.c.equals("reg")) {
                context.timerService().registerEventTimeTimer(event.a);
            }
            out.collect(Json.object(
                    "e", "element",
                    "in", input,
                    "k", event.k,
                    "id", event.id,
                    "wm", context.timerService().currentWatermark(),
                    "left", of(left),
                    "right", of(right)));
        }

        @Override
        public void onTimer(long timestamp, OnTimerContext context, Collector<String> out) throws Exception {
            out.collect(Json.object(
                    "e", "timer",
                    "k", context.getCurrentKey(),
                    "time", timestamp,
                    "wm", context.timerService().currentWatermark(),
                    "left", of(left),
                    "right", of(right)));
        }

        private static long of(ValueState<Long> state) throws Exception {
            return state.value() == null ? 0 : state.value();
        }
    }

    /** Rules by broadcast: "set" and "del" of rule {@code k} with threshold {@code v}; "count" asks all keys. */
    static final class KeyedRules extends KeyedBroadcastProcessFunction<String, Event, Event, String> {
        private static final ValueStateDescriptor<Long> SEEN = new ValueStateDescriptor<>("seen", Long.class);

        @Override
        public void processElement(Event event, ReadOnlyContext context, Collector<String> out) throws Exception {
            ValueState<Long> seen = getRuntimeContext().getState(SEEN);
            seen.update(seen.value() == null ? 1 : seen.value() + 1);
            if (event.c.equals("reg")) {
                context.timerService().registerEventTimeTimer(event.a);
            }
            out.collect(Json.object(
                    "e", "element",
                    "k", event.k,
                    "id", event.id,
                    "seen", seen.value(),
                    "rules", matching(context.getBroadcastState(RULES), event.v),
                    "wm", context.currentWatermark()));
        }

        @Override
        public void processBroadcastElement(Event rule, Context context, Collector<String> out) throws Exception {
            apply(rule, context.getBroadcastState(RULES));
            if (rule.c.equals("count")) {
                long[] totals = new long[2];
                context.applyToKeyedState(SEEN, (key, state) -> {
                    totals[0]++;
                    totals[1] += state.value();
                });
                out.collect(Json.object("e", "count", "id", rule.id, "keys", totals[0], "seen", totals[1]));
            }
        }

        @Override
        public void onTimer(long timestamp, OnTimerContext context, Collector<String> out) throws Exception {
            out.collect(Json.object(
                    "e", "timer",
                    "k", context.getCurrentKey(),
                    "time", timestamp,
                    "rules", matching(context.getBroadcastState(RULES), Long.MAX_VALUE)));
        }
    }

    /** As {@link KeyedRules}, without keys. */
    static final class Rules extends BroadcastProcessFunction<Event, Event, String> {
        @Override
        public void processElement(Event event, ReadOnlyContext context, Collector<String> out) throws Exception {
            out.collect(Json.object(
                    "id", event.id,
                    "rules", matching(context.getBroadcastState(RULES), event.v),
                    "wm", context.currentWatermark()));
        }

        @Override
        public void processBroadcastElement(Event rule, Context context, Collector<String> out) throws Exception {
            apply(rule, context.getBroadcastState(RULES));
        }
    }

    private static void apply(Event rule, BroadcastState<String, Long> rules) throws Exception {
        if (rule.c.equals("set")) {
            rules.put(rule.k, rule.v);
        } else if (rule.c.equals("del")) {
            rules.remove(rule.k);
        }
    }

    /** The names of the rules whose threshold is at most {@code value}, in order of name (by UTF-16 code unit). */
    private static List<String> matching(ReadOnlyBroadcastState<String, Long> rules, long value) throws Exception {
        Map<String, Long> sorted = new TreeMap<>();
        rules.immutableEntries().forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
        List<String> names = new ArrayList<>();
        sorted.forEach((name, threshold) -> {
            if (threshold <= value) {
                names.add(name);
            }
        });
        return names;
    }
}
