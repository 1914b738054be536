package dev.millrace.peer;

import java.util.Locale;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Copies {@code --topic} to {@code --output} with the guarantee {@code --guarantee}. */
final class KafkaCopy implements Work {
    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        String output = options.text("output");
        String guarantee = options.text("guarantee").replace('-', '_').toUpperCase(Locale.ROOT);
        KafkaSink<String> sink = KafkaSink.<String>builder()
                .setBootstrapServers(options.text("bootstrap"))
                .setDeliveryGuarantee(DeliveryGuarantee.valueOf(guarantee))
                .setTransactionalIdPrefix(output)
                // The brokers allow no more; Flink's default is an hour.
                .setProperty("transaction.timeout.ms", "900000")
                .setRecordSerializer(KafkaRecordSerializationSchema.builder()
                        .setTopic(output)
                        .setValueSerializationSchema(new SimpleStringSchema())
                        .build())
                .build();
        DataStream<String> source = KafkaCount.source(env, options);
        source.sinkTo(sink);
        source.sinkTo(new ChecksumSink<>(KafkaCount::hash));
    }
}
