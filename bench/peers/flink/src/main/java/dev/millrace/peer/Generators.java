package dev.millrace.peer;

import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.api.java.tuple.Tuple6;

/** The records of all generated works; defined in GENERATORS.md. */
final class Generators {
    private static final String[] PAYLOADS = payloads();

    /** There are few labels, so they are made once, on every side: making text is not what the work is about. */
    private static final String[] LABELS = labels();

    private Generators() {}

    /** (key, label, time, amount, quantity, price). */
    static final class Purchases
            implements StridedSource.Generator<Tuple6<String, String, Long, Integer, Integer, Double>> {
        private final int keys;

        Purchases(int keys) {
            this.keys = keys;
        }

        @Override
        public Tuple6<String, String, Long, Integer, Integer, Double> record(int i) {
            int key = Mix.below(Mix.random(i, 0), keys);
            return Tuple6.of(
                    key % 100 == 7 ? "ключ-" + key : "user-" + key,
                    LABELS[Mix.below(Mix.random(i, 1), 1000)],
                    time(i, 100, 5000),
                    Mix.below(Mix.random(i, 3), 1000),
                    Mix.below(Mix.random(i, 4), 10),
                    Mix.below(Mix.random(i, 5), 10000) / 100.0);
        }

        @Override
        public long timestamp(Tuple6<String, String, Long, Integer, Integer, Double> record) {
            return record.f2;
        }
    }

    /** (index, key, time, value). */
    static final class Readings implements StridedSource.Generator<Tuple4<Integer, Integer, Long, Integer>> {
        private final int keys;
        private final int perMs;
        private final int salt;

        Readings(int keys, int perMs, int salt) {
            this.keys = keys;
            this.perMs = perMs;
            this.salt = salt;
        }

        @Override
        public Tuple4<Integer, Integer, Long, Integer> record(int i) {
            return Tuple4.of(
                    i,
                    Mix.below(Mix.random(i, salt), keys),
                    time(i, perMs, 1000, salt + 2),
                    Mix.below(Mix.random(i, salt + 1), 1000));
        }

        @Override
        public long timestamp(Tuple4<Integer, Integer, Long, Integer> record) {
            return record.f2;
        }
    }

    /** (index, a, payload of 88 characters). */
    static final class Payloads implements StridedSource.Generator<Tuple3<Integer, Integer, String>> {
        @Override
        public Tuple3<Integer, Integer, String> record(int i) {
            return Tuple3.of(i, Mix.random(i, 0), PAYLOADS[Mix.random(i, 1) & 1023]);
        }

        @Override
        public long timestamp(Tuple3<Integer, Integer, String> record) {
            return 0;
        }
    }

    private static long time(int i, int perMs, int disorderMs) {
        return time(i, perMs, disorderMs, 2);
    }

    private static long time(int i, int perMs, int disorderMs, int field) {
        return i / perMs + disorderMs - Mix.below(Mix.random(i, field), disorderMs + 1);
    }

    private static String[] labels() {
        String[] labels = new String[1000];
        for (int label = 0; label < labels.length; label++) {
            labels[label] = label % 100 == 7 ? "标签-" + label : "label-" + label;
        }
        return labels;
    }

    private static String[] payloads() {
        String[] payloads = new String[1024];
        for (int p = 0; p < payloads.length; p++) {
            StringBuilder text = new StringBuilder();
            for (int j = 0; j < 88; j++) {
                text.append((char) (33 + Mix.below(Mix.random(p * 88 + j, 7), 94)));
            }
            payloads[p] = text.toString();
        }
        return payloads;
    }

    /** The word of an id: its letters in base 26, lowest first; every hundredth is Cyrillic in front. */
    static String word(int id) {
        StringBuilder word = new StringBuilder(id % 100 == 7 ? "ж" : "");
        int rest = id;
        do {
            word.append((char) ('a' + rest % 26));
            rest /= 26;
        } while (rest > 0);
        return word.toString();
    }

    /** The id of the n-th word of a text: small ids are frequent. */
    static int wordId(int n) {
        return Mix.below(Mix.random(n, 0), Mix.below(Mix.random(n, 1), 100_000) + 1);
    }
}
