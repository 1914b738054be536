package dev.millrace.peer;

import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Submits a work to a standalone cluster and prints a line of JSON each time: the job's id, and when its submission
 * began, in milliseconds since the epoch. See README.md for the options.
 */
public final class ClusterBench {
    private ClusterBench() {}

    public static void main(String[] arguments) throws Exception {
        Options options = Options.parse(arguments);
        int records = options.number("records", 1);
        if (options.number("warmup-records", 0) > 0) {
            submit(options, options.number("warmup-records", 0));
        }
        for (int i = 0; i < options.number("times", 1); i++) {
            submit(options, records);
        }
        System.exit(0);
    }

    private static void submit(Options options, int records) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.OBJECT_REUSE, options.flag("object-reuse", false));
        if (options.number("checkpoint-ms", 0) > 0) {
            configuration.set(
                    CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(options.number("checkpoint-ms", 0)));
            configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, options.text("checkpoints"));
        }
        String jar = options.text("jar", "");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createRemoteEnvironment(
                "127.0.0.1", options.number("port", 8081), configuration, jar.isEmpty() ? new String[0] : new String[] {jar});
        env.setParallelism(options.number("parallelism", 2));
        Works.named(options.text("work")).build(env, options, records);
        long submitMs = System.currentTimeMillis();
        JobClient job = env.executeAsync();
        System.out.println("{\"jobId\":\"" + job.getJobID() + "\",\"submitMs\":" + submitMs + "}");
        if (!options.flag("detached", false)) {
            job.getJobExecutionResult().get();
        }
    }
}
