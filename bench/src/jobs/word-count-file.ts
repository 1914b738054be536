import { FileSource, WatermarkStrategy, type Collector } from "millrace";
import { fold, foldText, HASH_START } from "../data/checksum.js";
import { eachWord } from "../data/words.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters } from "./job-parameters.js";

interface WordCount {
  readonly word: string;
  readonly count: number;
}

const env = benchEnvironment();
env.fromSource(gated(FileSource.lines(parameters.required("input").split(","))), WatermarkStrategy.noWatermarks<string>(), "lines")
  .flatMap((line: string, out: Collector<WordCount>) => eachWord(line, (word) => out.collect({ word, count: 1 })))
  .keyBy((record) => record.word)
  .sum("count")
  .sinkTo(new ChecksumSink<WordCount>((r) => fold(foldText(HASH_START, r.word), r.count)));
await env.execute("word count of a file");
