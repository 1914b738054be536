package dev.millrace.peer.conformance;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Writes the canonical JSON of output records: keys in the order given, no white space. */
final class Json {
    private Json() {}

    /**
     * An object of alternating names and values. A {@code long} at either end of its range becomes "MIN" or "MAX",
     * since JSON readers with 64-bit floats cannot hold it.
     */
    static String object(Object... namesAndValues) {
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (i > 0) {
                out.append(',');
            }
            out.append('"').append(namesAndValues[i]).append("\":").append(value(namesAndValues[i + 1]));
        }
        return out.append('}').toString();
    }

    static String value(Object value) {
        if (value instanceof Long number) {
            if (number == Long.MIN_VALUE) {
                return "\"MIN\"";
            }
            return number == Long.MAX_VALUE ? "\"MAX\"" : number.toString();
        }
        if (value == null || value instanceof Integer || value instanceof Boolean) {
            return String.valueOf(value);
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Json::value).collect(Collectors.joining(",", "[", "]"));
        }
        return quote(value.toString());
    }

    static String event(Event event) {
        return object("id", event.id, "k", event.k, "v", event.v);
    }

    static List<Integer> ids(Iterable<Event> events) {
        return StreamSupport.stream(events.spliterator(), false).map(event -> event.id).toList();
    }

    static List<Integer> sortedIds(Iterable<Event> events) {
        int[] ids = StreamSupport.stream(events.spliterator(), false).mapToInt(event -> event.id).toArray();
        Arrays.sort(ids);
        return Arrays.stream(ids).boxed().toList();
    }

    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
