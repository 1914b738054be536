package dev.millrace.peer.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.AggregatingState;
import org.apache.flink.api.common.state.AggregatingStateDescriptor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ReducingState;
import org.apache.flink.api.common.state.ReducingStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Keyed process functions that obey the commands of their events. */
final class TimerPipelines {
    private TimerPipelines() {}

    static void timers(Plumbing plumbing, JsonNode params) {
        plumbing.output(plumbing.input("in")
                .keyBy(event -> event.k, Types.STRING)
                .process(new Timers(params.path("chainStep").asLong(10)), Types.STRING));
    }

    static void fraud(Plumbing plumbing, JsonNode params) {
        plumbing.output(plumbing.input("in")
                .keyBy(event -> event.k, Types.STRING)
                .process(
                        new Fraud(
                                params.get("small").asLong(),
                                params.get("large").asLong(),
                                params.get("within").asLong()),
                        Types.STRING));
    }

    static void stateKinds(Plumbing plumbing) {
        plumbing.output(plumbing.input("in")
                .keyBy(event -> event.k, Types.STRING)
                .process(new StateKinds(), Types.STRING));
    }

    /** Registers and deletes timers as told; see PIPELINES.md for the commands. */
    static final class Timers extends KeyedProcessFunction<String, Event, String> {
        private final long chainStep;
        private transient ValueState<Long> seen;
        private transient ValueState<Long> chain;
        private transient MapState<Long, Long> kills;

        Timers(long chainStep) {
            this.chainStep = chainStep;
        }

        @Override
        public void open(OpenContext context) {
            seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Long.class));
            chain = getRuntimeContext().getState(new ValueStateDescriptor<>("chain", Long.class));
            kills = getRuntimeContext().getMapState(new MapStateDescriptor<>("kills", Long.class, Long.class));
        }

        @Override
        public void processElement(Event event, Context context, Collector<String> out) throws Exception {
            seen.update(seen.value() == null ? 1 : seen.value() + 1);
            TimerService timers = context.timerService();
            out.collect(Json.object("e", "element", "k", event.k, "id", event.id, "wm", timers.currentWatermark()));
            switch (event.c) {
                case "reg" -> timers.registerEventTimeTimer(event.a);
                case "del" -> timers.deleteEventTimeTimer(event.a);
                case "chain" -> {
                    timers.registerEventTimeTimer(event.a);
                    chain.update(event.b);
                }
                case "kill" -> {
                    timers.registerEventTimeTimer(event.a);
                    kills.put(event.a, event.b);
                }
                case "regp" -> timers.registerProcessingTimeTimer(event.a);
                case "delp" -> timers.deleteProcessingTimeTimer(event.a);
                case "chainp" -> {
                    timers.registerProcessingTimeTimer(event.a);
                    chain.update(event.b);
                }
                default -> {}
            }
        }

        @Override
        public void onTimer(long timestamp, OnTimerContext context, Collector<String> out) throws Exception {
            TimerService timers = context.timerService();
            boolean eventTime = context.timeDomain() == TimeDomain.EVENT_TIME;
            out.collect(Json.object(
                    "e", eventTime ? "timer" : "processing-timer",
                    "k", context.getCurrentKey(),
                    "time", timestamp,
                    "wm", timers.currentWatermark(),
                    "seen", seen.value()));
            Long left = chain.value();
            if (left != null && left > 0) {
                chain.update(left - 1);
                if (eventTime) {
                    timers.registerEventTimeTimer(timestamp + chainStep);
                } else {
                    timers.registerProcessingTimeTimer(timestamp + chainStep);
                }
            }
            if (eventTime && kills.contains(timestamp)) {
                timers.deleteEventTimeTimer(kills.get(timestamp));
            }
        }
    }

    /** A small amount followed by a large one within some time, per key; the textbook's two states and one timer. */
    static final class Fraud extends KeyedProcessFunction<String, Event, String> {
        private final long small;
        private final long large;
        private final long within;
        private transient ValueState<Boolean> flag;
        private transient ValueState<Long> timer;

        Fraud(long small, long large, long within) {
            this.small = small;
            this.large = large;
            this.within = within;
        }

        @Override
        public void open(OpenContext context) {
            flag = getRuntimeContext().getState(new ValueStateDescriptor<>("flag", Boolean.class));
            timer = getRuntimeContext().getState(new ValueStateDescriptor<>("timer", Long.class));
        }

        @Override
        public void processElement(Event event, Context context, Collector<String> out) throws Exception {
            if (flag.value() != null) {
                if (event.v > large) {
                    out.collect(Json.object("alert", event.k, "id", event.id));
                }
                context.timerService().deleteEventTimeTimer(timer.value());
                timer.clear();
                flag.clear();
            }
            if (event.v < small) {
                flag.update(true);
                long end = context.timestamp() + within;
                context.timerService().registerEventTimeTimer(end);
                timer.update(end);
            }
        }

        @Override
        public void onTimer(long timestamp, OnTimerContext context, Collector<String> out) {
            timer.clear();
            flag.clear();
        }
    }

    /** Every kind of keyed state beside the others; "clear" empties them all, "remove" drops a map entry. */
    static final class StateKinds extends KeyedProcessFunction<String, Event, String> {
        private transient ValueState<Long> value;
        private transient ListState<Long> list;
        private transient MapState<Long, Long> map;
        private transient ReducingState<Long> reducing;
        private transient AggregatingState<Event, WindowFunctions.Stats> aggregating;

        @Override
        public void open(OpenContext context) {
            var runtime = getRuntimeContext();
            value = runtime.getState(new ValueStateDescriptor<>("value", Long.class));
            list = runtime.getListState(new ListStateDescriptor<>("list", Long.class));
            map = runtime.getMapState(new MapStateDescriptor<>("map", Long.class, Long.class));
            reducing = runtime.getReducingState(new ReducingStateDescriptor<>("reducing", Math::max, Long.class));
            aggregating = runtime.getAggregatingState(new AggregatingStateDescriptor<>(
                    "aggregating", new WindowFunctions.Statistics(), WindowPipelines.STATS));
        }

        @Override
        public void processElement(Event event, Context context, Collector<String> out) throws Exception {
            switch (event.c) {
                case "clear" -> {
                    value.clear();
                    list.clear();
                    map.clear();
                    reducing.clear();
                    aggregating.clear();
                }
                case "remove" -> map.remove(event.a);
                default -> {
                    value.update(event.v);
                    list.add(event.v);
                    Long before = map.get(event.a);
                    map.put(event.a, before == null ? 1 : before + 1);
                    reducing.add(event.v);
                    aggregating.add(event);
                }
            }
            List<Long> items = new ArrayList<>();
            if (list.get() != null) {
                list.get().forEach(items::add);
            }
            List<Object> entries = new ArrayList<>();
            List<Map.Entry<Long, Long>> sorted = new ArrayList<>();
            map.entries().forEach(sorted::add);
            sorted.sort(Map.Entry.comparingByKey());
            sorted.forEach(entry -> entries.add(List.of(entry.getKey(), entry.getValue())));
            WindowFunctions.Stats stats = aggregating.get();
            out.collect(Json.object(
                    "k", event.k,
                    "id", event.id,
                    "value", value.value(),
                    "list", items,
                    "map", entries,
                    "reducing", reducing.get(),
                    "sum", stats == null ? null : (Object) stats.sum));
        }
    }
}
