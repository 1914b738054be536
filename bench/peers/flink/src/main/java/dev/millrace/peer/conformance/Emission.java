package dev.millrace.peer.conformance;

/**
 * Something that left a pipeline: a record (with {@code json}), a watermark, or a change of watermark status.
 *
 * @param step index into the case's order of the element that caused it; the steps after the last one are the ends of
 *     the streams
 * @param tag side output, or "" for the main one
 * @param timestamp of the record or the watermark; null for a record without one
 */
record Emission(int step, Kind kind, String tag, Long timestamp, String json) {
    enum Kind {
        RECORD,
        WATERMARK,
        IDLE,
        ACTIVE
    }

    /** What is compared when order and cause do not matter. */
    String content() {
        return tag + "|" + timestamp + "|" + json;
    }

    String toJson() {
        String head = "{\"step\":" + step;
        return switch (kind) {
            case WATERMARK -> head + ",\"w\":" + Json.value(timestamp) + "}";
            case IDLE -> head + ",\"idle\":true}";
            case ACTIVE -> head + ",\"idle\":false}";
            case RECORD -> head
                    + (tag.isEmpty() ? "" : ",\"tag\":" + Json.quote(tag))
                    + (timestamp == null ? "" : ",\"t\":" + Json.value(timestamp))
                    + ",\"v\":" + json + "}";
        };
    }
}
