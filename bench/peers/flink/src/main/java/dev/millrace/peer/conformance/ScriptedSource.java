package dev.millrace.peer.conformance;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** Emits one script, watermarks and idleness included, exactly as written; for parallelism 1. */
final class ScriptedSource implements Source<Event, ScriptedSource.Split, Integer> {
    private final Case.Step[] steps;

    ScriptedSource(List<Case.Step> steps) {
        this.steps = steps.toArray(new Case.Step[0]);
    }

    /** Never used: the reader needs no splits. */
    record Split(String splitId) implements SourceSplit {}

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.BOUNDED;
    }

    @Override
    public SourceReader<Event, Split> createReader(SourceReaderContext context) {
        return new Reader(steps);
    }

    @Override
    public SplitEnumerator<Split, Integer> createEnumerator(SplitEnumeratorContext<Split> context) {
        return new NoSplits();
    }

    @Override
    public SplitEnumerator<Split, Integer> restoreEnumerator(SplitEnumeratorContext<Split> context, Integer state) {
        return new NoSplits();
    }

    @Override
    public SimpleVersionedSerializer<Split> getSplitSerializer() {
        return new Stateless<>(new Split("script"));
    }

    @Override
    public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
        return new Stateless<>(0);
    }

    private static final class Reader implements SourceReader<Event, Split> {
        private final Case.Step[] steps;
        private int next;

        Reader(Case.Step[] steps) {
            this.steps = steps;
        }

        @Override
        public InputStatus pollNext(ReaderOutput<Event> output) {
            if (next == steps.length) {
                return InputStatus.END_OF_INPUT;
            }
            Case.Step step = steps[next++];
            switch (step.kind()) {
                case RECORD -> output.collect(step.event(), step.time());
                case WATERMARK -> output.emitWatermark(new Watermark(step.time()));
                case IDLE -> output.markIdle();
                // A FLIP-27 reader becomes active by its next watermark; scripts have one there.
                case ACTIVE -> {}
                case PROCESSING_TIME -> throw new IllegalStateException("a cluster's clock cannot be scripted");
            }
            return InputStatus.MORE_AVAILABLE;
        }

        @Override
        public void start() {}

        @Override
        public List<Split> snapshotState(long checkpointId) {
            return List.of();
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void addSplits(List<Split> splits) {}

        @Override
        public void notifyNoMoreSplits() {}

        @Override
        public void close() {}
    }

    private static final class NoSplits implements SplitEnumerator<Split, Integer> {
        @Override
        public void start() {}

        @Override
        public void handleSplitRequest(int subtaskId, String requesterHostname) {}

        @Override
        public void addSplitsBack(List<Split> splits, int subtaskId) {}

        @Override
        public void addReader(int subtaskId) {}

        @Override
        public Integer snapshotState(long checkpointId) {
            return 0;
        }

        @Override
        public void close() {}
    }

    private record Stateless<T>(T value) implements SimpleVersionedSerializer<T> {
        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(T ignored) {
            return new byte[0];
        }

        @Override
        public T deserialize(int version, byte[] bytes) {
            return value;
        }
    }
}
