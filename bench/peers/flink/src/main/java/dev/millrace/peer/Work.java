package dev.millrace.peer;

import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** One row of the benchmark's table. */
interface Work {
    /** Builds the job that processes {@code records} records. */
    void build(StreamExecutionEnvironment env, Options options, int records);

    /** The first records of its generator, as JSON, in the order of their index. */
    default List<String> samples(Options options, int count) {
        return List.of();
    }

    /** What the work needs of Flink's configuration beyond the common part. */
    default void configure(Configuration configuration, Options options) {}

    /** Further figures for the result; values are JSON. */
    default Map<String, String> extras() {
        return Map.of();
    }
}
