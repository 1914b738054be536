import avsc from "avsc";
import type { Type } from "avsc";
import { MillraceError, bigintOfBytes, bytesOfBigint, decimalText, epochDayOf, isoOfEpochDay, unscaledDecimal } from "@millrace/core";
import type { AvroDefinition, AvroNode } from "./avro-definition.js";

/** What values of Avro's 64-bit types are in TypeScript. */
export interface AvroTypeOptions {
  /** `long`: default `bigint`. `"number"` fails for values beyond ±(2^53 − 1), rather than round them. */
  readonly long?: "bigint" | "number";
  /**
   * Time stamps finer than milliseconds: by default, exactly, as a `bigint` of micro- or nanoseconds since the epoch (milliseconds are a `number` anyway).
   * `"millis"` makes all of them epoch milliseconds: finer digits are cut off when reading.
   */
  readonly timestamps?: "exact" | "millis";
}

interface HookOptions {
  readonly registry: Record<string, Type>;
  readonly [option: string]: unknown;
}
type Schema = Parameters<typeof avsc.Type.forSchema>[0];
type LogicalClass = new (schema: unknown, options: unknown) => Type;
interface LongHooks {
  readonly __with: (methods: object) => Type;
}

/**
 * The library's type for a schema, with values as Millrace has them: `bytes` as `Uint8Array`, decimals as exact text, days as ISO dates, and by the options.
 * `references` are schemas whose named types it uses.
 * @throws `FORMAT_SCHEMA_INVALID`
 */
export function avroType(schema: AvroDefinition, options: AvroTypeOptions = {}, references: readonly AvroDefinition[] = []): Type {
  const hook = (node: AvroDefinition, given: HookOptions): Type | undefined => typeFor(node, given, options);
  const registry: Record<string, Type> = {};
  const parse = (one: AvroDefinition): Type => avsc.Type.forSchema(structuredClone(one) as Schema, { registry, typeHook: hook as never });
  try {
    for (const reference of references) parse(reference);
    const type = parse(schema);
    makePlain(type, new Set());
    return type;
  } catch (cause) {
    throw new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `the Avro schema cannot be used: ${(cause as Error).message}`, hint: "see the Avro specification's section on schemas", cause });
  }
}

/** What the library makes of records and wrapped union branches are objects of classes of its own: of the plain class from here on, as records must be. */
function makePlain(type: Type, seen: Set<Type>): void {
  if (seen.has(type)) return;
  seen.add(type);
  const { recordConstructor, fields = [], itemsType, valuesType, types = [], underlyingType } = type as Type & Partial<Parts>;
  if (recordConstructor !== undefined) recordConstructor.prototype = Object.prototype;
  if (type.typeName === "union:wrapped") for (const { _branchConstructor: branch } of types as Branch[]) if (branch) branch.prototype = Object.prototype;
  for (const part of [...fields.map((field) => field.type), itemsType, valuesType, ...types, underlyingType]) if (part !== undefined) makePlain(part, seen);
}

/** What types of the several kinds are made of. */
interface Parts {
  readonly recordConstructor: { prototype: unknown };
  readonly fields: readonly { readonly type: Type }[];
  readonly itemsType: Type;
  readonly valuesType: Type;
  readonly types: readonly Type[];
  readonly underlyingType: Type;
}
type Branch = Type & { readonly _branchConstructor?: { prototype: unknown } };

/** A schema given as JSON text, too. @throws `FORMAT_SCHEMA_INVALID` */
export function parseDefinition(schema: AvroDefinition): AvroDefinition {
  if (typeof schema !== "string" || !/^\s*[[{"]/.test(schema)) return schema;
  try {
    return JSON.parse(schema) as AvroDefinition;
  } catch (cause) {
    throw new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `the Avro schema is not valid JSON: ${(cause as Error).message}`, cause });
  }
}

const MICROS_PER_MILLI = 1000n;
const NANOS_PER_MILLI = 1_000_000n;
const finer: Readonly<Record<string, bigint>> = {
  "timestamp-micros": MICROS_PER_MILLI, "local-timestamp-micros": MICROS_PER_MILLI, "timestamp-nanos": NANOS_PER_MILLI, "local-timestamp-nanos": NANOS_PER_MILLI,
};
const plainLongs: readonly unknown[] = ["timestamp-millis", "local-timestamp-millis", "time-micros"];

function typeFor(node: AvroDefinition, given: HookOptions, options: AvroTypeOptions): Type | undefined {
  if (typeof node !== "string" && Array.isArray(node)) return undefined;
  const schema: AvroNode = typeof node === "string" ? { type: node } : (node as AvroNode);
  const base = schema.type;
  // `{ "type": { … } }` is the type within.
  if (typeof base !== "string") return avsc.Type.forSchema(base as Schema, given as never);
  if (base === "long") {
    const unit = finer[schema.logicalType ?? ""];
    if (unit !== undefined) return options.timestamps === "millis" ? MILLIS.get(unit) : BIG_LONG;
    return options.long === "number" || plainLongs.includes(schema.logicalType) ? undefined : BIG_LONG;
  }
  const Made = base === "bytes" || base === "fixed" ? binaryClass(schema) : base === "int" && schema.logicalType === "date" ? DateType : undefined;
  // Without the hook, or the type beneath would be made here again.
  return Made === undefined ? undefined : new Made({ ...schema, logicalType: schema.logicalType ?? base }, { ...given, typeHook: undefined });
}

function binaryClass({ logicalType, precision, scale, type, size }: AvroNode): LogicalClass {
  if (logicalType === "decimal" && Number.isInteger(precision) && precision! > 0 && (scale ?? 0) >= 0 && (scale ?? 0) <= precision!) return DecimalType as never;
  if (logicalType === "duration" && type === "fixed" && size === 12) return DurationType as never;
  if (logicalType === "uuid" && type === "fixed" && size === 16) return UuidType as never;
  return BytesType as never;
}

/** A long as a custom one of the library: it hands over and takes eight bytes, little-endian. */
function longType<V>(fromLong: (value: bigint) => V, toLong: (value: V) => bigint, isValid: (value: unknown) => boolean): Type {
  return (avsc.types.LongType as unknown as LongHooks).__with({
    fromBuffer: (bytes: Buffer) => fromLong(bytes.readBigInt64LE(0)),
    toBuffer: (value: V) => {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigInt64LE(toLong(value), 0);
      return bytes;
    },
    // Defaults in schemas are numbers.
    fromJSON: (value: number | string | bigint) => fromLong(BigInt(value)),
    toJSON: (value: V) => {
      const long = toLong(value);
      return BigInt(Number(long)) === long ? Number(long) : long.toString();
    },
    isValid,
    compare: (a: V, b: V) => (toLong(a) < toLong(b) ? -1 : toLong(a) > toLong(b) ? 1 : 0),
  });
}

const BIG_LONG = longType<bigint>((value) => value, (value) => value, (value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value);
const MILLIS: ReadonlyMap<bigint, Type> = new Map([MICROS_PER_MILLI, NANOS_PER_MILLI].map((unit) => [unit, longType<number>(
  // Rounds towards the past, also before 1970.
  (value) => Number((value - (((value % unit) + unit) % unit)) / unit), (value) => BigInt(value) * unit, (value) => Number.isSafeInteger(value) && BigInt.asIntN(64, BigInt(value as number) * unit) === BigInt(value as number) * unit,
)]));

/** What the library's logical types must say, beyond its own typings. */
interface LogicalHooks {
  readonly underlyingType: Type;
  _fromValue(value: any): unknown;
  _toValue(value: any): unknown;
}

/** Reads what a writer wrote with the same logical type, or with the bare type beneath it. */
function resolve(self: LogicalHooks & { sameAs?(other: never): boolean }, writer: Type): ((value: unknown) => unknown) | undefined {
  if (writer.constructor === self.constructor) {
    const other = writer as unknown as LogicalHooks;
    if (self.sameAs !== undefined && !self.sameAs(other as never)) return undefined;
    return self.underlyingType.equals(other.underlyingType) ? (value) => value : undefined;
  }
  if (writer instanceof BytesType) {
    const beneath = (writer as unknown as LogicalHooks).underlyingType;
    return self.underlyingType.equals(beneath) ? (value) => self._fromValue(asBuffer(value as Uint8Array)) : undefined;
  }
  return writer.typeName === self.underlyingType.typeName && self.underlyingType.equals(writer) ? (value) => self._fromValue(value) : undefined;
}

const Logical = avsc.types.LogicalType as unknown as abstract new (schema: unknown, options: unknown) => Type & LogicalHooks;

abstract class BinaryType extends Logical {
  _resolve(writer: Type): ((value: unknown) => unknown) | undefined {
    return resolve(this, writer);
  }
}

/** `bytes` and `fixed`: a copy of the bytes, which may be any `Uint8Array` when writing. */
class BytesType extends BinaryType {
  override _fromValue(value: Buffer): Uint8Array {
    return new Uint8Array(value);
  }
  override _toValue(value: unknown): Buffer | undefined {
    return value instanceof Uint8Array ? asBuffer(value) : undefined;
  }
  override _resolve(writer: Type): ((value: unknown) => unknown) | undefined {
    if (writer instanceof BytesType || !(writer instanceof BinaryType)) return writer.typeName === "string" ? (text) => new Uint8Array(Buffer.from(text as string)) : super._resolve(writer);
    // Written with a logical type, read without: the bytes as they were.
    const { underlyingType } = writer as unknown as LogicalHooks;
    return this.underlyingType.equals(underlyingType) ? (value) => this._fromValue((writer as unknown as LogicalHooks)._toValue(value) as Buffer) : undefined;
  }
}

class DecimalType extends BinaryType {
  readonly precision: number;
  readonly scale: number;

  constructor(schema: AvroNode, options: unknown) {
    super(schema, options);
    this.precision = schema.precision!;
    this.scale = schema.scale ?? 0;
  }
  override _fromValue(value: Buffer): string {
    return decimalText(bigintOfBytes(value), this.scale);
  }
  override _toValue(value: unknown): Buffer | undefined {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") return undefined;
    const { size } = this.underlyingType as Type & { size?: number };
    return asBuffer(bytesOfBigint(unscaledDecimal(value, this.scale, this.precision), size));
  }
  sameAs(other: DecimalType): boolean {
    return this.scale === other.scale && this.precision >= other.precision;
  }
  _export(attributes: Record<string, unknown>): void {
    Object.assign(attributes, { precision: this.precision, scale: this.scale });
  }
}

class DurationType extends BinaryType {
  override _fromValue(value: Buffer): unknown {
    return { months: value.readUInt32LE(0), days: value.readUInt32LE(4), millis: value.readUInt32LE(8) };
  }
  override _toValue(value: unknown): Buffer | undefined {
    const { months, days, millis } = (value ?? {}) as Record<string, number>;
    const bytes = Buffer.alloc(12);
    for (const [i, part] of [months, days, millis].entries()) {
      if (!(Number.isInteger(part) && part! >= 0 && part! < 2 ** 32)) return undefined;
      bytes.writeUInt32LE(part!, i * 4);
    }
    return bytes;
  }
}

class UuidType extends BinaryType {
  override _fromValue(value: Buffer): string {
    return value.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
  override _toValue(value: unknown): Buffer | undefined {
    return typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? Buffer.from(value.replaceAll("-", ""), "hex") : undefined;
  }
}

class DateType extends Logical {
  override _fromValue(value: number): string {
    return isoOfEpochDay(value);
  }
  override _toValue(value: unknown): number | undefined {
    return epochDayOf(value);
  }
  _resolve(writer: Type): ((value: unknown) => unknown) | undefined {
    return resolve(this, writer);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export { DateType, DecimalType, DurationType, UuidType, BytesType };
