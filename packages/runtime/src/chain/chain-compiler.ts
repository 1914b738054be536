import { MillraceError, NO_TIMESTAMP } from "@millrace/core";
import type { KeyedStateBackend, KeySelector, OneInputOperator, Output } from "@millrace/core";
import type { OutputPressure } from "../exchange/output-channel.js";
import { RecordWriter } from "../exchange/record-writer.js";
import { takesCombined } from "../operators/window/combined-input.js";
import { compileWriter } from "../exchange/writer-compiler.js";
import { emitReturned } from "../operators/returned-records.js";
import { refusePromise, returnedPromise } from "../operators/user-function.js";
import { SinkOperator } from "../sink/sink-operator.js";
import { TimestampsOperator } from "../source/timestamps-operator.js";
import type { ChainEntry, GeneratingEntry } from "./chain-entry.js";
import type { ChainNode, ChainTarget } from "./chain-node.js";
import { deepFreeze } from "./deep-freeze.js";
import { GeneratedPiece } from "./generated-piece.js";
import { FilterOperator, FlatMapOperator, MapOperator } from "./simple-operators.js";
import type { GeneratedSources } from "./task-error.js";

/** Records whose state is fetched at a time: enough for many cache misses at once, few enough that the first is still in the cache. */
const FETCHED_AHEAD = 256;

/** Makes the code of one task's chain: outputs of operators, and ways into the head. Every piece of text is unique to job, operator and slot. */
export class ChainCompiler {
  readonly #id: string;
  readonly #pressure: OutputPressure;
  readonly #freeze: boolean;
  readonly #sources: GeneratedSources;
  readonly #writers = new Map<RecordWriter, (value: unknown, timestampMs: number) => void>();
  #pieces = 0;

  constructor(id: string, pressure: OutputPressure, freeze: boolean, sources: GeneratedSources) {
    this.#id = id.replace(/[^\w.-]/g, "_");
    this.#pressure = pressure;
    this.#freeze = freeze;
    this.#sources = sources;
  }

  /** The output of an operator that is called as an object: a class whose `collect` holds the code of everything behind it. */
  output(node: ChainNode): Output<unknown> {
    const piece = this.#piece();
    const self = piece.constant("self", node);
    const pressure = piece.constant("pressure", this.#pressure);
    piece.line("return new (class ChainOutput {");
    piece.line("collect(v, t) {");
    piece.line(`${self}.recordsOut++;`);
    this.#deliver(piece, node, node.targets, "v", "t");
    piece.line("}");
    piece.line("sideOutput(tag, v, t) {");
    if (node.sideTargets.size > 0) {
      piece.line("switch (tag.id) {");
      for (const [tag, targets] of node.sideTargets) {
        piece.line(`case ${JSON.stringify(tag)}: {`);
        this.#deliver(piece, node, targets, "v", "t");
        piece.line("break; }");
      }
      piece.line("}");
    }
    piece.line("}");
    piece.line(`emitWatermark(t) { ${self}.forwardWatermark(t); }`);
    piece.line(`emitStatus(idle) { ${self}.forwardStatus(idle); }`);
    piece.line(`get blocked() { return ${pressure}.blockedChannels > 0; }`);
    piece.line("})();");
    return piece.evaluate(this.#sources);
  }

  /** The way into a chain whose head is a source: straight to whoever reads it. */
  sourceEntry(head: ChainNode): ChainEntry {
    return this.#loop((piece) => {
      piece.line(`${piece.constant("head", head)}.recordsOut += to - from;`);
      return () => this.#deliver(piece, head, head.targets, "v", "t");
    });
  }

  /** The way into a chain whose head is a source that makes its records by index: they are made in the loop. What stays in the loop needs no object. */
  generatingEntry(head: ChainNode): GeneratingEntry {
    const piece = this.#piece();
    piece.line("return function run(generate, first, count) {");
    piece.line(`${piece.constant("head", head)}.recordsOut += count;`);
    piece.beginLoop();
    piece.line("for (let i = 0; i < count; i++) {");
    piece.line("const v = generate(first + i);", head);
    this.#deliver(piece, head, head.targets, "v", String(NO_TIMESTAMP));
    piece.line("}");
    piece.endLoop();
    piece.line("};");
    return piece.evaluate(this.#sources);
  }

  /** The way into the head at one of its inputs. */
  entry(head: ChainNode, input: number): ChainEntry {
    const operator = head.operator as OneInputOperator;
    if (head.plan.numberOfInputs < 2 && operator.processBatch !== undefined) return this.#batchEntry(head, operator);
    return this.#loop((piece) => {
      piece.line(`${piece.constant("head", head)}.recordsIn += to - from;`);
      if (isInlined(head)) return () => this.#inlined(piece, head, "v", "t");
      const call = this.#headCall(piece, head, input);
      return () => {
        this.#setKey(piece, head, input, "v", "hashes === null ? undefined : hashes[i]");
        piece.line(call, head);
      };
    }, head.keySelectors[input] === undefined ? undefined : head.keyedBackend);
  }

  #headCall(piece: GeneratedPiece, head: ChainNode, input: number): string {
    const operator = piece.constant("op", head.operator);
    const out = piece.constant("out", head.output);
    if (head.plan.numberOfInputs < 2) return `${operator}.processRecord(v, t, ${out});`;
    if (typeof (head.operator as { processInputRecord?: unknown }).processInputRecord === "function") return `${operator}.processInputRecord(${input}, v, t, ${out});`;
    return `${operator}.processRecord${input + 1}(v, t, ${out});`;
  }

  #batchEntry(head: ChainNode, operator: OneInputOperator): ChainEntry {
    const piece = this.#piece();
    const self = piece.constant("head", head);
    piece.line("return function run(batch, from, to) {");
    piece.line(`${self}.recordsIn += to - from;`);
    const [op, out] = [piece.constant("op", operator), piece.constant("out", head.output)];
    if (takesCombined(operator)) piece.line(`if (batch.combined) ${op}.processCombined(batch, from, to, ${out}); else`);
    piece.line(`${op}.processBatch(batch, from, to, ${out});`, head);
    piece.line("};");
    return piece.evaluate(this.#sources);
  }

  /**
   * A loop over the records of a batch; `start` writes what comes before it and returns the writer of its body. With `keyed` it goes in pieces, and
   * the state of a piece's keys is fetched ahead.
   */
  #loop(start: (piece: GeneratedPiece) => () => void, keyed?: KeyedStateBackend): ChainEntry {
    const piece = this.#piece();
    piece.line("return function run(batch, from, to) {");
    piece.line("const values = batch.values, times = batch.timestampsMs, hashes = batch.keyHashes;");
    const body = start(piece);
    piece.beginLoop();
    if (keyed?.prefetch === undefined) piece.line("for (let i = from; i < to; i++) {");
    else {
      piece.line(`for (let i = from, ahead = from; i < to; i++) {`);
      piece.line("if (i === ahead) {");
      piece.line(`ahead = Math.min(i + ${FETCHED_AHEAD}, to);`);
      piece.line(`if (hashes !== null) ${piece.constant("keyed", keyed)}.prefetch(hashes, i, ahead);`);
      piece.line("}");
    }
    piece.line("const v = values[i], t = times[i];");
    body();
    piece.line("}");
    piece.endLoop();
    piece.line("};");
    return piece.evaluate(this.#sources);
  }

  #deliver(piece: GeneratedPiece, from: ChainNode, targets: readonly ChainTarget[], value: string, time: string): void {
    if (this.#freeze) piece.line(`${piece.constant("freeze", deepFreeze)}(${value});`);
    for (const target of targets) {
      if (target instanceof RecordWriter) piece.line(`${piece.constant("write", this.#writer(target))}(${value}, ${time});`, from);
      else this.#accept(piece, target, value, time);
    }
  }

  #accept(piece: GeneratedPiece, node: ChainNode, value: string, time: string): void {
    piece.count(node, "recordsIn");
    if (isInlined(node)) return this.#inlined(piece, node, value, time);
    this.#setKey(piece, node, 0, value, "undefined");
    piece.line(`${piece.constant("op", node.operator)}.processRecord(${value}, ${time}, ${piece.constant("out", node.output)});`, node);
  }

  #inlined(piece: GeneratedPiece, node: ChainNode, value: string, time: string): void {
    const { operator } = node;
    if (operator instanceof MapOperator) this.#map(piece, node, operator, value, time);
    else if (operator instanceof FilterOperator) this.#filter(piece, node, operator, value, time);
    else if (operator instanceof FlatMapOperator) this.#flatMap(piece, node, operator, value, time);
    else if (operator instanceof TimestampsOperator) this.#timestamps(piece, node, operator, value, time);
    else this.#sink(piece, node, operator as SinkOperator, value, time);
  }

  #map(piece: GeneratedPiece, node: ChainNode, operator: MapOperator<unknown, unknown>, value: string, time: string): void {
    const result = piece.fresh("v");
    piece.line(`const ${result} = ${piece.constant("map", operator.call)}(${value});`, node);
    piece.line(`if (${result} instanceof Promise) ${this.#promiseRefused(piece, node)}();`);
    piece.count(node, "recordsOut");
    this.#deliver(piece, node, node.targets, result, time);
  }

  #filter(piece: GeneratedPiece, node: ChainNode, operator: FilterOperator<unknown>, value: string, time: string): void {
    const result = piece.fresh("keep");
    const truthy = piece.constant("truthy", (kept: unknown) => {
      refusePromise(kept, node.name);
      return Boolean(kept);
    });
    piece.line(`const ${result} = ${piece.constant("filter", operator.call)}(${value});`, node);
    piece.line(`if (${result} === true || (${result} !== false && ${truthy}(${result}))) {`);
    piece.count(node, "recordsOut");
    this.#deliver(piece, node, node.targets, value, time);
    piece.line("}");
  }

  #flatMap(piece: GeneratedPiece, node: ChainNode, operator: FlatMapOperator<unknown, unknown>, value: string, time: string): void {
    const collector = piece.constant("collector", this.#collector(node));
    const result = piece.fresh("r");
    piece.line(`${collector}.t = ${time};`);
    piece.line(`const ${result} = ${piece.constant("flatMap", operator.call)}(${value}, ${collector});`, node);
    piece.line(`if (${result} !== undefined) ${collector}.returned(${result});`, node);
  }

  /** The collector of a flatMap: remembers the time of the record that is being taken apart. What the function returns is emitted, too. */
  #collector(node: ChainNode): unknown {
    const piece = this.#piece();
    piece.line("return new (class FlatMapCollector {");
    piece.line("t = 0;");
    piece.line("collect(v, at) {");
    piece.line("const t = at === undefined ? this.t : at;");
    piece.count(node, "recordsOut");
    this.#deliver(piece, node, node.targets, "v", "t");
    piece.line("}");
    const emit = piece.constant("emit", emitReturned);
    piece.line("returned(r) {");
    piece.line("if (Array.isArray(r)) for (let i = 0; i < r.length; i++) this.collect(r[i], undefined);");
    piece.line(`else ${emit}(r, this, ${JSON.stringify(node.name)});`, node);
    piece.line("}");
    piece.line("})();");
    return piece.evaluate(this.#sources);
  }

  #timestamps(piece: GeneratedPiece, node: ChainNode, operator: TimestampsOperator<unknown>, value: string, time: string): void {
    const stamp = piece.fresh("t");
    const self = piece.constant("timestamps", operator);
    if (operator.assigner === undefined) piece.line(`const ${stamp} = ${time};`);
    else piece.line(`const ${stamp} = ${piece.constant("assign", operator.assigner)}(${value}, ${time});`, node);
    piece.line(`if (!Number.isSafeInteger(${stamp})) ${self}.refuse(${stamp}, ${value});`, node);
    piece.count(node, "recordsOut");
    this.#deliver(piece, node, node.targets, value, stamp);
    piece.line(`${piece.constant("generator", operator.generator)}.onEvent(${value}, ${stamp}, ${self});`, node);
  }

  #sink(piece: GeneratedPiece, node: ChainNode, operator: SinkOperator, value: string, time: string): void {
    const sink = piece.constant("sink", operator);
    const context = piece.constant("context", operator.writeContext);
    const result = piece.fresh("r");
    piece.line(`if (${sink}.busy) ${sink}.enqueue(${value}, ${time}); else {`);
    piece.line(`${context}.timestampMs = ${time};`);
    piece.line(`const ${result} = ${sink}.writer.write(${value}, ${context});`, node);
    piece.line(`if (${result} !== undefined) ${sink}.pause(${result});`);
    piece.line("}");
  }

  #setKey(piece: GeneratedPiece, node: ChainNode, input: number, value: string, hash: string): void {
    const selector: KeySelector<unknown, unknown> | undefined = node.keySelectors[input];
    if (node.keyedBackend === undefined || selector === undefined) return;
    piece.line(`${piece.constant("keyed", node.keyedBackend)}.setCurrentKey(${piece.constant("key", selector)}(${value}), ${hash});`, node);
  }

  #promiseRefused(piece: GeneratedPiece, node: ChainNode): string {
    return piece.constant("refuse", (): never => {
      throw returnedPromise(node.name);
    });
  }

  #writer(writer: RecordWriter): (value: unknown, timestampMs: number) => void {
    let compiled = this.#writers.get(writer);
    if (compiled === undefined) {
      compiled = compileWriter(writer, this.#piece(), this.#sources);
      this.#writers.set(writer, compiled);
    }
    return compiled;
  }

  #piece(): GeneratedPiece {
    return new GeneratedPiece(`millrace-chain-${this.#id}-${this.#pieces++}`);
  }
}

function isInlined(node: ChainNode): boolean {
  const { operator } = node;
  // The rich function of a keyed operator needs its key set first.
  return node.keyedBackend === undefined && (
    operator instanceof MapOperator || operator instanceof FilterOperator || operator instanceof FlatMapOperator ||
    operator instanceof TimestampsOperator || operator instanceof SinkOperator
  );
}

/** Whether text can be evaluated here at all; where it cannot, jobs run on the reference path. */
export function canCompile(): boolean {
  try {
    return new Function("return true")() === true;
  } catch (error) {
    if (error instanceof EvalError) return false;
    throw new MillraceError({ code: "CHAIN_COMPILER_FAILED", message: "the chain compiler's self-test failed", cause: error });
  }
}
