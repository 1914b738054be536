package dev.millrace.peer;

import java.util.Arrays;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.StreamFormat;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.formats.csv.CsvReaderFormat;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Reads the CSV rows or JSON lines of {@code --input} as typed records. */
final class TypedRows implements Work {
    private final boolean json;

    TypedRows(boolean json) {
        this.json = json;
    }

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        Path[] paths = Arrays.stream(options.text("input").split(",")).map(Path::new).toArray(Path[]::new);
        Meter.sourceStarts();
        DataStream<Row> rows = json
                ? read(env, new TextLineInputFormat(), paths).map(new ParseJson()).returns(Row.class)
                : read(env, CsvReaderFormat.forPojo(Row.class), paths);
        rows.sinkTo(new ChecksumSink<>(TypedRows::hash));
    }

    private static <T> DataStream<T> read(StreamExecutionEnvironment env, StreamFormat<T> format, Path[] paths) {
        return env.fromSource(
                FileSource.forRecordStreamFormat(format, paths).build(), WatermarkStrategy.noWatermarks(), "rows");
    }

    private static int hash(Row row) {
        int h = Mix.fold(Mix.fold(Mix.start(), row.id), row.sensor);
        h = Mix.fold(h, row.timestamp);
        return Mix.fold(Mix.fold(h, (int) Math.round(row.celsius * 100)), row.ok ? 1 : 0);
    }

    /** In the order of the columns. */
    @org.apache.flink.shaded.jackson2.com.fasterxml.jackson.annotation.JsonPropertyOrder(
            {"id", "sensor", "timestamp", "celsius", "ok"})
    public static final class Row {
        public int id;
        public String sensor;
        public long timestamp;
        public double celsius;
        public boolean ok;
    }

    /** As the guide for Flink users has it: a mapper per subtask. */
    private static final class ParseJson extends RichMapFunction<String, Row> {
        private transient ObjectMapper mapper;

        @Override
        public void open(OpenContext context) {
            mapper = new ObjectMapper();
        }

        @Override
        public Row map(String line) throws Exception {
            return mapper.readValue(line, Row.class);
        }
    }
}
