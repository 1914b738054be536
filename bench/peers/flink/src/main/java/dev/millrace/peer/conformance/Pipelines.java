package dev.millrace.peer.conformance;

/** The jobs by the name that cases give; each is described in e2e/conformance/PIPELINES.md. */
final class Pipelines {
    private Pipelines() {}

    static void build(Case test, Plumbing plumbing) {
        var params = test.params();
        switch (test.pipeline()) {
            case "tumbling", "sliding", "session", "session-dynamic", "global-window", "count-trigger",
                    "continuous-trigger", "delta-trigger", "purging-trigger", "custom-trigger", "timeout-trigger",
                    "evictor-count", "evictor-time", "evictor-delta", "allowed-lateness", "late-side-output",
                    "window-state", "processing-time-window" -> WindowPipelines.keyed(plumbing, params);
            case "union-window" -> WindowPipelines.united(plumbing, test);
            case "window-all" -> WindowPipelines.all(plumbing, params);
            case "count-window" -> WindowPipelines.count(plumbing, params);
            case "count-window-all" -> WindowPipelines.countAll(plumbing, params);
            case "window-cascade" -> WindowPipelines.cascade(plumbing, params);
            case "window-join" -> JoinPipelines.windowJoin(plumbing, params);
            case "co-group" -> JoinPipelines.coGroup(plumbing, params);
            case "interval-join" -> JoinPipelines.intervalJoin(plumbing, params);
            case "running" -> StreamPipelines.running(plumbing, params);
            case "side-outputs" -> StreamPipelines.sideOutputs(plumbing);
            case "union" -> StreamPipelines.union(plumbing, test);
            case "watermark-strategy" -> StreamPipelines.watermarks(plumbing, params);
            case "full-window-partition" -> StreamPipelines.fullWindowPartition(plumbing, params);
            case "timers", "processing-timers" -> TimerPipelines.timers(plumbing, params);
            case "fraud" -> TimerPipelines.fraud(plumbing, params);
            case "state-kinds" -> TimerPipelines.stateKinds(plumbing);
            case "co-map" -> ConnectPipelines.coMap(plumbing);
            case "co-flat-map" -> ConnectPipelines.coFlatMap(plumbing);
            case "co-process" -> ConnectPipelines.coProcess(plumbing);
            case "broadcast-keyed" -> ConnectPipelines.keyedBroadcast(plumbing);
            case "broadcast" -> ConnectPipelines.broadcast(plumbing);
            default -> throw new IllegalArgumentException(
                    "case " + test.name() + ": unknown pipeline " + test.pipeline());
        }
    }
}
