package dev.millrace.peer;

import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** A word count of two lines in memory: all of it is start-up. */
final class ColdStart implements Work {
    @Override
    public void build(StreamExecutionEnvironment env, Options options, int records) {
        Meter.sourceStarts();
        env.fromData("to be or not to be", "that is the question")
                .flatMap(new WordCount.Words()).returns(WordCount.COUNT)
                .keyBy(count -> count.f0, Types.STRING)
                .sum(1)
                .sinkTo(new ChecksumSink<>(
                        count -> Mix.fold(Mix.fold(Mix.start(), count.f0), (int) count.f1)));
    }
}
