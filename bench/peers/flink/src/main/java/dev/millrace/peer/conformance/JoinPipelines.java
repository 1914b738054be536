package dev.millrace.peer.conformance;

import java.time.Duration;
import org.apache.flink.api.common.functions.CoGroupFunction;
import org.apache.flink.api.common.functions.JoinFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Joins of the inputs {@code left} and {@code right}. */
final class JoinPipelines {
    static final OutputTag<Event> LEFT_LATE = new OutputTag<>("left-late", Plumbing.EVENT);
    static final OutputTag<Event> RIGHT_LATE = new OutputTag<>("right-late", Plumbing.EVENT);

    private JoinPipelines() {}

    static void windowJoin(Plumbing plumbing, JsonNode params) {
        var window = plumbing.input("left")
                .join(plumbing.input("right"))
                .where(event -> event.k, Types.STRING)
                .equalTo(event -> event.k, Types.STRING)
                .window(WindowSpec.assigner(params.get("assigner")));
        if (params.has("allowedLateness")) {
            window = window.allowedLateness(Duration.ofMillis(params.get("allowedLateness").asLong()));
        }
        plumbing.output(window.apply(new Pair(), Types.STRING));
    }

    static void coGroup(Plumbing plumbing, JsonNode params) {
        var window = plumbing.input("left")
                .coGroup(plumbing.input("right"))
                .where(event -> event.k, Types.STRING)
                .equalTo(event -> event.k, Types.STRING)
                .window(WindowSpec.assigner(params.get("assigner")));
        if (params.has("allowedLateness")) {
            window = window.allowedLateness(Duration.ofMillis(params.get("allowedLateness").asLong()));
        }
        plumbing.output(window.apply(new Groups(), Types.STRING));
    }

    static void intervalJoin(Plumbing plumbing, JsonNode params) {
        KeyedStream<Event, String> left = plumbing.input("left").keyBy(event -> event.k, Types.STRING);
        KeyedStream<Event, String> right = plumbing.input("right").keyBy(event -> event.k, Types.STRING);
        var joined = left.intervalJoin(right)
                .between(WindowSpec.time(params, "lower"), WindowSpec.time(params, "upper"));
        if (params.path("lowerExclusive").asBoolean(false)) {
            joined = joined.lowerBoundExclusive();
        }
        if (params.path("upperExclusive").asBoolean(false)) {
            joined = joined.upperBoundExclusive();
        }
        boolean late = params.path("sideOutputLate").asBoolean(false);
        if (late) {
            joined = joined.sideOutputLeftLateData(LEFT_LATE).sideOutputRightLateData(RIGHT_LATE);
        }
        SingleOutputStreamOperator<String> results = joined.process(new TimedPair(), Types.STRING);
        plumbing.output(results);
        if (late) {
            plumbing.eventsToSide(results, LEFT_LATE);
            plumbing.eventsToSide(results, RIGHT_LATE);
        }
    }

    static final class Pair implements JoinFunction<Event, Event, String> {
        @Override
        public String join(Event left, Event right) {
            return Json.object("k", left.k, "left", left.id, "right", right.id);
        }
    }

    static final class TimedPair extends ProcessJoinFunction<Event, Event, String> {
        @Override
        public void processElement(Event left, Event right, Context context, Collector<String> out) {
            out.collect(Json.object(
                    "k", left.k,
                    "left", left.id,
                    "right", right.id,
                    "leftTime", context.getLeftTimestamp(),
                    "rightTime", context.getRightTimestamp(),
                    "time", context.getTimestamp()));
        }
    }

    static final class Groups implements CoGroupFunction<Event, Event, String> {
        @Override
        public void coGroup(Iterable<Event> left, Iterable<Event> right, Collector<String> out) {
            var any = left.iterator().hasNext() ? left : right;
            out.collect(Json.object(
                    "k", any.iterator().next().k, "left", Json.sortedIds(left), "right", Json.sortedIds(right)));
        }
    }
}
