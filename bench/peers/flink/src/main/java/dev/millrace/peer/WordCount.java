package dev.millrace.peer;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/** Running counts of the words of {@code --input} (one path, or several with commas between). */
final class WordCount implements Work {
    static final TypeInformation<Tuple2<String, Integer>> COUNT = Types.TUPLE(Types.STRING, Types.INT);

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        org.apache.flink.core.fs.Path[] paths = Arrays.stream(options.text("input").split(","))
                .map(org.apache.flink.core.fs.Path::new)
                .toArray(org.apache.flink.core.fs.Path[]::new);
        Meter.sourceStarts();
        env.fromSource(
                        FileSource.forRecordStreamFormat(new TextLineInputFormat(), paths).build(),
                        WatermarkStrategy.noWatermarks(),
                        "lines")
                .flatMap(new Words()).returns(COUNT)
                .keyBy(count -> count.f0, Types.STRING)
                .sum(1)
                .sinkTo(new ChecksumSink<>(
                        count -> Mix.fold(Mix.fold(Mix.start(), count.f0), (int) count.f1)));
    }

    @Override
    public List<String> samples(Options options, int count) {
        List<String> samples = new ArrayList<>();
        for (int n = 0; n < count; n++) {
            int id = Generators.wordId(n);
            samples.add("[" + n + "," + id + ",\"" + Generators.word(id) + "\"]");
        }
        return samples;
    }

    /** Splits at single spaces; empty words are dropped. */
    static final class Words implements FlatMapFunction<String, Tuple2<String, Integer>> {
        @Override
        public void flatMap(String line, Collector<Tuple2<String, Integer>> out) {
            int start = 0;
            while (start < line.length()) {
                int end = line.indexOf(' ', start);
                if (end < 0) {
                    end = line.length();
                }
                if (end > start) {
                    out.collect(Tuple2.of(line.substring(start, end), 1));
                }
                start = end + 1;
            }
        }
    }

    /** Writes whole lines of ten words until the file has at least {@code bytes}; returns the number of words. */
    static int makeText(Path file, long bytes) throws IOException {
        int words = 0;
        long written = 0;
        try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            while (written < bytes) {
                StringBuilder line = new StringBuilder();
                for (int i = 0; i < 10; i++) {
                    line.append(i == 0 ? "" : " ").append(Generators.word(Generators.wordId(words++)));
                }
                String text = line.append('\n').toString();
                out.write(text);
                written += text.getBytes(StandardCharsets.UTF_8).length;
            }
        }
        return words;
    }
}
