package dev.millrace.peer.conformance;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Running aggregates, side outputs, union without windows, watermark strategies, full partitions. */
final class StreamPipelines {
    static final OutputTag<Event> ODD = new OutputTag<>("odd", Plumbing.EVENT);
    static final OutputTag<Event> NEGATIVE = new OutputTag<>("negative", Plumbing.EVENT);

    private StreamPipelines() {}

    static void running(Plumbing plumbing, JsonNode params) {
        KeyedStream<Event, String> byKey = plumbing.input("in").keyBy(event -> event.k, Types.STRING);
        boolean first = params.path("first").asBoolean(true);
        String fn = params.get("fn").asText();
        SingleOutputStreamOperator<Event> results =
                switch (fn) {
                    case "reduce" -> byKey.reduce(new WindowFunctions.Sum());
                    case "sum" -> byKey.sum("v");
                    case "min" -> byKey.min("v");
                    case "max" -> byKey.max("v");
                    case "minBy" -> byKey.minBy("v", first);
                    case "maxBy" -> byKey.maxBy("v", first);
                    default -> throw new IllegalArgumentException("unknown fn " + fn);
                };
        plumbing.output(results.map(new Plumbing.EventJson()));
    }

    static void sideOutputs(Plumbing plumbing) {
        SingleOutputStreamOperator<Event> main = plumbing.input("in").process(new Split());
        plumbing.output(main.map(new Plumbing.EventJson()));
        plumbing.eventsToSide(main, ODD);
        plumbing.eventsToSide(main, NEGATIVE);
        plumbing.eventsToSide(main, Plumbing.LATE);
    }

    static void union(Plumbing plumbing, Case test) {
        plumbing.output(WindowPipelines.union(plumbing, test).process(new ShowWatermark()));
    }

    static void watermarks(Plumbing plumbing, JsonNode params) {
        plumbing.env.getConfig().setAutoWatermarkInterval(params.path("interval").asLong(200));
        String type = params.get("type").asText();
        WatermarkStrategy<Event> strategy =
                switch (type) {
                    case "bounded" -> WatermarkStrategy.forBoundedOutOfOrderness(WindowSpec.time(params, "bound"));
                    case "monotonous" -> WatermarkStrategy.forMonotonousTimestamps();
                    case "punctuated" -> context -> new OnCommand();
                    default -> throw new IllegalArgumentException("unknown strategy " + type);
                };
        strategy = strategy.withTimestampAssigner((event, previous) -> event.a);
        if (params.has("idleness")) {
            strategy = strategy.withIdleness(Duration.ofMillis(params.get("idleness").asLong()));
        }
        DataStream<Event> timed = plumbing.input("in").assignTimestampsAndWatermarks(strategy);
        plumbing.output(timed.process(new ShowWatermark()));
    }

    static void fullWindowPartition(Plumbing plumbing, JsonNode params) {
        var partitions = plumbing.input("in").keyBy(event -> event.k, Types.STRING).fullWindowPartition();
        String fn = params.get("fn").asText();
        plumbing.output(
                switch (fn) {
                    case "reduce" -> partitions.reduce(new WindowFunctions.Sum()).map(new Plumbing.EventJson());
                    case "aggregate" -> partitions
                            .aggregate(new WindowFunctions.Statistics())
                            .map(new WindowFunctions.StatsJson());
                    default -> throw new IllegalArgumentException("unknown fn " + fn);
                });
    }

    static final class Split extends ProcessFunction<Event, Event> {
        @Override
        public void processElement(Event event, Context context, Collector<Event> out) {
            if (context.timestamp() <= context.timerService().currentWatermark()) {
                context.output(Plumbing.LATE, event);
            }
            if (event.v < 0) {
                context.output(NEGATIVE, event);
            }
            if (event.v % 2 != 0) {
                context.output(ODD, event);
            } else {
                out.collect(event);
            }
        }
    }

    static final class ShowWatermark extends ProcessFunction<Event, String> {
        @Override
        public void processElement(Event event, Context context, Collector<String> out) {
            out.collect(Json.object(
                    "k", event.k, "id", event.id, "v", event.v, "wm", context.timerService().currentWatermark()));
        }
    }

    /** A watermark of {@code b} for every event with the command "wm". */
    static final class OnCommand implements WatermarkGenerator<Event> {
        @Override
        public void onEvent(Event event, long timestamp, WatermarkOutput output) {
            if (event.c.equals("wm")) {
                output.emitWatermark(new Watermark(event.b));
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {}
    }
}
