import { setTimeout as pause } from "node:timers/promises";
import { MillraceError, isMillraceError } from "@millrace/core";
import { registrySettings } from "./schema-registry-options.js";
import type { RegistrySettings, SchemaRegistryOptions } from "./schema-registry-options.js";

/** Says that a schema uses another one, by the name it uses for it: the version of a subject. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** A schema, to be registered or looked up. */
export interface SchemaToRegister {
  readonly schema: string;
  /** Default `AVRO`. */
  readonly schemaType?: string;
  readonly references?: readonly SchemaReference[];
}

/** A schema as the registry has it; what it refers to comes first, in the order of use. */
export interface RegisteredSchema {
  readonly id: number;
  /** `AVRO`, `PROTOBUF` or `JSON`. */
  readonly schemaType: string;
  readonly schema: string;
  readonly references: readonly { readonly name: string; readonly schema: string }[];
}

interface Answer {
  readonly id?: number;
  readonly schema?: string;
  readonly version?: number;
  readonly schemaType?: string;
  readonly references?: readonly SchemaReference[];
  readonly error_code?: number;
  readonly message?: string;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** Ids and versions never change what they mean; the bound is for registries that are written to without end. */
const MOST_CACHED = 10_000;

/**
 * Speaks with a Confluent schema registry (or one with its REST interface) and remembers the answers.
 *
 * Errors: `SCHEMA_UNKNOWN` for ids and subjects it does not have, `SCHEMA_INCOMPATIBLE` when it refuses to register, `SCHEMA_REGISTRY_REFUSED` for
 * missing rights, `SCHEMA_REGISTRY_UNAVAILABLE` (recovery `restart`) when it does not answer in time, again and again.
 */
export class SchemaRegistryClient {
  readonly #settings: RegistrySettings;
  readonly #cache = new Map<string, Promise<Answer>>();
  #first: number = 0;

  /** @throws `OPTION_INVALID`, `DURATION_INVALID` */
  constructor(options: SchemaRegistryOptions) {
    this.#settings = registrySettings(options);
  }

  /** @throws `SCHEMA_UNKNOWN` */
  async schemaById(id: number): Promise<RegisteredSchema> {
    const answer = await this.#get(`/schemas/ids/${id}`, `the schema with id ${id}`);
    return { id, schemaType: answer.schemaType ?? "AVRO", schema: answer.schema ?? "", references: await this.#references(answer.references ?? [], new Set()) };
  }

  /** The id of a schema in a subject, where it is put if it is not there yet. @throws `SCHEMA_INCOMPATIBLE` */
  async register(subject: string, schema: SchemaToRegister): Promise<number> {
    return (await this.#post(`/subjects/${encodeURIComponent(subject)}/versions`, schema, `the subject "${subject}"`)).id!;
  }

  /** The id of a schema that must be in the subject, and its version there. @throws `SCHEMA_UNKNOWN` */
  async lookUp(subject: string, schema: SchemaToRegister): Promise<{ readonly id: number; readonly version: number }> {
    const { id, version } = await this.#post(`/subjects/${encodeURIComponent(subject)}`, schema, `the subject "${subject}", or this schema in it`);
    return { id: id!, version: version! };
  }

  async #references(references: readonly SchemaReference[], seen: Set<string>): Promise<{ name: string; schema: string }[]> {
    const found: { name: string; schema: string }[] = [];
    for (const { name, subject, version } of references) {
      if (seen.has(name)) continue;
      seen.add(name);
      const answer = await this.#get(`/subjects/${encodeURIComponent(subject)}/versions/${version}`, `version ${version} of the subject "${subject}"`);
      found.push(...(await this.#references(answer.references ?? [], seen)), { name, schema: answer.schema ?? "" });
    }
    return found;
  }

  #get(path: string, what: string): Promise<Answer> {
    return this.#cached(path, () => this.#request("GET", path, undefined, what));
  }

  #post(path: string, { schema, schemaType = "AVRO", references = [] }: SchemaToRegister, what: string): Promise<Answer> {
    const body = JSON.stringify({ schema, ...(schemaType === "AVRO" ? {} : { schemaType }), ...(references.length === 0 ? {} : { references }) });
    return this.#cached(`${path} ${body}`, () => this.#request("POST", path, body, what));
  }

  #cached(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const answer = ask();
    if (this.#cache.size >= MOST_CACHED) this.#cache.clear();
    this.#cache.set(key, answer);
    // Failures are asked again.
    answer.catch(() => this.#cache.delete(key));
    return answer;
  }

  async #request(method: string, path: string, body: string | undefined, what: string): Promise<Answer> {
    const { urls, retries } = this.#settings;
    let failure: unknown;
    for (let attempt = 0; attempt <= retries; attempt++) {
      if (attempt > 0) await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2));
      for (let i = 0; i < urls.length; i++) {
        const at = (this.#first + i) % urls.length;
        try {
          const answer = await this.#once(urls[at]!, method, path, body, what);
          this.#first = at;
          return answer;
        } catch (error) {
          if (isMillraceError(error)) throw error;
          failure = error;
        }
      }
    }
    throw new MillraceError({
      code: "SCHEMA_REGISTRY_UNAVAILABLE", message: `the schema registry at ${urls.join(", ")} did not answer ${method} ${path}, tried ${retries + 1} times: ${reason(failure)}`,
      hint: "is it running, and is the address right?", recovery: "restart", cause: failure,
    });
  }

  /** One request. Other errors than `MillraceError` are worth another try. */
  async #once(url: string, method: string, path: string, body: string | undefined, what: string): Promise<Answer> {
    const response = await fetch(url + path, {
      method, signal: AbortSignal.timeout(this.#settings.timeoutMs),
      headers: { ...this.#settings.headers(), ...(body === undefined ? {} : { "content-type": "application/vnd.schemaregistry.v1+json" }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    let answer: Answer | undefined;
    try {
      answer = JSON.parse(text) as Answer;
    } catch {
      answer = undefined;
    }
    if (response.ok && answer !== undefined) return answer;
    const said = answer?.message ?? text.slice(0, 200);
    const { status } = response;
    if (status === 404) throw new MillraceError({ code: "SCHEMA_UNKNOWN", message: `the schema registry at ${url} does not have ${what}: ${said}`, hint: "does the topic belong to another registry, or was the schema deleted?" });
    if (status === 401 || status === 403) throw new MillraceError({ code: "SCHEMA_REGISTRY_REFUSED", message: `the schema registry at ${url} refused ${method} ${path} (${status}): ${said}`, hint: "give basicAuth or bearerToken with rights on the subject" });
    if (status === 409) throw new MillraceError({ code: "SCHEMA_INCOMPATIBLE", message: `the schema registry at ${url} refused a schema for ${what}: ${said}`, hint: "give new fields defaults, or change the subject's compatibility level" });
    if (status === 422 || status === 400) throw new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `the schema registry at ${url} does not accept the schema for ${what}: ${said}` });
    throw new Error(`it answered ${status}: ${said}`);
  }
}

function reason(failure: unknown): string {
  const { message, cause } = failure as Error;
  return cause instanceof Error ? `${message}: ${cause.message || (cause as NodeJS.ErrnoException).code}` : message;
}
