import { keyGroupOf, keyHash } from "@millrace/core";
import type { GeneratedPiece } from "../chain/generated-piece.js";
import type { GeneratedSources } from "../chain/task-error.js";
import { keyFailure } from "./key-failure.js";
import { checkedChannel, type RecordWriter } from "./record-writer.js";

/** The generated form of `RecordWriter.emit`: same choice of channel, with call sites of its own. */
export function compileWriter(writer: RecordWriter, piece: GeneratedPiece, sources: GeneratedSources): (value: unknown, timestampMs: number) => void {
  const { plan, channels } = writer;
  const n = channels.length;
  const all = piece.constant("channels", channels);
  const only = n === 1 ? piece.constant("channel", channels[0]) : undefined;
  const { partitioner } = plan;
  if (partitioner.kind === "hash") {
    const hash = piece.constant("keyHash", keyHash);
    const select = piece.constant("select", partitioner.keySelector);
    piece.line("return function write(v, t) {");
    const refuse = piece.constant("refuse", (error: unknown, value: unknown): never => {
      throw keyFailure(error, value, partitioner.keySelector, plan.targetName);
    });
    piece.line("let hash;");
    piece.line(`try { hash = ${hash}(${select}(v)); } catch (error) { ${refuse}(error, v); }`);
    const target = only ?? `${all}[${piece.constant("table", writer.channelOfKeyGroup)}[${piece.constant("groupOf", keyGroupOf)}(hash, ${plan.maxParallelism})]]`;
    if (writer.combiner !== undefined) {
      const combiner = piece.constant("combiner", writer.combiner);
      piece.line(`if (${combiner}.resting === 0) return ${combiner}.add(v, t, hash);`);
      piece.line(`${combiner}.resting--;`);
    }
    piece.line(`${target}.appendHashed(v, t, hash);`);
    piece.line("};");
  } else if (partitioner.kind === "custom") {
    const select = piece.constant("select", partitioner.keySelector);
    const choose = piece.constant("partition", partitioner.partition);
    piece.line("return function write(v, t) {");
    piece.line(`const key = ${select}(v);`);
    piece.line(`${all}[${piece.constant("checked", checkedChannel)}(${choose}(key, ${n}), ${n}, key)].append(v, t);`);
    piece.line("};");
  } else if (only !== undefined || partitioner.kind === "forward" || partitioner.kind === "global") {
    piece.line(`return function write(v, t) { ${only ?? `${all}[0]`}.append(v, t); };`);
  } else if (partitioner.kind === "broadcast") {
    piece.line(`return function write(v, t) { for (let i = 0; i < ${n}; i++) ${all}[i].append(v, t); };`);
  } else if (partitioner.kind === "shuffle") {
    piece.line(`return function write(v, t) { ${all}[Math.floor(${piece.constant("random", plan.random)}() * ${n})].append(v, t); };`);
  } else {
    piece.line(`let next = ${writer.firstChannel};`);
    piece.line("return function write(v, t) {");
    piece.line("const at = next;");
    piece.line(`next = at === ${n - 1} ? 0 : at + 1;`);
    piece.line(`${all}[at].append(v, t);`);
    piece.line("};");
  }
  return piece.evaluate(sources);
}
