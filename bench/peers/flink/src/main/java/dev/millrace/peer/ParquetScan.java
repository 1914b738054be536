package dev.millrace.peer;

import java.util.Arrays;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.core.fs.Path;
import org.apache.flink.formats.parquet.ParquetColumnarRowInputFormat;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.hadoop.conf.Configuration;

/** Two columns of the Parquet files {@code --input}, of the rows whose id is at least {@code --from-id}. */
final class ParquetScan implements Work {
    private static final int BATCH = 2048;

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        Path[] paths = Arrays.stream(options.text("input").split(",")).map(Path::new).toArray(Path[]::new);
        int fromId = options.number("from-id", 0);
        RowType type = RowType.of(
                new LogicalType[] {new IntType(false), new DoubleType(false)}, new String[] {"id", "celsius"});
        ParquetColumnarRowInputFormat<FileSourceSplit> format = new ParquetColumnarRowInputFormat<>(
                new Configuration(), type, InternalTypeInfo.of(type), BATCH, false, true);
        Meter.sourceStarts();
        env.fromSource(
                        FileSource.forBulkFileFormat(format, paths).build(), WatermarkStrategy.noWatermarks(), "rows")
                .filter(row -> row.getInt(0) >= fromId)
                .sinkTo(new ChecksumSink<RowData>(row ->
                        Mix.fold(Mix.fold(Mix.start(), row.getInt(0)), (int) Math.round(row.getDouble(1) * 100))));
    }
}
