import type { Type } from "avsc";
import { MillraceError } from "@millrace/core";
import type { DeserializationSchema, SerializationSchema, TypeInformation } from "@millrace/core";
import { ReadersBySchema, SCHEMA_ID_BYTES, SchemaRegistryClient, schemaIdHeader, subjectName } from "@millrace/schema-registry";
import type { RegisteredSchema, SchemaRegistryOptions, SubjectNameStrategy } from "@millrace/schema-registry";
import { decodeAvro, encodeAvro, resolverFor } from "../schema/avro-coding.js";
import type { Resolver } from "../schema/avro-coding.js";
import type { AvroDefinition } from "../schema/avro-definition.js";
import { typeInformationOf } from "../schema/avro-type-information.js";
import { avroType, parseDefinition } from "../schema/avro-types.js";
import type { AvroTypeOptions } from "../schema/avro-types.js";

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

/** How messages of one schema are read. */
interface Reader {
  readonly type: Type;
  readonly resolver: Resolver | undefined;
}

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
  readonly #readers: ReadersBySchema<Reader>;
  #header: Uint8Array | undefined;

  private constructor(options: ConfluentAvroOptions) {
    this.#options = options;
    this.#client = new SchemaRegistryClient(options.registry);
    this.#readers = new ReadersBySchema(this.#client, "AVRO", (schema) => this.#readerFor(schema));
    this.#type = options.schema === undefined ? undefined : avroType(parseDefinition(options.schema), options);
    if (this.#type !== undefined) this.producedType = typeInformationOf(this.#type) as TypeInformation<T>;
  }

  /** @throws `OPTION_INVALID`, `DURATION_INVALID`, `FORMAT_SCHEMA_INVALID` */
  static of<T>(options: ConfluentAvroOptions): ConfluentAvroSchema<T> {
    return new ConfluentAvroSchema<T>(options);
  }

  prepare(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    return this.#readers.prepare(bytes, start, end);
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    const { type, resolver } = this.#readers.readerOf(bytes, start, end);
    return decodeAvro(type, resolver, bytes, start + SCHEMA_ID_BYTES, end) as T;
  }

  /** Gets the id of the schema. @throws `OPTION_INVALID` without a schema or a subject's name, and the registry's errors */
  async open(): Promise<void> {
    if (this.#header !== undefined) return;
    const { topic, subjectNameStrategy = "topic-name", isKey = false, autoRegister = true, schema } = this.#options;
    if (this.#type === undefined) throw new MillraceError({ code: "OPTION_INVALID", message: "a schema is needed to write Avro", location: { option: "schema" } });
    const subject = subjectName(subjectNameStrategy, topic, this.#type.name, isKey);
    const wanted = { schema: JSON.stringify(parseDefinition(schema!)) };
    this.#header = schemaIdHeader(autoRegister ? await this.#client.register(subject, wanted) : (await this.#client.lookUp(subject, wanted)).id);
  }

  serialize(value: T): Uint8Array {
    if (this.#header === undefined) throw new MillraceError({ code: "FORMAT_CONTRACT", message: "a sink serializes without having called open", hint: "custom sinks must wait for open() of a SerializationSchema that has one" });
    return Buffer.concat([this.#header, encodeAvro(this.#type!, value)]);
  }

  #readerFor({ id, schema, references }: RegisteredSchema): Reader {
    const written = avroType(parseDefinition(schema), this.#options, references.map((reference) => parseDefinition(reference.schema)));
    const type = this.#type ?? written;
    return { type, resolver: resolverFor(type, written, `a message with schema id ${id}`) };
  }
}
