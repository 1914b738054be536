package dev.millrace.peer;

import java.io.Serializable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

/**
 * Generates records 0 … n − 1: subtask s of p the indices s, s + p, s + 2p, …, so that event time advances alike in all.
 * A poll emits many records, since one a poll would measure Flink's mailbox.
 */
final class StridedSource<T> implements Source<T, StridedSource.NoSplit, Integer> {
    private static final int RECORDS_A_POLL = 128;

    private final int records;
    private final Generator<T> generator;

    StridedSource(int records, Generator<T> generator) {
        this.records = records;
        this.generator = generator;
    }

    /** Makes the record of an index, and its event time. */
    interface Generator<T> extends Serializable {
        T record(int index);

        long timestamp(T record);
    }

    /** The readers need no splits. */
    record NoSplit(String splitId) implements SourceSplit {}

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.BOUNDED;
    }

    @Override
    public SourceReader<T, NoSplit> createReader(SourceReaderContext context) {
        return new Reader<>(
                generator, records, context.getIndexOfSubtask(), context.currentParallelism());
    }

    @Override
    public SplitEnumerator<NoSplit, Integer> createEnumerator(SplitEnumeratorContext<NoSplit> context) {
        return new EmptyEnumerator();
    }

    @Override
    public SplitEnumerator<NoSplit, Integer> restoreEnumerator(
            SplitEnumeratorContext<NoSplit> context, Integer state) {
        return new EmptyEnumerator();
    }

    @Override
    public SimpleVersionedSerializer<NoSplit> getSplitSerializer() {
        return new Constant<>(new NoSplit("none"));
    }

    @Override
    public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
        return new Constant<>(0);
    }

    /** The base of all readers here: what there is to say without splits. */
    abstract static class SplitlessReader<T> implements SourceReader<T, NoSplit> {
        @Override
        public void start() {
            Meter.sourceStarts();
        }

        @Override
        public List<NoSplit> snapshotState(long checkpointId) {
            return List.of();
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void addSplits(List<NoSplit> splits) {}

        @Override
        public void notifyNoMoreSplits() {}

        @Override
        public void close() {}
    }

    private static final class Reader<T> extends SplitlessReader<T> {
        private final Generator<T> generator;
        private final int records;
        private final int stride;
        private int next;

        Reader(Generator<T> generator, int records, int subtask, int parallelism) {
            this.generator = generator;
            this.records = records;
            this.stride = parallelism;
            this.next = subtask;
        }

        @Override
        public InputStatus pollNext(ReaderOutput<T> output) {
            for (int i = 0; i < RECORDS_A_POLL; i++) {
                if (next >= records) {
                    return InputStatus.END_OF_INPUT;
                }
                T record = generator.record(next);
                output.collect(record, generator.timestamp(record));
                next += stride;
            }
            return InputStatus.MORE_AVAILABLE;
        }
    }

    static final class EmptyEnumerator implements SplitEnumerator<NoSplit, Integer> {
        @Override
        public void start() {}

        @Override
        public void handleSplitRequest(int subtaskId, String requesterHostname) {}

        @Override
        public void addSplitsBack(List<NoSplit> splits, int subtaskId) {}

        @Override
        public void addReader(int subtaskId) {}

        @Override
        public Integer snapshotState(long checkpointId) {
            return 0;
        }

        @Override
        public void close() {}
    }

    record Constant<T>(T value) implements SimpleVersionedSerializer<T> {
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
