package dev.millrace.peer.conformance;

import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.runtime.event.WatermarkEvent;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.LatencyMarker;
import org.apache.flink.streaming.runtime.streamrecord.RecordAttributes;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.OutputTag;

/** An operator's output that hands everything on at once; main records are copied as between operators of a chain. */
final class RoutingOutput implements Output<StreamRecord<Object>> {
    private final Downstream downstream;
    private final TypeSerializer<Object> serializer;

    RoutingOutput(Downstream downstream, TypeSerializer<Object> serializer) {
        this.downstream = downstream;
        this.serializer = serializer;
    }

    @Override
    public void collect(StreamRecord<Object> record) {
        Object value = serializer == null ? record.getValue() : serializer.copy(record.getValue());
        attempt(() -> downstream.emitRecord(record.copy(value), null));
    }

    @Override
    public <X> void collect(OutputTag<X> tag, StreamRecord<X> record) {
        attempt(() -> downstream.emitRecord(record, tag));
    }

    @Override
    public void emitWatermark(Watermark watermark) {
        attempt(() -> downstream.emitWatermark(watermark));
    }

    @Override
    public void emitWatermarkStatus(WatermarkStatus status) {
        attempt(() -> downstream.emitStatus(status));
    }

    @Override
    public void emitLatencyMarker(LatencyMarker marker) {}

    @Override
    public void emitRecordAttributes(RecordAttributes attributes) {}

    @Override
    public void emitWatermark(WatermarkEvent watermark) {}

    @Override
    public void close() {}

    private static void attempt(Action action) {
        try {
            action.run();
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private interface Action {
        void run() throws Exception;
    }
}
