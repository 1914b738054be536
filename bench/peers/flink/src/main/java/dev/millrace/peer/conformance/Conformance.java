package dev.millrace.peer.conformance;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.graph.StreamGraph;

/**
 * The oracle: what Flink's own operators make of every case. {@code Conformance --cases DIR --out DIR [--only TEXT]}
 * writes one file a case. Cases with one input and no scripted clock run a second time on a MiniCluster, as whole jobs;
 * where the two disagree, the program fails.
 */
public final class Conformance {
    private Conformance() {}

    public static void main(String[] arguments) throws Exception {
        Path cases = null;
        Path out = null;
        String only = "";
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            switch (arguments[i]) {
                case "--cases" -> cases = Path.of(arguments[i + 1]);
                case "--out" -> out = Path.of(arguments[i + 1]);
                case "--only" -> only = arguments[i + 1];
                default -> throw new IllegalArgumentException("unknown option " + arguments[i]);
            }
        }
        if (cases == null || out == null) {
            System.err.println("usage: Conformance --cases DIR --out DIR [--only TEXT]");
            System.exit(2);
        }
        System.exit(run(cases, out, only));
    }

    private static int run(Path cases, Path out, String only) throws Exception {
        Files.createDirectories(out);
        List<Path> files;
        try (Stream<Path> listing = Files.list(cases)) {
            files = listing.filter(file -> file.toString().endsWith(".json"))
                    .filter(file -> file.getFileName().toString().contains(only))
                    .sorted()
                    .toList();
        }
        int failures = 0;
        int onCluster = 0;
        MiniClusterConfiguration configuration = new MiniClusterConfiguration.Builder()
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(1)
                .build();
        try (MiniCluster cluster = new MiniCluster(configuration)) {
            cluster.start();
            for (Path file : files) {
                Case test = Case.read(file);
                try {
                    Result result = harnessed(test);
                    Files.writeString(out.resolve(test.name() + ".json"), render(test, result));
                    if (test.inputs().size() == 1 && !test.usesProcessingTime()) {
                        onCluster++;
                        compare(test, result, cluster);
                    }
                } catch (Exception | AssertionError failure) {
                    failures++;
                    System.err.println(test.name() + ": " + failure);
                    if (!only.isEmpty()) {
                        failure.printStackTrace();
                    }
                }
            }
        }
        System.err.printf(
                "%d cases, %d of them on a MiniCluster too, %d failures%n", files.size(), onCluster, failures);
        return failures == 0 ? 0 : 1;
    }

    private record Result(List<Emission> emissions, long lateDropped, boolean interleavingMatters) {}

    private static Result harnessed(Case test) throws Exception {
        List<Emission> emissions;
        long lateDropped;
        try (GraphRunner runner = new GraphRunner(graph(test))) {
            emissions = runner.run(test, test.order());
            lateDropped = runner.lateDropped();
        }
        boolean matters = false;
        if (test.inputs().size() > 1) {
            for (List<String> order : otherOrders(test)) {
                try (GraphRunner runner = new GraphRunner(graph(test))) {
                    List<String> other = contents(runner.run(test, order));
                    matters |= !other.equals(contents(emissions)) || runner.lateDropped() != lateDropped;
                }
            }
        }
        return new Result(emissions, lateDropped, matters);
    }

    /** Stream after stream, in both directions, and one element of each in turn. */
    private static List<List<String>> otherOrders(Case test) {
        List<String> names = new ArrayList<>(test.inputs().keySet());
        List<String> forwards = new ArrayList<>();
        names.forEach(name -> test.inputs().get(name).forEach(step -> forwards.add(name)));
        List<String> backwards = new ArrayList<>();
        for (int i = names.size() - 1; i >= 0; i--) {
            String name = names.get(i);
            test.inputs().get(name).forEach(step -> backwards.add(name));
        }
        List<String> inTurn = new ArrayList<>();
        for (int position = 0; inTurn.size() < forwards.size(); position++) {
            for (String name : names) {
                if (position < test.inputs().get(name).size()) {
                    inTurn.add(name);
                }
            }
        }
        return List.of(forwards, backwards, inTurn);
    }

    private static StreamGraph graph(Case test) {
        Plumbing plumbing = new Plumbing(test, new Configuration());
        Pipelines.build(test, plumbing);
        StreamGraph graph = plumbing.env.getStreamGraph();
        graph.setJobName(test.name());
        return graph;
    }

    private static void compare(Case test, Result result, MiniCluster cluster) throws Exception {
        cluster.executeJobBlocking(graph(test).getJobGraph());
        Queue<Emission> collected = Plumbing.COLLECTED.remove(test.name());
        List<String> actual = collected == null ? List.of() : contents(new ArrayList<>(collected));
        List<String> expected = contents(result.emissions());
        if (!actual.equals(expected)) {
            List<String> missing = new ArrayList<>(expected);
            actual.forEach(missing::remove);
            List<String> extra = new ArrayList<>(actual);
            expected.forEach(extra::remove);
            throw new AssertionError("the cluster disagrees with the harness; missing " + missing + " extra " + extra);
        }
    }

    /** The records as a sorted list: a multiset. */
    private static List<String> contents(List<Emission> emissions) {
        return emissions.stream()
                .filter(emission -> emission.kind() == Emission.Kind.RECORD)
                .map(Emission::content)
                .sorted()
                .collect(Collectors.toList());
    }

    private static String render(Case test, Result result) {
        String outputs = result.emissions().stream().map(Emission::toJson).collect(Collectors.joining(",\n    "));
        return "{\n  \"case\": " + Json.quote(test.name())
                + ",\n  \"flink\": " + Json.quote(EnvironmentInformation.getVersion())
                + ",\n  \"lateDropped\": " + result.lateDropped()
                + ",\n  \"interleavingMatters\": " + result.interleavingMatters()
                + ",\n  \"outputs\": [" + (outputs.isEmpty() ? "]" : "\n    " + outputs + "\n  ]") + "\n}\n";
    }
}
