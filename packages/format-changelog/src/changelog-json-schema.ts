import { MillraceError, nearest } from "@millrace/core";
import type { ChangelogRow, DeserializationSchema, SerializationSchema } from "@millrace/core";
import { canal } from "./dialect/canal.js";
import type { CanalMetadata } from "./dialect/canal.js";
import { debezium } from "./dialect/debezium.js";
import type { DebeziumMetadata } from "./dialect/debezium.js";
import type { Dialect, JsonRow } from "./dialect/dialect.js";
import { maxwell } from "./dialect/maxwell.js";
import type { MaxwellMetadata } from "./dialect/maxwell.js";
import { ogg } from "./dialect/ogg.js";
import type { OggMetadata } from "./dialect/ogg.js";
import { parseExact, stringifyExact } from "./json/exact-json.js";

/** How change messages are read. */
export interface ChangelogOptions<T, K extends string> {
  /** Makes a row of the parsed one, or throws, which makes the message a malformed one; without it `T` is what you promise. */
  readonly check?: (row: unknown) => T;
  /** What of the message's metadata comes with each row. Default: nothing. */
  readonly metadata?: readonly K[];
}

/** The same for tools that can write several tables into one topic. */
export interface FilteredChangelogOptions<T, K extends string> extends ChangelogOptions<T, K> {
  /** Only messages whose database matches as a whole; others are left out. */
  readonly databaseInclude?: RegExp;
  readonly tableInclude?: RegExp;
}

/** A row of a changelog with the metadata asked for. */
export type ChangeWith<T, M, K extends keyof M> = ChangelogRow<T> & ([K] extends [never] ? unknown : { readonly metadata: { readonly [P in K]: M[P] } });

/**
 * Messages of a tool that reads the log of a database (change data capture), as rows of a changelog: an update is two rows, −U and +U.
 *
 * Integers that no `number` holds are `bigint`. Messages without a value (tombstones) and those that hold no change of rows (schema changes) are left out.
 * Everything else that is not as the tool writes it is a malformed message. Writing knows additions and deletions only, as in Flink: −U becomes a deletion,
 * +U an insertion. Made by {@link DebeziumJson}, {@link CanalJson}, {@link MaxwellJson}, {@link OggJson}.
 */
export class ChangelogJsonSchema<T, C extends ChangelogRow<T> = ChangelogRow<T>> implements DeserializationSchema<C>, SerializationSchema<ChangelogRow<T>> {
  readonly name: string;
  readonly ignoresTombstones = true;
  readonly #dialect: Dialect;
  readonly #check: ((row: unknown) => T) | undefined;
  readonly #metadata: readonly string[];
  readonly #filters: readonly (readonly [string, RegExp])[];

  /** @throws `OPTION_INVALID` for metadata the dialect does not have */
  constructor(dialect: Dialect, options: FilteredChangelogOptions<T, string>) {
    this.#dialect = dialect;
    this.name = dialect.name;
    this.#check = options.check;
    this.#metadata = options.metadata ?? [];
    this.#filters = [["database", options.databaseInclude] as const, ["table", options.tableInclude] as const].flatMap(([field, pattern]) => (pattern === undefined ? [] : [[field, whole(pattern)] as const]));
    for (const name of this.#metadata) {
      if (Object.hasOwn(dialect.metadata, name)) continue;
      const known = Object.keys(dialect.metadata);
      const similar = nearest(name, known);
      throw new MillraceError({
        code: "OPTION_INVALID", message: `${dialect.name} has no metadata "${name}"`, hint: similar === undefined ? `it has ${known.join(", ")}` : `did you mean "${similar}"?`, location: { option: "metadata" },
      });
    }
  }

  deserializeEach(bytes: Uint8Array, start: number, end: number, emit: (record: C) => void): void {
    for (const change of this.#decode(bytes, start, end)) emit(change);
  }

  /** For sources that can emit one record a message. @throws `FORMAT_CONTRACT` for a message with several */
  deserialize(bytes: Uint8Array, start: number, end: number): C | undefined {
    const changes = this.#decode(bytes, start, end);
    if (changes.length <= 1) return changes[0];
    throw new MillraceError({ code: "FORMAT_CONTRACT", message: `a message of ${this.name} holds ${changes.length} rows, and the source asks for one`, hint: "custom sources must call deserializeEach of a DeserializationSchema that has it" });
  }

  serialize({ kind, row }: ChangelogRow<T>): Uint8Array {
    return Buffer.from(stringifyExact(this.#dialect.encode(kind, row)));
  }

  #decode(bytes: Uint8Array, start: number, end: number): readonly C[] {
    if (start === end) return [];
    const message = parseExact(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
    if (typeof message !== "object" || message === null || Array.isArray(message)) throw new Error("it is no JSON object");
    const root = message as JsonRow;
    for (const [field, pattern] of this.#filters) {
      const value = root[field];
      if (typeof value !== "string" || !pattern.test(value)) return [];
    }
    const changes = this.#dialect.decode(root);
    const metadata = this.#metadata.length === 0 ? undefined : Object.fromEntries(this.#metadata.map((name) => [name, this.#dialect.metadata[name]!(root)]));
    return changes.map(({ kind, row }) => ({ kind, row: this.#check === undefined ? row : this.#check(row), ...(metadata === undefined ? {} : { metadata }) }) as unknown as C);
  }
}

function whole(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ""));
}

/** Changes as Debezium writes them, with the description of their fields (`schemas.enable`) or without. Flink: debezium-json. */
export const DebeziumJson = {
  /** @throws `OPTION_INVALID` */
  of<T, const K extends keyof DebeziumMetadata = never>(options: ChangelogOptions<T, K> = {}): ChangelogJsonSchema<T, ChangeWith<T, DebeziumMetadata, K>> {
    return new ChangelogJsonSchema(debezium, options);
  },
} as const;

/** Changes as Canal writes them. Flink: canal-json. */
export const CanalJson = {
  /** @throws `OPTION_INVALID` */
  of<T, const K extends keyof CanalMetadata = never>(options: FilteredChangelogOptions<T, K> = {}): ChangelogJsonSchema<T, ChangeWith<T, CanalMetadata, K>> {
    return new ChangelogJsonSchema(canal, options);
  },
} as const;

/** Changes as Maxwell writes them. Flink: maxwell-json. */
export const MaxwellJson = {
  /** @throws `OPTION_INVALID` */
  of<T, const K extends keyof MaxwellMetadata = never>(options: FilteredChangelogOptions<T, K> = {}): ChangelogJsonSchema<T, ChangeWith<T, MaxwellMetadata, K>> {
    return new ChangelogJsonSchema(maxwell, options);
  },
} as const;

/** Changes as Oracle GoldenGate writes them. Flink: ogg-json. */
export const OggJson = {
  /** @throws `OPTION_INVALID` */
  of<T, const K extends keyof OggMetadata = never>(options: ChangelogOptions<T, K> = {}): ChangelogJsonSchema<T, ChangeWith<T, OggMetadata, K>> {
    return new ChangelogJsonSchema(ogg, options);
  },
} as const;
