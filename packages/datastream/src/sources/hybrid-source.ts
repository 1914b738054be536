import { MillraceError, type Boundedness, type SnapshotCodec, type Source, type SourceReader, type SourceReaderContext, type SourceSplit, type SplitEnumerator, type SplitEnumeratorContext } from "@millrace/core";
import { HybridEnumerator, type HybridState } from "./hybrid-enumerator.js";
import { HybridReader } from "./hybrid-reader.js";
import { bytesToHex, bytesToText, hexToBytes, textToBytes } from "./text-bytes.js";

/** A split of one of the sources in a row. */
export interface HybridSplit extends SourceSplit {
  readonly sourceIndex: number;
  /** Where its source begins, for one made by a factory; JSON. */
  readonly position: unknown;
  readonly inner: SourceSplit;
}

/** One source in the row: known from the start, or made once it is known where the one before it ended. */
export interface HybridStage {
  readonly create: (position: any) => Source<any, any, any>;
  readonly positionOf: ((previous: SplitEnumerator<any, any>) => unknown) | undefined;
  readonly boundedness: Boundedness;
}

/** A source made when the one before it is read to its end. */
export interface SwitchOptions<P> {
  readonly boundedness: Boundedness;
  /** Where the next source begins, asked of the enumerator of the one before; must survive JSON. It is handed to the factory in the enumerator and in every reader. */
  readonly position: (previous: SplitEnumerator<any, any>) => P;
}

/**
 * Several sources read one after the other: history from files, say, then the present from a log. All but the last are bounded. Flink: HybridSource.
 *
 * The next source begins once every reader has read all of the one before. Watermarks of a split belong to the source it comes from.
 */
export class HybridSource<T> implements Source<T, HybridSplit, HybridState> {
  readonly boundedness: Boundedness;
  readonly description: string = "Hybrid Source";
  readonly stages: readonly HybridStage[];
  readonly splitCodec: SnapshotCodec<HybridSplit>;
  readonly enumeratorCodec: SnapshotCodec<HybridState>;

  constructor(stages: readonly HybridStage[]) {
    const endless = stages.slice(0, -1).findIndex((stage) => stage.boundedness !== "bounded");
    if (endless >= 0) {
      throw new MillraceError({ code: "HYBRID_UNBOUNDED", message: `source ${endless + 1} of ${stages.length} in the hybrid source is unbounded, so what follows it would never be read`, hint: "only the last source may be unbounded" });
    }
    this.stages = stages;
    this.boundedness = stages.at(-1)!.boundedness;
    this.splitCodec = { encode: (split) => this.#encodeSplit(split), decode: (bytes) => this.#decodeSplit(bytes) };
    this.enumeratorCodec = { encode: (state) => this.#encodeState(state), decode: (bytes) => this.#decodeState(bytes) };
  }

  static builder<T>(first: Source<T, any, any>): HybridSourceBuilder<T> {
    return new HybridSourceBuilder<T>([fixed(first)]);
  }

  createEnumerator(context: SplitEnumeratorContext<HybridSplit>, restored: HybridState | undefined): SplitEnumerator<HybridSplit, HybridState> {
    return new HybridEnumerator(this.stages, context, restored);
  }
  createReader(context: SourceReaderContext): SourceReader<T, HybridSplit> {
    return new HybridReader<T>(this.stages, context);
  }

  #encodeSplit(split: HybridSplit): Uint8Array {
    const { sourceIndex, position, inner } = split;
    const codec = this.stages[sourceIndex]!.create(position).splitCodec;
    return toBytes({ sourceIndex, position, inner: codec === undefined ? { json: inner } : { hex: bytesToHex(codec.encode(inner)) } });
  }
  #decodeSplit(bytes: Uint8Array): HybridSplit {
    const { sourceIndex, position, inner } = fromBytes<EncodedSplit>(bytes);
    const codec = this.stages[sourceIndex]!.create(position).splitCodec;
    const split = inner.hex === undefined ? inner.json! : (codec!.decode(hexToBytes(inner.hex)) as SourceSplit);
    return { splitId: `${sourceIndex}:${split.splitId}`, sourceIndex, position, inner: split };
  }
  #encodeState(state: HybridState): Uint8Array {
    const codec = this.stages[state.sourceIndex]!.create(state.position).enumeratorCodec;
    return toBytes({ ...state, inner: codec === undefined || state.inner === undefined ? { json: state.inner } : { hex: bytesToHex(codec.encode(state.inner)) } });
  }
  #decodeState(bytes: Uint8Array): HybridState {
    const { sourceIndex, position, inner } = fromBytes<EncodedState>(bytes);
    const codec = this.stages[sourceIndex]!.create(position).enumeratorCodec;
    return { sourceIndex, position, inner: inner.hex === undefined ? inner.json : codec!.decode(hexToBytes(inner.hex)) };
  }
}

interface EncodedSplit {
  readonly sourceIndex: number;
  readonly position: unknown;
  readonly inner: { readonly json?: SourceSplit; readonly hex?: string };
}
interface EncodedState {
  readonly sourceIndex: number;
  readonly position: unknown;
  readonly inner: { readonly json?: unknown; readonly hex?: string };
}

/** Puts sources in a row; immutable. */
export class HybridSourceBuilder<T> {
  readonly #stages: readonly HybridStage[];

  constructor(stages: readonly HybridStage[]) {
    this.#stages = stages;
  }

  /** Goes on with a source, or with one that a function makes of where the source before it ended. */
  addSource(source: Source<T, any, any>): HybridSourceBuilder<T>;
  addSource<P>(create: (position: P) => Source<T, any, any>, options: SwitchOptions<P>): HybridSourceBuilder<T>;
  addSource(source: Source<T, any, any> | ((position: any) => Source<T, any, any>), options?: SwitchOptions<any>): HybridSourceBuilder<T> {
    const stage = typeof source === "function" ? { create: source, positionOf: options!.position, boundedness: options!.boundedness } : fixed(source);
    return new HybridSourceBuilder<T>([...this.#stages, stage]);
  }
  /** @throws `HYBRID_UNBOUNDED` when a source other than the last is unbounded */
  build(): HybridSource<T> {
    return new HybridSource<T>(this.#stages);
  }
}

function fixed(source: Source<any, any, any>): HybridStage {
  return { create: () => source, positionOf: undefined, boundedness: source.boundedness };
}
function toBytes(value: unknown): Uint8Array {
  return textToBytes(JSON.stringify(value));
}
function fromBytes<V>(bytes: Uint8Array): V {
  return JSON.parse(bytesToText(bytes)) as V;
}
