package dev.millrace.peer.conformance;

import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.OutputTag;

/** Everything behind an operator. */
interface Downstream {
    /** @param tag the side output, or null for the main one */
    void emitRecord(StreamRecord<?> record, OutputTag<?> tag) throws Exception;

    void emitWatermark(Watermark watermark) throws Exception;

    void emitStatus(WatermarkStatus status) throws Exception;
}
