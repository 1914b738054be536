package dev.millrace.peer;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Count and sum per key and 10 s, by hand: map state from a bucket's end to its sums, a timer at each end. The result
 * does not depend on the order of records, as one value a key would.
 */
final class Buckets
        extends KeyedProcessFunction<
                Integer, Tuple4<Integer, Integer, Long, Integer>, Tuple4<Integer, Long, Long, Long>> {
    private static final long BUCKET_MS = 10_000;

    private transient MapState<Long, Tuple2<Long, Long>> buckets;

    @Override
    public void open(OpenContext context) {
        buckets = getRuntimeContext()
                .getMapState(new MapStateDescriptor<>(
                        "buckets", Types.LONG, Types.TUPLE(Types.LONG, Types.LONG)));
    }

    @Override
    public void processElement(
            Tuple4<Integer, Integer, Long, Integer> reading,
            Context context,
            Collector<Tuple4<Integer, Long, Long, Long>> out)
            throws Exception {
        long end = reading.f2 - reading.f2 % BUCKET_MS + BUCKET_MS;
        Tuple2<Long, Long> bucket = buckets.get(end);
        if (bucket == null) {
            bucket = Tuple2.of(0L, 0L);
        }
        bucket.f0++;
        bucket.f1 += reading.f3;
        buckets.put(end, bucket);
        context.timerService().registerEventTimeTimer(end);
    }

    @Override
    public void onTimer(long end, OnTimerContext context, Collector<Tuple4<Integer, Long, Long, Long>> out)
            throws Exception {
        Tuple2<Long, Long> bucket = buckets.get(end);
        buckets.remove(end);
        out.collect(Tuple4.of(context.getCurrentKey(), end, bucket.f0, bucket.f1));
    }
}
