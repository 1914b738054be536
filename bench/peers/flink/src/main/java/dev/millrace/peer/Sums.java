package dev.millrace.peer;

import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.api.java.tuple.Tuple6;
import org.apache.flink.streaming.api.functions.windowing.WindowFunction;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** The windows' aggregates and how their results are written out. */
final class Sums {
    private Sums() {}

    private abstract static class Sum<T> implements AggregateFunction<T, Long, Long> {
        @Override
        public Long createAccumulator() {
            return 0L;
        }

        @Override
        public Long getResult(Long sum) {
            return sum;
        }

        @Override
        public Long merge(Long left, Long right) {
            return left + right;
        }
    }

    static final class OfPurchases extends Sum<Tuple6<String, String, Long, Integer, Integer, Double>> {
        @Override
        public Long add(Tuple6<String, String, Long, Integer, Integer, Double> purchase, Long sum) {
            return sum + purchase.f3;
        }
    }

    static final class OfReadings extends Sum<Tuple4<Integer, Integer, Long, Integer>> {
        @Override
        public Long add(Tuple4<Integer, Integer, Long, Integer> reading, Long sum) {
            return sum + reading.f3;
        }
    }

    /** (key, end of window, sum). */
    static final class WithWindow<K> implements WindowFunction<Long, Tuple3<K, Long, Long>, K, TimeWindow> {
        @Override
        public void apply(K key, TimeWindow window, Iterable<Long> sums, Collector<Tuple3<K, Long, Long>> out) {
            out.collect(Tuple3.of(key, window.getEnd(), sums.iterator().next()));
        }
    }

    /** The accumulator is changed in place: object reuse allows it, and it saves an allocation a record. */
    static final class CountAndSum
            implements AggregateFunction<Tuple4<Integer, Integer, Long, Integer>, Tuple2<Long, Long>, Tuple2<Long, Long>> {
        @Override
        public Tuple2<Long, Long> createAccumulator() {
            return Tuple2.of(0L, 0L);
        }

        @Override
        public Tuple2<Long, Long> add(Tuple4<Integer, Integer, Long, Integer> reading, Tuple2<Long, Long> acc) {
            acc.f0++;
            acc.f1 += reading.f3;
            return acc;
        }

        @Override
        public Tuple2<Long, Long> getResult(Tuple2<Long, Long> acc) {
            return acc;
        }

        @Override
        public Tuple2<Long, Long> merge(Tuple2<Long, Long> left, Tuple2<Long, Long> right) {
            left.f0 += right.f0;
            left.f1 += right.f1;
            return left;
        }
    }

    /** (key, start, end, count, sum). */
    static final class WithSession
            implements WindowFunction<Tuple2<Long, Long>, Tuple5<Integer, Long, Long, Long, Long>, Integer, TimeWindow> {
        @Override
        public void apply(
                Integer key,
                TimeWindow window,
                Iterable<Tuple2<Long, Long>> results,
                Collector<Tuple5<Integer, Long, Long, Long, Long>> out) {
            Tuple2<Long, Long> result = results.iterator().next();
            out.collect(Tuple5.of(key, window.getStart(), window.getEnd(), result.f0, result.f1));
        }
    }
}
