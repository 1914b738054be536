package dev.millrace.peer.conformance;

import org.apache.flink.runtime.event.WatermarkEvent;
import org.apache.flink.streaming.runtime.io.PushingAsyncDataInput.DataOutput;
import org.apache.flink.streaming.runtime.streamrecord.LatencyMarker;
import org.apache.flink.streaming.runtime.streamrecord.RecordAttributes;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** The output of a watermark valve: watermarks and status only. */
interface NoRecords extends DataOutput<Object> {
    @Override
    default void emitRecord(StreamRecord<Object> record) {
        throw new UnsupportedOperationException("a valve does not carry records");
    }

    @Override
    default void emitLatencyMarker(LatencyMarker marker) {}

    @Override
    default void emitRecordAttributes(RecordAttributes attributes) {}

    @Override
    default void emitWatermark(WatermarkEvent watermark) {}
}
