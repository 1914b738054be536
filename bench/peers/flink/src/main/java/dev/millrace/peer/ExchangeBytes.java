package dev.millrace.peer;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Blocks of bytes from the source's only subtask to the second one of the sink: all of them cross. */
final class ExchangeBytes implements Work {
    private static final int BLOCK_BYTES = 32 * 1024;
    private static final byte[][] BLOCKS = blocks();

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        env.fromSource(
                        new StridedSource<>(records, new Blocks()),
                        WatermarkStrategy.<byte[]>noWatermarks(),
                        "generator",
                        PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO)
                .setParallelism(1)
                .partitionCustom((key, partitions) -> partitions - 1, block -> 0)
                .sinkTo(new ChecksumSink<byte[]>(
                        block -> Mix.fold(Mix.fold(Mix.start(), block[0] & 0xff), block[block.length - 1] & 0xff)));
    }

    static final class Blocks implements StridedSource.Generator<byte[]> {
        @Override
        public byte[] record(int index) {
            return BLOCKS[index & 15];
        }

        @Override
        public long timestamp(byte[] block) {
            return 0;
        }
    }

    /** Byte j of block b is b + j. */
    private static byte[][] blocks() {
        byte[][] blocks = new byte[16][BLOCK_BYTES];
        for (int b = 0; b < blocks.length; b++) {
            for (int j = 0; j < BLOCK_BYTES; j++) {
                blocks[b][j] = (byte) (b + j);
            }
        }
        return blocks;
    }
}
