import protobuf from "protobufjs";
import type { Type } from "protobufjs";
import { MillraceError } from "@millrace/core";
import type { DeserializationSchema, SerializationSchema } from "@millrace/core";
import { ReadersBySchema, SchemaRegistryClient, subjectName } from "@millrace/schema-registry";
import type { RegisteredSchema, SchemaReference, SchemaRegistryOptions, SchemaToRegister, SubjectNameStrategy } from "@millrace/schema-registry";
import { confluentHeader, readFrame } from "./confluent-framing.js";
import { indexesOf, nameAt } from "./message-indexes.js";
import { messageReading, readMessage } from "./message-reader.js";
import type { MessageReading, ProtobufReadingOptions } from "./message-reader.js";
import { writeMessage } from "./message-writer.js";
import { importsOf, isWellKnown, messageType, parseFile } from "./protobuf-types.js";

/** How messages behind the id of their schema are read and written. */
export interface ConfluentProtobufOptions extends ProtobufReadingOptions {
  readonly registry: SchemaRegistryOptions;
  /** The text that defines what records are. Needed to write; messages are read with their own schema without it, so that records change when their schema does. */
  readonly proto?: string;
  /** The texts of what it imports, by the names in its `import` lines; Google's well-known types are there. */
  readonly imports?: Readonly<Record<string, string>>;
  /** The full name, `"shop.Order"`; goes with `proto`. */
  readonly message?: string;
  /** The topic written to; for the subject's name. */
  readonly topic?: string;
  /** Default `"topic-name"`. */
  readonly subjectNameStrategy?: SubjectNameStrategy;
  /** Whether these are keys rather than values; for the subject's name. Default false. */
  readonly isKey?: boolean;
  /** When writing: whether a schema that the subject does not have is registered (default), with what it imports, or an error, `SCHEMA_UNKNOWN`. */
  readonly autoRegister?: boolean;
}

/** What records are, as the program says. */
interface Definition {
  readonly proto: string;
  readonly imports: Readonly<Record<string, string>>;
  readonly type: Type;
  readonly messageIndexes: readonly number[];
}

const SCHEMA_TYPE = "PROTOBUF";

/**
 * Messages of Protocol Buffers behind the id of their schema in a registry and their place in it, as Confluent's serializers write them.
 *
 * The schema of an id is fetched when its first message comes. A message whose id the registry does not have (`SCHEMA_UNKNOWN`), or that is another one than
 * `message` (`SCHEMA_INCOMPATIBLE`), is a malformed one; a registry that cannot be reached fails the job (`SCHEMA_REGISTRY_UNAVAILABLE`,
 * `SCHEMA_REGISTRY_REFUSED`). Imports are subjects by their own names. Records are those of {@link ProtobufSchema}.
 */
export class ConfluentProtobufSchema<T> implements DeserializationSchema<T>, SerializationSchema<T> {
  readonly name = "Protobuf with a schema id";
  readonly #options: ConfluentProtobufOptions;
  readonly #client: SchemaRegistryClient;
  readonly #reading: MessageReading;
  readonly #definition: Definition | undefined;
  readonly #readers: ReadersBySchema<(messageIndexes: readonly number[]) => Type>;
  #header: Uint8Array | undefined;

  private constructor(options: ConfluentProtobufOptions) {
    this.#options = options;
    this.#client = new SchemaRegistryClient(options.registry);
    this.#reading = messageReading(options);
    this.#definition = definitionOf(options);
    this.#readers = new ReadersBySchema(this.#client, SCHEMA_TYPE, (schema) => this.#typesOf(schema));
  }

  /** @throws `OPTION_INVALID`, `DURATION_INVALID`, `FORMAT_SCHEMA_INVALID` */
  static of<T>(options: ConfluentProtobufOptions): ConfluentProtobufSchema<T> {
    return new ConfluentProtobufSchema<T>(options);
  }

  prepare(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    return this.#readers.prepare(bytes, start, end);
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    const typeAt = this.#readers.readerOf(bytes, start, end);
    const { bodyAt, messageIndexes } = readFrame(bytes, start, end);
    // A copy: the record may keep parts of it.
    return readMessage(typeAt(messageIndexes), new Uint8Array(bytes.subarray(bodyAt, end)), this.#reading) as T;
  }

  /** Gets the id of the schema. @throws `OPTION_INVALID` without a definition or a subject's name, and the registry's errors */
  async open(): Promise<void> {
    if (this.#header !== undefined) return;
    const { topic, subjectNameStrategy = "topic-name", isKey = false } = this.#options;
    if (this.#definition === undefined) throw new MillraceError({ code: "OPTION_INVALID", message: "a definition is needed to write Protobuf", hint: "give proto and message", location: { option: "proto" } });
    const { proto, type, messageIndexes } = this.#definition;
    const subject = subjectName(subjectNameStrategy, topic, type.fullName.slice(1), isKey);
    this.#header = confluentHeader({ schemaId: await this.#idOf(subject, await this.#withReferences("the definition", proto)), messageIndexes });
  }

  serialize(value: T): Uint8Array {
    if (this.#header === undefined) throw new MillraceError({ code: "FORMAT_CONTRACT", message: "a sink serializes without having called open", hint: "custom sinks must wait for open() of a SerializationSchema that has one" });
    return Buffer.concat([this.#header, writeMessage(this.#definition!.type, value)]);
  }

  async #idOf(subject: string, schema: SchemaToRegister): Promise<number> {
    const { autoRegister = true } = this.#options;
    return autoRegister ? this.#client.register(subject, schema) : (await this.#client.lookUp(subject, schema)).id;
  }

  /** What a text imports must be in the registry before it. */
  async #withReferences(name: string, proto: string): Promise<SchemaToRegister> {
    const references: SchemaReference[] = [];
    for (const imported of importsOf(parseFile(name, proto, new protobuf.Root()))) {
      const text = this.#definition!.imports[imported];
      if (text === undefined && isWellKnown(imported)) continue;
      const schema = await this.#withReferences(`"${imported}"`, text!);
      await this.#idOf(imported, schema);
      references.push({ name: imported, subject: imported, version: (await this.#client.lookUp(imported, schema)).version });
    }
    return { schema: proto, schemaType: SCHEMA_TYPE, references };
  }

  #typesOf({ id, schema, references }: RegisteredSchema): (messageIndexes: readonly number[]) => Type {
    const imports = Object.fromEntries(references.map(({ name, schema: text }) => [name, text]));
    const own = this.#definition?.type;
    const types = new Map<string, Type>();
    return (messageIndexes) => {
      const place = messageIndexes.join(".");
      const known = types.get(place);
      if (known !== undefined) return known;
      const message = nameAt(schema, messageIndexes);
      if (message === undefined) throw new MillraceError({ code: "SCHEMA_INCOMPATIBLE", message: `schema ${id} has no message at ${place}` });
      if (own !== undefined && own.fullName !== `.${message}`) throw new MillraceError({ code: "SCHEMA_INCOMPATIBLE", message: `it is a "${message}", not a "${own.fullName.slice(1)}"`, hint: "leave out message and proto to read messages of any kind" });
      // Fields are told apart by their numbers, so that one's own definition reads what others wrote.
      const type = own ?? messageType({ proto: schema, imports }, message);
      types.set(place, type);
      return type;
    };
  }
}

function definitionOf({ proto, imports = {}, message }: ConfluentProtobufOptions): Definition | undefined {
  if (proto === undefined && message === undefined) return undefined;
  if (proto === undefined || message === undefined) throw new MillraceError({ code: "OPTION_INVALID", message: "proto and message go together", location: { option: proto === undefined ? "proto" : "message" } });
  const type = messageType({ proto, imports }, message);
  const messageIndexes = indexesOf(proto, message);
  if (messageIndexes === undefined) throw new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `"${message}" is defined in what the definition imports`, hint: "give the text that defines it as proto" });
  return { proto, imports, type, messageIndexes };
}
