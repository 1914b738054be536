package dev.millrace.peer.conformance;

import java.time.Duration;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.streaming.api.datastream.AllWindowedStream;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.datastream.WindowedStream;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.Window;
import org.apache.flink.util.OutputTag;

/** Jobs around one window operator, built from a case's parameters. */
final class WindowPipelines {
    static final TypeInformation<WindowFunctions.Stats> STATS = Types.POJO(WindowFunctions.Stats.class);

    private WindowPipelines() {}

    /** keyBy(k), then the window of the parameters. */
    static void keyed(Plumbing plumbing, JsonNode params) {
        keyed(plumbing, plumbing.input("in"), params);
    }

    /** All inputs united, then as {@link #keyed}. */
    static void united(Plumbing plumbing, Case test) {
        keyed(plumbing, union(plumbing, test), test.params());
    }

    static DataStream<Event> union(Plumbing plumbing, Case test) {
        DataStream<Event> united = null;
        for (String name : test.inputs().keySet()) {
            united = united == null ? plumbing.input(name) : united.union(plumbing.input(name));
        }
        return united;
    }

    private static void keyed(Plumbing plumbing, DataStream<Event> input, JsonNode params) {
        KeyedStream<Event, String> byKey = input.keyBy(event -> event.k, Types.STRING);
        WindowedStream<Event, String, Window> windowed = byKey.window(cast(params));
        configure(windowed, params);
        finish(plumbing, params, keyedFunction(windowed, params));
    }

    private static void configure(WindowedStream<Event, String, Window> windowed, JsonNode params) {
        if (params.has("trigger")) {
            windowed.trigger(WindowSpec.trigger(params.get("trigger")));
        }
        if (params.has("evictor")) {
            windowed.evictor(WindowSpec.evictor(params.get("evictor")));
        }
        if (params.has("allowedLateness")) {
            windowed.allowedLateness(Duration.ofMillis(params.get("allowedLateness").asLong()));
        }
        if (params.path("sideOutputLate").asBoolean(false)) {
            windowed.sideOutputLateData(Plumbing.LATE);
        }
    }

    private static <W extends Window> SingleOutputStreamOperator<?> keyedFunction(
            WindowedStream<Event, String, W> windowed, JsonNode params) {
        @SuppressWarnings("unchecked")
        WindowedStream<Event, String, Window> any = (WindowedStream<Event, String, Window>) windowed;
        String fn = params.get("fn").asText();
        return switch (fn) {
            case "reduce" -> any.reduce(new WindowFunctions.Sum());
            case "sum" -> any.sum("v");
            case "minBy" -> any.minBy("v");
            case "maxBy" -> any.maxBy("v", false);
            case "aggregate" -> any.aggregate(new WindowFunctions.Statistics(), STATS, STATS);
            case "process" -> any.process(new WindowFunctions.Describe(sorted(params)), Types.STRING);
            case "reduce-process" -> any.reduce(
                    new WindowFunctions.Sum(), new WindowFunctions.DescribeReduced(), Types.STRING);
            case "aggregate-process" -> any.aggregate(
                    new WindowFunctions.Statistics(),
                    new WindowFunctions.DescribeStats(),
                    STATS,
                    STATS,
                    Types.STRING);
            case "count-firings" -> any.process(new WindowFunctions.CountFirings(), Types.STRING);
            default -> throw new IllegalArgumentException("unknown fn " + fn);
        };
    }

    /** windowAll on the stream that is not keyed. */
    static void all(Plumbing plumbing, JsonNode params) {
        AllWindowedStream<Event, Window> windowed = plumbing.input("in").windowAll(cast(params));
        if (params.has("trigger")) {
            windowed.trigger(WindowSpec.trigger(params.get("trigger")));
        }
        if (params.has("evictor")) {
            windowed.evictor(WindowSpec.evictor(params.get("evictor")));
        }
        if (params.has("allowedLateness")) {
            windowed.allowedLateness(Duration.ofMillis(params.get("allowedLateness").asLong()));
        }
        if (params.path("sideOutputLate").asBoolean(false)) {
            windowed.sideOutputLateData(Plumbing.LATE);
        }
        finish(plumbing, params, allFunction(windowed, params));
    }

    private static SingleOutputStreamOperator<?> allFunction(
            AllWindowedStream<Event, ? extends Window> windowed, JsonNode params) {
        @SuppressWarnings("unchecked")
        AllWindowedStream<Event, Window> any = (AllWindowedStream<Event, Window>) windowed;
        String fn = params.get("fn").asText();
        return switch (fn) {
            case "reduce" -> any.reduce(new WindowFunctions.Sum());
            case "aggregate" -> any.aggregate(new WindowFunctions.Statistics(), STATS, STATS);
            case "process" -> any.process(new WindowFunctions.DescribeAll(sorted(params)), Types.STRING);
            default -> throw new IllegalArgumentException("unknown fn " + fn);
        };
    }

    /** countWindow(size) or countWindow(size, slide). */
    static void count(Plumbing plumbing, JsonNode params) {
        KeyedStream<Event, String> byKey = plumbing.input("in").keyBy(event -> event.k, Types.STRING);
        long size = params.get("size").asLong();
        finish(
                plumbing,
                params,
                params.has("slide")
                        ? keyedFunction(byKey.countWindow(size, params.get("slide").asLong()), params)
                        : keyedFunction(byKey.countWindow(size), params));
    }

    /** countWindowAll(size) or countWindowAll(size, slide). */
    static void countAll(Plumbing plumbing, JsonNode params) {
        long size = params.get("size").asLong();
        DataStream<Event> in = plumbing.input("in");
        finish(
                plumbing,
                params,
                params.has("slide")
                        ? allFunction(in.countWindowAll(size, params.get("slide").asLong()), params)
                        : allFunction(in.countWindowAll(size), params));
    }

    /** Sums per key and window, then statistics of those sums over all keys in windows of their own. */
    static void cascade(Plumbing plumbing, JsonNode params) {
        SingleOutputStreamOperator<Event> sums = plumbing.input("in")
                .keyBy(event -> event.k, Types.STRING)
                .window(TumblingEventTimeWindows.of(WindowSpec.time(params, "inner")))
                .reduce(new WindowFunctions.Sum());
        plumbing.output(sums.windowAll(TumblingEventTimeWindows.of(WindowSpec.time(params, "outer")))
                .aggregate(
                        new WindowFunctions.Statistics(),
                        asAll(new WindowFunctions.DescribeStatsAll()),
                        STATS,
                        STATS,
                        Types.STRING));
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static <W extends Window>
            org.apache.flink.streaming.api.functions.windowing.ProcessAllWindowFunction<
                            WindowFunctions.Stats, String, W>
                    asAll(WindowFunctions.DescribeStatsAll function) {
        return (org.apache.flink.streaming.api.functions.windowing.ProcessAllWindowFunction) function;
    }

    /** The ids of merged windows come in no defined order, so those are sorted. */
    private static boolean sorted(JsonNode params) {
        return params.path("assigner").path("type").asText("").startsWith("session");
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static org.apache.flink.streaming.api.windowing.assigners.WindowAssigner<? super Event, Window> cast(
            JsonNode params) {
        return (org.apache.flink.streaming.api.windowing.assigners.WindowAssigner)
                WindowSpec.assigner(params.get("assigner"));
    }

    @SuppressWarnings("unchecked")
    private static void finish(Plumbing plumbing, JsonNode params, SingleOutputStreamOperator<?> results) {
        Class<?> type = results.getType().getTypeClass();
        if (type == String.class) {
            plumbing.output((DataStream<String>) results);
        } else if (type == Event.class) {
            plumbing.output(((DataStream<Event>) results).map(new Plumbing.EventJson()));
        } else {
            plumbing.output(((DataStream<WindowFunctions.Stats>) results).map(new WindowFunctions.StatsJson()));
        }
        if (params.path("sideOutputLate").asBoolean(false)) {
            OutputTag<Event> late = Plumbing.LATE;
            plumbing.eventsToSide(results, late);
        }
    }
}
