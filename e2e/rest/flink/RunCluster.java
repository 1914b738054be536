import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.accumulators.IntCounter;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** A Flink cluster in this process with its REST endpoint, and a job for it: what record.mjs asks. Arguments: port, a new directory. */
public class RunCluster {
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[1]);
        Path failed = directory.resolve("failed-once");
        File log = directory.resolve("jobmanager.log").toFile();
        Files.writeString(log.toPath(), "a line\n");
        Configuration conf = new Configuration();
        conf.setString("rest.port", args[0]);
        conf.setString("rest.flamegraph.enabled", "true");
        conf.setString("web.log.path", log.getPath());
        conf.setString("web.upload.dir", directory.toString());
        conf.setString("taskmanager.numberOfTaskSlots", "2");
        conf.setString("execution.checkpointing.interval", "500 ms");
        conf.setString("execution.checkpointing.dir", directory.resolve("checkpoints").toUri().toString());
        conf.setString("restart-strategy.type", "fixed-delay");
        conf.setString("restart-strategy.fixed-delay.attempts", "3");
        conf.setString("restart-strategy.fixed-delay.delay", "100 ms");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(conf);
        env.setParallelism(2);
        String marker = failed.toString();
        env.fromSource(new DataGeneratorSource<Long>(i -> i, 1_000_000_000L, RateLimiterStrategy.perSecond(200), Types.LONG),
                        WatermarkStrategy.<Long>forBoundedOutOfOrderness(Duration.ofSeconds(1)).withTimestampAssigner((value, time) -> value), "numbers")
                .keyBy(value -> value % 10)
                .map(new Counting(marker)).returns(Types.LONG).name("counting").uid("counting")
                .sinkTo(new DiscardingSink<>()).name("discarding");
        var cluster = new MiniCluster(new MiniClusterConfiguration.Builder().setConfiguration(conf).setNumTaskManagers(1).setNumSlotsPerTaskManager(2).build());
        cluster.start();
        var job = env.getStreamGraph().getJobGraph();
        cluster.submitJob(job).get();
        System.out.println("JOB " + job.getJobID());
        System.in.read();
        System.exit(0);
    }

    /** Counts, and fails once. */
    static class Counting extends RichMapFunction<Long, Long> {
        private final IntCounter counter = new IntCounter();
        private final String marker;
        private long seen;

        Counting(String marker) {
            this.marker = marker;
        }

        @Override
        public void open(OpenContext context) {
            getRuntimeContext().addAccumulator("counted", counter);
        }

        @Override
        public Long map(Long value) throws Exception {
            counter.add(1);
            if (++seen > 50 && new File(marker).createNewFile()) throw new IllegalStateException("failing once");
            return value;
        }
    }
}
