package dev.millrace.peer;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/** map, filter, map, flatMap, map, all in one chain with source and sink: nothing is serialized, so POJOs are fastest. */
final class StatelessChain implements Work {
    private static final TypeInformation<Triple> TRIPLE = Types.POJO(Triple.class);
    private static final TypeInformation<Result> RESULT = Types.POJO(Result.class);

    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        Works.source(env, records, new Triples(), TRIPLE, -1)
                .map(r -> new Triple(r.index, r.a + r.b, r.b)).returns(TRIPLE)
                .filter(r -> (r.a & 7) != 0)
                .map(r -> new Triple(r.index, r.a * 31 + (r.b >>> 16), r.b)).returns(TRIPLE)
                .flatMap(new Twin()).returns(TRIPLE)
                .map(r -> new Result(r.index, r.a ^ (r.a >>> 15))).returns(RESULT)
                .sinkTo(new ChecksumSink<>(r -> Mix.fold(Mix.fold(Mix.start(), r.index), r.value)));
    }

    @Override
    public List<String> samples(Options options, int count) {
        List<String> samples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Triple triple = new Triples().record(i);
            samples.add("[" + triple.index + "," + triple.a + "," + triple.b + "]");
        }
        return samples;
    }

    /** The generated record. */
    public static class Triple {
        public int index;
        public int a;
        public int b;

        public Triple() {}

        Triple(int index, int a, int b) {
            this.index = index;
            this.a = a;
            this.b = b;
        }
    }

    /** The output. */
    public static class Result {
        public int index;
        public int value;

        public Result() {}

        Result(int index, int value) {
            this.index = index;
            this.value = value;
        }
    }

    private static final class Triples implements StridedSource.Generator<Triple> {
        @Override
        public Triple record(int i) {
            return new Triple(i, Mix.random(i, 0), Mix.random(i, 1));
        }

        @Override
        public long timestamp(Triple record) {
            return 0;
        }
    }

    private static final class Twin implements FlatMapFunction<Triple, Triple> {
        @Override
        public void flatMap(Triple r, Collector<Triple> out) {
            out.collect(r);
            if ((r.b & 3) == 0) {
                out.collect(new Triple(r.index, r.a ^ 0x5BD1E995, r.b));
            }
        }
    }
}
