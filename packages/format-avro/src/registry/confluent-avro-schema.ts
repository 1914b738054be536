import type { Type } from "avsc";
import { MillraceError, isMillraceError } from "@millrace/core";
import type { DeserializationSchema, SerializationSchema, TypeInformation } from "@millrace/core";
import { decodeAvro, encodeAvro, resolverFor } from "../schema/avro-coding.js";
import type { Resolver } from "../schema/avro-coding.js";
import type { AvroDefinition } from "../schema/avro-definition.js";
import { typeInformationOf } from "../schema/avro-type-information.js";
import { avroType, parseDefinition } from "../schema/avro-types.js";
import type { AvroTypeOptions } from "../schema/avro-types.js";
import { SchemaRegistryClient } from "./schema-registry-client.js";
import type { SchemaRegistryOptions } from "./schema-registry-options.js";
import { subjectName } from "./subject-name.js";
import type { SubjectNameStrategy } from "./subject-name.js";

/** How messages with a schema id are read and written. */
export interface ConfluentAvroOptions extends AvroTypeOptions {
  readonly registry: SchemaRegistryOptions;
  /** What records are. Needed to write; messages are read with their own schema without it, so that records change when their schema does. */
  readonly schema?: AvroDefinition;
  /** The topic written to; for the subject's name. */
  readonly topic?: string;
  /** Default `"topic-name"`. */
  readonly subjectNameStrategy?: SubjectNameStrategy;
  /** Whether these are keys rather than values; for the subject's name. Default false. */
  readonly isKey?: boolean;
  /** When writing: whether a schema that the subject does not have is registered (default), or an error, `SCHEMA_UNKNOWN`. */
  readonly autoRegister?: boolean;
}

/** How messages of one schema id are read, or why they cannot be. */
type Reader = { readonly type: Type; readonly resolver: Resolver | undefined } | { readonly error: unknown };

const MAGIC = 0;
const HEADER_BYTES = 5;

/**
 * Messages of Avro behind the id of their schema in a registry (a zero byte, four bytes of id), as Confluent's serializers write them.
 * Flink: ConfluentRegistryAvroDeserializationSchema.
 *
 * The schema of an id is fetched when its first message comes, and read as `schema` by Avro's rules of schema resolution. A message whose id the registry
 * does not have (`SCHEMA_UNKNOWN`), or whose schema does not resolve (`SCHEMA_INCOMPATIBLE`), is a malformed one; a registry that cannot be reached fails
 * the job (`SCHEMA_REGISTRY_UNAVAILABLE`, `SCHEMA_REGISTRY_REFUSED`).
 */
export class ConfluentAvroSchema<T> implements DeserializationSchema<T>, SerializationSchema<T> {
  readonly name = "Avro with a schema id";
  readonly producedType?: TypeInformation<T>;
  readonly #options: ConfluentAvroOptions;
  readonly #client: SchemaRegistryClient;
  readonly #type: Type | undefined;
  readonly #readers = new Map<number, Reader>();
  readonly #loading = new Map<number, Promise<void>>();
  #header: Buffer | undefined;

  private constructor(options: ConfluentAvroOptions) {
    this.#options = options;
    this.#client = new SchemaRegistryClient(options.registry);
    this.#type = options.schema === undefined ? undefined : avroType(parseDefinition(options.schema), options);
    if (this.#type !== undefined) this.producedType = typeInformationOf(this.#type) as TypeInformation<T>;
  }

  /** @throws `OPTION_INVALID`, `DURATION_INVALID`, `FORMAT_SCHEMA_INVALID` */
  static of<T>(options: ConfluentAvroOptions): ConfluentAvroSchema<T> {
    return new ConfluentAvroSchema<T>(options);
  }

  prepare(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    const id = schemaId(bytes, start, end);
    if (id === undefined || this.#readers.has(id)) return undefined;
    let loading = this.#loading.get(id);
    if (loading === undefined) this.#loading.set(id, (loading = this.#load(id).finally(() => this.#loading.delete(id))));
    return loading;
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    const id = schemaId(bytes, start, end);
    if (id === undefined) throw new Error(`it does not begin with a schema id: ${end - start} bytes, the first of which is ${bytes[start] ?? "missing"}`);
    const reader = this.#readers.get(id);
    if (reader === undefined) {
      throw new MillraceError({ code: "FORMAT_CONTRACT", message: `a source deserializes a message with schema id ${id} without having called prepare`, hint: "custom sources must wait for prepare() of a DeserializationSchema that has one" });
    }
    if ("error" in reader) throw reader.error;
    return decodeAvro(reader.type, reader.resolver, bytes, start + HEADER_BYTES, end) as T;
  }

  /** Gets the id of the schema. @throws `OPTION_INVALID` without a schema or a subject's name, and the registry's errors */
  async open(): Promise<void> {
    if (this.#header !== undefined) return;
    const { topic, subjectNameStrategy = "topic-name", isKey = false, autoRegister = true, schema } = this.#options;
    if (this.#type === undefined) throw new MillraceError({ code: "OPTION_INVALID", message: "a schema is needed to write Avro", location: { option: "schema" } });
    const subject = subjectName(subjectNameStrategy, topic, this.#type.name, isKey);
    const text = JSON.stringify(parseDefinition(schema!));
    const id = await (autoRegister ? this.#client.register(subject, text) : this.#client.lookUp(subject, text));
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeInt32BE(id, 1);
    this.#header = header;
  }

  serialize(value: T): Uint8Array {
    if (this.#header === undefined) throw new MillraceError({ code: "FORMAT_CONTRACT", message: "a sink serializes without having called open", hint: "custom sinks must wait for open() of a SerializationSchema that has one" });
    return Buffer.concat([this.#header, encodeAvro(this.#type!, value)]);
  }

  async #load(id: number): Promise<void> {
    try {
      const { schema, schemaType, references } = await this.#client.schemaById(id);
      if (schemaType !== "AVRO") throw new MillraceError({ code: "SCHEMA_INCOMPATIBLE", message: `schema ${id} is of type ${schemaType}, not AVRO`, hint: "read the topic with the format it was written in" });
      const written = avroType(parseDefinition(schema), this.#options, references.map((reference) => parseDefinition(reference.schema)));
      const type = this.#type ?? written;
      this.#readers.set(id, { type, resolver: resolverFor(type, written, `a message with schema id ${id}`) });
    } catch (error) {
      // What the registry has said once stays so; everything else is worth another try.
      if (!isMillraceError(error) || !["SCHEMA_UNKNOWN", "SCHEMA_INCOMPATIBLE", "FORMAT_SCHEMA_INVALID"].includes(error.code)) throw error;
      this.#readers.set(id, { error });
    }
  }
}

function schemaId(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < HEADER_BYTES || bytes[start] !== MAGIC) return undefined;
  return (bytes[start + 1]! << 24) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!;
}
