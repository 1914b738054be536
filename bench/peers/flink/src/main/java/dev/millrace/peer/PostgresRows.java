package dev.millrace.peer;

import java.sql.Timestamp;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.connector.jdbc.JdbcConnectionOptions;
import org.apache.flink.connector.jdbc.JdbcExecutionOptions;
import org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Inserts generated rows into the table {@code --table} of {@code --jdbc-url}, in batches that the driver sends as one statement; with {@code --upsert-keys}, ids
 * are numbers below it, and a row replaces what there is of its id.
 */
final class PostgresRows implements Work {
    private static final int BATCH = 5000;

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        DataStream<Tuple4<Long, String, Double, Long>> rows = Works.source(
                env,
                records,
                new Rows(),
                Types.TUPLE(Types.LONG, Types.STRING, Types.DOUBLE, Types.LONG),
                0);
        int keys = options.number("upsert-keys", 0);
        String upsert = " ON CONFLICT (id) DO UPDATE SET sensor = EXCLUDED.sensor, celsius = EXCLUDED.celsius, at = EXCLUDED.at";
        rows.sinkTo(JdbcSink.<Tuple4<Long, String, Double, Long>>builder()
                .withQueryStatement(
                        "INSERT INTO " + options.text("table") + " (id, sensor, celsius, at) VALUES (?, ?, ?, ?)"
                                + (keys == 0 ? "" : upsert),
                        (statement, row) -> {
                            statement.setLong(1, keys == 0 ? row.f0 : row.f0 % keys);
                            statement.setString(2, row.f1);
                            statement.setDouble(3, row.f2);
                            statement.setTimestamp(4, new Timestamp(row.f3));
                        })
                .withExecutionOptions(
                        JdbcExecutionOptions.builder().withBatchSize(BATCH).build())
                .buildAtLeastOnce(new JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
                        .withUrl(options.text("jdbc-url") + "&reWriteBatchedInserts=true")
                        .withDriverName("org.postgresql.Driver")
                        .build()));
        rows.sinkTo(new ChecksumSink<>(row -> Mix.fold(Mix.start(), (int) (long) row.f0)));
    }

    private static final class Rows implements StridedSource.Generator<Tuple4<Long, String, Double, Long>> {
        @Override
        public Tuple4<Long, String, Double, Long> record(int index) {
            return Tuple4.of(
                    (long) index,
                    "sensor-" + Mix.below(Mix.random(index, 0), 10_000),
                    Mix.below(Mix.random(index, 1), 10_000) / 100.0,
                    1_700_000_000_000L + index * 7L);
        }

        @Override
        public long timestamp(Tuple4<Long, String, Double, Long> row) {
            return row.f3;
        }
    }
}
