package dev.millrace.peer.conformance;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** One conformance case: a pipeline, its parameters, and the script of every input stream. */
record Case(String name, String pipeline, JsonNode params, Map<String, List<Step>> inputs, List<String> order) {

    /** What one element of a script does. */
    enum Kind {
        RECORD,
        WATERMARK,
        IDLE,
        ACTIVE,
        PROCESSING_TIME
    }

    /** One element of a script; {@code time} is the timestamp, the watermark or the new processing time. */
    record Step(Kind kind, long time, Event event) implements Serializable {}

    static Case read(Path file) throws IOException {
        JsonNode root = new ObjectMapper().readTree(file.toFile());
        Map<String, List<Step>> inputs = new LinkedHashMap<>();
        root.get("inputs").properties().forEach(entry -> inputs.put(entry.getKey(), script(entry.getValue())));
        List<String> order = new ArrayList<>();
        if (root.has("order")) {
            root.get("order").forEach(name -> order.add(name.asText()));
        } else {
            inputs.forEach((name, steps) -> steps.forEach(step -> order.add(name)));
        }
        return new Case(root.get("name").asText(), root.get("pipeline").asText(), root.get("params"), inputs, order);
    }

    boolean usesProcessingTime() {
        return inputs.values().stream().flatMap(List::stream).anyMatch(step -> step.kind() == Kind.PROCESSING_TIME);
    }

    private static List<Step> script(JsonNode elements) {
        List<Step> steps = new ArrayList<>();
        int id = 0;
        for (JsonNode element : elements) {
            if (element.has("w")) {
                steps.add(new Step(Kind.WATERMARK, element.get("w").asLong(), null));
            } else if (element.has("p")) {
                steps.add(new Step(Kind.PROCESSING_TIME, element.get("p").asLong(), null));
            } else if (element.has("idle")) {
                steps.add(new Step(element.get("idle").asBoolean() ? Kind.IDLE : Kind.ACTIVE, 0, null));
            } else {
                steps.add(new Step(Kind.RECORD, element.get("t").asLong(), event(++id, element.get("v"))));
            }
        }
        return steps;
    }

    private static Event event(int id, JsonNode value) {
        if (value.get("id").asInt() != id) {
            throw new IllegalArgumentException("record " + id + " of a script has id " + value.get("id"));
        }
        Event event = new Event(id, value.get("k").asText(), value.get("v").asLong());
        event.c = value.path("c").asText("");
        event.a = value.path("a").asLong(0);
        event.b = value.path("b").asLong(0);
        return event;
    }
}
