package dev.millrace.peer.conformance;

import java.time.Duration;
import org.apache.flink.api.common.functions.ReduceFunction;
import org.apache.flink.api.common.state.ReducingState;
import org.apache.flink.api.common.state.ReducingStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.streaming.api.functions.windowing.delta.DeltaFunction;
import org.apache.flink.streaming.api.windowing.assigners.DynamicEventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.DynamicProcessingTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.GlobalWindows;
import org.apache.flink.streaming.api.windowing.assigners.ProcessingTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingProcessingTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingProcessingTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.WindowAssigner;
import org.apache.flink.streaming.api.windowing.evictors.CountEvictor;
import org.apache.flink.streaming.api.windowing.evictors.DeltaEvictor;
import org.apache.flink.streaming.api.windowing.evictors.Evictor;
import org.apache.flink.streaming.api.windowing.evictors.TimeEvictor;
import org.apache.flink.streaming.api.windowing.triggers.ContinuousEventTimeTrigger;
import org.apache.flink.streaming.api.windowing.triggers.ContinuousProcessingTimeTrigger;
import org.apache.flink.streaming.api.windowing.triggers.CountTrigger;
import org.apache.flink.streaming.api.windowing.triggers.DeltaTrigger;
import org.apache.flink.streaming.api.windowing.triggers.EventTimeTrigger;
import org.apache.flink.streaming.api.windowing.triggers.ProcessingTimeTrigger;
import org.apache.flink.streaming.api.windowing.triggers.ProcessingTimeoutTrigger;
import org.apache.flink.streaming.api.windowing.triggers.PurgingTrigger;
import org.apache.flink.streaming.api.windowing.triggers.Trigger;
import org.apache.flink.streaming.api.windowing.triggers.TriggerResult;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.api.windowing.windows.Window;

/** Reads the parameters {@code assigner}, {@code trigger} and {@code evictor} of a case. */
final class WindowSpec {
    private WindowSpec() {}

    @SuppressWarnings("unchecked")
    static WindowAssigner<Object, Window> assigner(JsonNode spec) {
        String type = spec.get("type").asText();
        WindowAssigner<?, ?> assigner =
                switch (type) {
                    case "tumbling" -> TumblingEventTimeWindows.of(time(spec, "size"), time(spec, "offset"));
                    case "sliding" -> SlidingEventTimeWindows.of(
                            time(spec, "size"), time(spec, "slide"), time(spec, "offset"));
                    case "session" -> EventTimeSessionWindows.withGap(time(spec, "gap"));
                    case "session-dynamic" -> DynamicEventTimeSessionWindows.withDynamicGap((Event event) -> event.a);
                    case "global" -> GlobalWindows.create();
                    case "global-end-of-stream" -> GlobalWindows.createWithEndOfStreamTrigger();
                    case "tumbling-processing" -> TumblingProcessingTimeWindows.of(
                            time(spec, "size"), time(spec, "offset"));
                    case "sliding-processing" -> SlidingProcessingTimeWindows.of(
                            time(spec, "size"), time(spec, "slide"), time(spec, "offset"));
                    case "session-processing" -> ProcessingTimeSessionWindows.withGap(time(spec, "gap"));
                    case "session-dynamic-processing" -> DynamicProcessingTimeSessionWindows.withDynamicGap(
                            (Event event) -> event.a);
                    default -> throw new IllegalArgumentException("unknown assigner " + type);
                };
        return (WindowAssigner<Object, Window>) assigner;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static Trigger<Event, Window> trigger(JsonNode spec) {
        String type = spec.get("type").asText();
        Trigger trigger =
                switch (type) {
                    case "event-time" -> EventTimeTrigger.create();
                    case "processing-time" -> ProcessingTimeTrigger.create();
                    case "count" -> CountTrigger.of(spec.get("n").asLong());
                    case "continuous-event" -> ContinuousEventTimeTrigger.of(time(spec, "interval"));
                    case "continuous-processing" -> ContinuousProcessingTimeTrigger.of(time(spec, "interval"));
                    case "delta" -> DeltaTrigger.of(
                            spec.get("threshold").asDouble(),
                            new ValueDistance(),
                            Plumbing.EVENT.createSerializer(new org.apache.flink.api.common.serialization
                                    .SerializerConfigImpl()));
                    case "purging" -> PurgingTrigger.of(trigger(spec.get("of")));
                    case "processing-timeout" -> ProcessingTimeoutTrigger.of(
                            trigger(spec.get("of")),
                            time(spec, "timeout"),
                            spec.path("resetOnNewRecord").asBoolean(false),
                            spec.path("clearOnTimeout").asBoolean(true));
                    case "early" -> new EarlyTrigger(spec.get("every").asLong());
                    default -> throw new IllegalArgumentException("unknown trigger " + type);
                };
        return trigger;
    }

    @SuppressWarnings("unchecked")
    static Evictor<Event, Window> evictor(JsonNode spec) {
        String type = spec.get("type").asText();
        boolean after = spec.path("after").asBoolean(false);
        Evictor<?, Window> evictor = switch (type) {
            case "count" -> CountEvictor.of(spec.get("n").asLong(), after);
            case "time" -> TimeEvictor.of(time(spec, "keep"), after);
            case "delta" -> DeltaEvictor.of(spec.get("threshold").asDouble(), new ValueDistance(), after);
            default -> throw new IllegalArgumentException("unknown evictor " + type);
        };
        return (Evictor<Event, Window>) evictor;
    }

    static Duration time(JsonNode spec, String name) {
        return Duration.ofMillis(spec.path(name).asLong(0));
    }

    /** The distance of the two values. */
    static final class ValueDistance implements DeltaFunction<Event> {
        @Override
        public double getDelta(Event oldEvent, Event newEvent) {
            return Math.abs(newEvent.v - oldEvent.v);
        }
    }

    /**
     * A custom trigger: fires at every n-th element of its window and at the window's end, and at every element that
     * comes after it. Its count is partitioned trigger state, and is merged with its windows.
     */
    static final class EarlyTrigger extends Trigger<Event, TimeWindow> {
        private final long every;
        private final ReducingStateDescriptor<Long> count =
                new ReducingStateDescriptor<>("early-count", new Add(), LongSerializer.INSTANCE);

        EarlyTrigger(long every) {
            this.every = every;
        }

        @Override
        public TriggerResult onElement(Event event, long timestamp, TimeWindow window, TriggerContext context)
                throws Exception {
            if (window.maxTimestamp() <= context.getCurrentWatermark()) {
                return TriggerResult.FIRE;
            }
            context.registerEventTimeTimer(window.maxTimestamp());
            ReducingState<Long> seen = context.getPartitionedState(count);
            seen.add(1L);
            if (seen.get() >= every) {
                seen.clear();
                return TriggerResult.FIRE;
            }
            return TriggerResult.CONTINUE;
        }

        @Override
        public TriggerResult onEventTime(long time, TimeWindow window, TriggerContext context) {
            return time == window.maxTimestamp() ? TriggerResult.FIRE : TriggerResult.CONTINUE;
        }

        @Override
        public TriggerResult onProcessingTime(long time, TimeWindow window, TriggerContext context) {
            return TriggerResult.CONTINUE;
        }

        @Override
        public boolean canMerge() {
            return true;
        }

        @Override
        public void onMerge(TimeWindow window, OnMergeContext context) {
            context.mergePartitionedState(count);
            if (window.maxTimestamp() > context.getCurrentWatermark()) {
                context.registerEventTimeTimer(window.maxTimestamp());
            }
        }

        @Override
        public void clear(TimeWindow window, TriggerContext context) {
            context.deleteEventTimeTimer(window.maxTimestamp());
            context.getPartitionedState(count).clear();
        }
    }

    private static final class Add implements ReduceFunction<Long> {
        @Override
        public Long reduce(Long left, Long right) {
            return left + right;
        }
    }
}
