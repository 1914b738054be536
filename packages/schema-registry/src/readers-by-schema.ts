import { MillraceError, isMillraceError } from "@millrace/core";
import type { SchemaRegistryClient, RegisteredSchema } from "./schema-registry-client.js";
import { noSchemaId, schemaIdOf } from "./schema-id.js";

/** Said once, they stay so; every other failure is worth another try. */
const FINAL: readonly string[] = ["SCHEMA_UNKNOWN", "SCHEMA_INCOMPATIBLE", "FORMAT_SCHEMA_INVALID"];

/**
 * What reads the messages of each schema id: made when the first message of an id comes, and remembered, as is why there is none.
 * `R`: a reader made of a schema.
 */
export class ReadersBySchema<R> {
  readonly #client: SchemaRegistryClient;
  readonly #schemaType: string;
  readonly #make: (schema: RegisteredSchema) => R;
  readonly #readers = new Map<number, { readonly reader: R } | { readonly error: unknown }>();
  readonly #loading = new Map<number, Promise<void>>();

  /** @param schemaType of the schemas that can be read: `AVRO`, `PROTOBUF`; @param make may throw `SCHEMA_INCOMPATIBLE` or `FORMAT_SCHEMA_INVALID` */
  constructor(client: SchemaRegistryClient, schemaType: string, make: (schema: RegisteredSchema) => R) {
    this.#client = client;
    this.#schemaType = schemaType;
    this.#make = make;
  }

  /** For `prepare` of a `DeserializationSchema`: a promise when the reader of the message must be made first. */
  prepare(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    const id = schemaIdOf(bytes, start, end);
    if (id === undefined || this.#readers.has(id)) return undefined;
    let loading = this.#loading.get(id);
    if (loading === undefined) this.#loading.set(id, (loading = this.#load(id).finally(() => this.#loading.delete(id))));
    return loading;
  }

  /** @throws why the message has no reader; `FORMAT_CONTRACT` when `prepare` was not waited for */
  readerOf(bytes: Uint8Array, start: number, end: number): R {
    const id = schemaIdOf(bytes, start, end);
    if (id === undefined) throw noSchemaId(bytes, start, end);
    const known = this.#readers.get(id);
    if (known === undefined) {
      throw new MillraceError({ code: "FORMAT_CONTRACT", message: `a source deserializes a message with schema id ${id} without having called prepare`, hint: "custom sources must wait for prepare() of a DeserializationSchema that has one" });
    }
    if ("error" in known) throw known.error;
    return known.reader;
  }

  async #load(id: number): Promise<void> {
    try {
      const schema = await this.#client.schemaById(id);
      if (schema.schemaType !== this.#schemaType) {
        throw new MillraceError({ code: "SCHEMA_INCOMPATIBLE", message: `schema ${id} is of type ${schema.schemaType}, not ${this.#schemaType}`, hint: "read the topic with the format it was written in" });
      }
      this.#readers.set(id, { reader: this.#make(schema) });
    } catch (error) {
      if (!isMillraceError(error) || !FINAL.includes(error.code)) throw error;
      this.#readers.set(id, { error });
    }
  }
}
