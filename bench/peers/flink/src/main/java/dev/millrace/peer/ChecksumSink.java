package dev.millrace.peer;

import java.io.Serializable;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Adds up the hashes of all outputs: the sum depends neither on their order nor on the parallelism. */
final class ChecksumSink<T> implements Sink<T> {
    private final Hash<T> hash;

    ChecksumSink(Hash<T> hash) {
        this.hash = hash;
    }

    /** Folds every field of an output. */
    interface Hash<T> extends Serializable {
        int of(T output);
    }

    @Override
    public SinkWriter<T> createWriter(WriterInitContext context) {
        return new Writer<>(hash);
    }

    private static final class Writer<T> implements SinkWriter<T> {
        private final Hash<T> hash;
        private long sum;
        private long outputs;

        Writer(Hash<T> hash) {
            this.hash = hash;
        }

        @Override
        public void write(T output, Context context) {
            if (outputs++ == 0) {
                Meter.firstOutput();
            }
            sum += Integer.toUnsignedLong(hash.of(output));
        }

        @Override
        public void flush(boolean endOfInput) {
            if (endOfInput) {
                Meter.sinkEnds(sum, outputs);
                sum = 0;
                outputs = 0;
            }
        }

        @Override
        public void close() {}
    }
}
