package dev.millrace.peer;

import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.util.Collector;

/** (key, index of left, index of right, later time, sum of values). */
final class Pairs
        extends ProcessJoinFunction<
                Tuple4<Integer, Integer, Long, Integer>,
                Tuple4<Integer, Integer, Long, Integer>,
                Tuple5<Integer, Integer, Integer, Long, Integer>> {
    @Override
    public void processElement(
            Tuple4<Integer, Integer, Long, Integer> left,
            Tuple4<Integer, Integer, Long, Integer> right,
            Context context,
            Collector<Tuple5<Integer, Integer, Integer, Long, Integer>> out) {
        out.collect(Tuple5.of(left.f1, left.f0, right.f0, context.getTimestamp(), left.f3 + right.f3));
    }
}
