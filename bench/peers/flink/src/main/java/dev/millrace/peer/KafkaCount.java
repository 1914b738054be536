package dev.millrace.peer;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Reads all records of {@code --topic}. */
final class KafkaCount implements Work {
    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        source(env, options).sinkTo(new ChecksumSink<>(KafkaCount::hash));
    }

    static DataStream<String> source(StreamExecutionEnvironment env, Options options) {
        KafkaSource<String> source = KafkaSource.<String>builder()
                .setBootstrapServers(options.text("bootstrap"))
                .setTopics(options.text("topic"))
                .setGroupId("bench")
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setBounded(OffsetsInitializer.latest())
                .setProperty("isolation.level", "read_committed")
                .setValueOnlyDeserializer(new Metered())
                .build();
        return env.fromSource(source, WatermarkStrategy.noWatermarks(), "records");
    }

    static int hash(String text) {
        return Mix.fold(Mix.fold(Mix.start(), text.length()), (int) text.charAt(text.length() - 1));
    }

    /** Says when the source begins. */
    private static final class Metered extends SimpleStringSchema {
        @Override
        public void open(DeserializationSchema.InitializationContext context) {
            Meter.sourceStarts();
        }
    }
}
