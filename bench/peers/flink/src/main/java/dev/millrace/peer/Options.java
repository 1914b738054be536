package dev.millrace.peer;

import java.util.Map;
import java.util.TreeMap;

/** Options of the form {@code --name value}. */
record Options(Map<String, String> values) {
    static Options parse(String[] arguments) {
        Map<String, String> values = new TreeMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            if (!arguments[i].startsWith("--") || i + 1 == arguments.length) {
                throw new IllegalArgumentException("expected --name value, got " + arguments[i]);
            }
            values.put(arguments[i].substring(2), arguments[i + 1]);
        }
        return new Options(values);
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }

    int number(String name, int otherwise) {
        String value = values.get(name);
        return value == null ? otherwise : Integer.parseInt(value.replace("_", ""));
    }

    boolean flag(String name, boolean otherwise) {
        return Boolean.parseBoolean(values.getOrDefault(name, String.valueOf(otherwise)));
    }
}
