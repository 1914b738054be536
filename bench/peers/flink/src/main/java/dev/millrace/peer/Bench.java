package dev.millrace.peer;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Runs one work on Flink and prints one line of JSON. The job runs once with fewer records first, in the same JVM and
 * cluster, unless {@code --warmup false}; see README.md for the options.
 */
public final class Bench {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private Bench() {}

    public static void main(String[] arguments) throws Exception {
        Options options = Options.parse(arguments);
        String name = options.text("work");
        if (name.equals("make-text")) {
            int words = WordCount.makeText(Path.of(options.text("output")), Long.parseLong(options.text("bytes")));
            System.out.println("{\"words\":" + words + "}");
            return;
        }
        Work work = Works.named(name);
        if (options.flag("samples", false)) {
            work.samples(options, 10).forEach(System.out::println);
            return;
        }
        System.out.println(run(name, work, options));
        // The embedded cluster's threads need not be waited for.
        System.exit(0);
    }

    private static String run(String name, Work work, Options options) throws Exception {
        int records = options.number("records", 1_000_000);
        int parallelism = options.number("parallelism", 2);
        Configuration configuration = configuration(parallelism, options);
        work.configure(configuration, options);
        MiniClusterConfiguration cluster = new MiniClusterConfiguration.Builder()
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(parallelism)
                .setConfiguration(configuration)
                .build();
        try (MiniCluster miniCluster = new MiniCluster(cluster)) {
            miniCluster.start();
            if (options.flag("warmup", true)) {
                int fewer = options.number("warmup-records", Math.max(1, records / 4));
                execute(miniCluster, configuration, work, warmupOptions(options), fewer);
            }
            System.gc();
            long cpuBefore = SYSTEM.getProcessCpuTime();
            execute(miniCluster, configuration, work, options, records);
            double cpuSeconds = (SYSTEM.getProcessCpuTime() - cpuBefore) / 1e9;
            return json(name, work, options, records, cpuSeconds, configuration);
        }
    }

    /** What is read for warming up may be smaller: {@code --warmup-X} stands for {@code --X} then. */
    private static Options warmupOptions(Options options) {
        Map<String, String> values = new LinkedHashMap<>(options.values());
        for (String name : List.of("input", "topic", "table")) {
            if (values.containsKey("warmup-" + name)) {
                values.put(name, values.get("warmup-" + name));
            }
        }
        return new Options(values);
    }

    private static void execute(
            MiniCluster cluster, Configuration configuration, Work work, Options options, int records)
            throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        env.setParallelism(options.number("parallelism", 2));
        if (options.number("checkpoint-ms", 0) > 0) {
            env.enableCheckpointing(options.number("checkpoint-ms", 0));
        }
        Meter.reset();
        work.build(env, options, records);
        cluster.executeJobBlocking(env.getStreamGraph().getJobGraph());
    }

    private static Configuration configuration(int parallelism, Options options) {
        Configuration configuration = new Configuration();
        configuration.set(TaskManagerOptions.NUM_TASK_SLOTS, parallelism);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(StateBackendOptions.STATE_BACKEND, "hashmap");
        configuration.set(RestOptions.BIND_PORT, "0");
        // The heap backend needs no managed memory.
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(8));
        MemorySize network = MemorySize.ofMebiBytes(options.number("network-mb", 128));
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, network);
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, network);
        if (options.number("checkpoint-ms", 0) > 0) {
            configuration.set(CheckpointingOptions.CHECKPOINT_STORAGE, "jobmanager");
            configuration.set(CheckpointingOptions.CHECKPOINTING_TIMEOUT, Duration.ofMinutes(1));
        }
        return configuration;
    }

    private static String json(
            String name, Work work, Options options, int records, double cpuSeconds, Configuration configuration)
            throws IOException {
        // A file's records are its words or rows: each is one output.
        long processed = options.values().containsKey("input") && !options.flag("all-records", false)
                        || name.equals("cold-start") ? Meter.outputs() : records;
        long startMs = ManagementFactory.getRuntimeMXBean().getStartTime();
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("work", quote(name));
        fields.put("records", String.valueOf(processed));
        fields.put("seconds", decimal(Meter.seconds()));
        fields.put("recordsPerSecond", String.valueOf(Math.round(processed / Meter.seconds())));
        fields.put("cpuSeconds", decimal(cpuSeconds));
        fields.put("outputs", String.valueOf(Meter.outputs()));
        fields.put("checksum", String.valueOf(Meter.checksum()));
        fields.put("peakRssKb", peakRssKb());
        fields.put("coldSeconds", decimal((Meter.firstOutputEverMs() - startMs) / 1e3));
        fields.putAll(work.extras());
        Map<String, String> config = new LinkedHashMap<>();
        config.put("flink", quote(EnvironmentInformation.getVersion()));
        config.put("java", quote(System.getProperty("java.vm.version")));
        config.put("jvmArguments", quote(String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()
                .stream().filter(argument -> argument.startsWith("-X")).toList())));
        config.put("options", object(quoted(options.values())));
        config.put("settings", object(quoted(new java.util.TreeMap<>(configuration.toMap()))));
        fields.put("config", object(config));
        return object(fields);
    }

    private static String peakRssKb() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return "null";
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .map(line -> line.replaceAll("\\D", ""))
                .findFirst()
                .orElse("null");
    }

    private static Map<String, String> quoted(Map<String, String> values) {
        Map<String, String> quoted = new LinkedHashMap<>();
        values.forEach((key, value) -> quoted.put(key, quote(value)));
        return quoted;
    }

    private static String object(Map<String, String> fields) {
        return fields.entrySet().stream()
                .map(field -> quote(field.getKey()) + ":" + field.getValue())
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static String quote(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }
}
