package dev.millrace.peer.conformance;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Where a pipeline gets its inputs and leaves its outputs; the same for both runners. */
final class Plumbing {
    static final String SOURCE_PREFIX = "input ";
    static final String OUTPUT_PREFIX = "output ";
    static final TypeInformation<Event> EVENT = Types.POJO(Event.class);

    /** Late records of windows and interval joins. */
    static final OutputTag<Event> LATE = new OutputTag<>("late", EVENT);

    /** Outputs of a run on a cluster, by case: sinks live in other threads of this JVM. */
    static final Map<String, Queue<Emission>> COLLECTED = new java.util.concurrent.ConcurrentHashMap<>();

    final StreamExecutionEnvironment env;
    private final Case test;
    private final Map<String, DataStream<Event>> streams = new LinkedHashMap<>();

    Plumbing(Case test, Configuration configuration) {
        this.test = test;
        this.env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        env.setParallelism(1);
        test.inputs().forEach((name, steps) -> streams.put(
                name,
                env.fromSource(
                        new ScriptedSource(steps), WatermarkStrategy.noWatermarks(), SOURCE_PREFIX + name, EVENT)));
    }

    DataStream<Event> input(String name) {
        DataStream<Event> stream = streams.get(name);
        if (stream == null) {
            throw new IllegalArgumentException("case " + test.name() + " has no input " + name);
        }
        return stream;
    }

    void output(DataStream<String> results) {
        output("", results);
    }

    void output(String tag, DataStream<String> results) {
        results.process(new Capture(test.name(), tag)).name(OUTPUT_PREFIX + tag).sinkTo(new DiscardingSink<>());
    }

    void eventsToSide(SingleOutputStreamOperator<?> from, OutputTag<Event> tag) {
        output(tag.getId(), from.getSideOutput(tag).map(new EventJson()));
    }

    /** An event as it is. */
    static final class EventJson implements MapFunction<Event, String> {
        @Override
        public String map(Event event) {
            return Json.event(event);
        }
    }

    private static final class Capture extends ProcessFunction<String, String> {
        private final String test;
        private final String tag;

        Capture(String test, String tag) {
            this.test = test;
            this.tag = tag;
        }

        @Override
        public void processElement(String json, Context context, Collector<String> out) {
            COLLECTED.computeIfAbsent(test, name -> new ConcurrentLinkedQueue<>())
                    .add(new Emission(0, Emission.Kind.RECORD, tag, context.timestamp(), json));
        }
    }
}
