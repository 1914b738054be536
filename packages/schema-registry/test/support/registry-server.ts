import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import avsc from "avsc";

interface Stored {
  readonly id: number;
  readonly schema: string;
  readonly schemaType: string;
  readonly references: readonly { name: string; subject: string; version: number }[];
}

/**
 * A schema registry with the REST interface of Confluent's: registering, looking up, ids, versions, references, error codes, and compatibility BACKWARD
 * (new schemas must read what the last one wrote). Ids are given once per distinct schema, as there.
 */
export class RegistryServer {
  readonly subjects = new Map<string, Stored[]>();
  readonly requests: string[] = [];
  /** Answers for the next requests, in place of the real ones: a status, or `"drop"` closes the connection. */
  readonly faults: (number | "drop")[] = [];
  /** The `authorization` header that is let in; all are when it is undefined. */
  authorization: string | undefined;
  readonly #server: Server;
  #nextId: number = 1;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<RegistryServer> {
    const registry = new RegistryServer();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    this.requests.push(`${request.method} ${request.url}`);
    const fault = this.faults.shift();
    if (fault === "drop") {
      request.socket.destroy();
      return;
    }
    const [status, answer] = fault !== undefined ? [fault, { error_code: fault * 100, message: "fault" }] : this.#answer(request, body);
    response.writeHead(status, { "content-type": "application/vnd.schemaregistry.v1+json" });
    response.end(JSON.stringify(answer));
  }

  #answer(request: IncomingMessage, body: string): [number, unknown] {
    if (this.authorization !== undefined && request.headers.authorization !== this.authorization) return [401, { error_code: 401, message: "Unauthorized" }];
    const path = request.url!.split("/").slice(1).map(decodeURIComponent);
    if (path[0] === "schemas" && path[1] === "ids") {
      const found = [...this.subjects.values()].flat().find((stored) => stored.id === Number(path[2]));
      if (found === undefined) return [404, { error_code: 40403, message: "Schema not found" }];
      return [200, { schema: found.schema, ...(found.schemaType === "AVRO" ? {} : { schemaType: found.schemaType }), references: found.references }];
    }
    const subject = path[1]!;
    const versions = this.subjects.get(subject);
    if (request.method === "GET" && path[2] === "versions") {
      const found = versions?.[Number(path[3]) - 1];
      return found === undefined ? [404, { error_code: 40402, message: "Version not found" }] : [200, { ...found, subject, version: Number(path[3]) }];
    }
    const { schema, schemaType = "AVRO", references = [] } = JSON.parse(body) as Stored;
    const known = versions?.find((stored) => canonical(stored.schema) === canonical(schema));
    if (path[2] !== "versions") {
      if (versions === undefined) return [404, { error_code: 40401, message: `Subject '${subject}' not found` }];
      return known === undefined ? [404, { error_code: 40403, message: "Schema not found" }] : [200, { subject, id: known.id, version: versions.indexOf(known) + 1, schema }];
    }
    return this.#register(subject, { schema, schemaType, references });
  }

  #register(subject: string, given: Omit<Stored, "id">): [number, unknown] {
    const versions = this.subjects.get(subject) ?? [];
    const same = [...this.subjects.values()].flat().find((stored) => canonical(stored.schema) === canonical(given.schema));
    if (versions.some((stored) => stored === same || stored.id === same?.id)) return [200, { id: same!.id }];
    if (given.schemaType === "AVRO") {
      let type;
      try {
        type = avsc.Type.forSchema(JSON.parse(given.schema));
      } catch (error) {
        return [422, { error_code: 42201, message: `Invalid schema: ${(error as Error).message}` }];
      }
      const last = versions.at(-1);
      if (last !== undefined) {
        try {
          type.createResolver(avsc.Type.forSchema(JSON.parse(last.schema)));
        } catch (error) {
          return [409, { error_code: 409, message: `Schema being registered is incompatible with an earlier schema: ${(error as Error).message}` }];
        }
      }
    }
    const stored = { ...given, id: same?.id ?? this.#nextId++ };
    this.subjects.set(subject, [...versions, stored]);
    return [200, { id: stored.id }];
  }

  /** Puts a schema in as another client would have, without looking at compatibility. */
  add(subject: string, schema: unknown, more: Partial<Pick<Stored, "schemaType" | "references">> = {}): number {
    const stored: Stored = { id: this.#nextId++, schema: typeof schema === "string" ? schema : JSON.stringify(schema), schemaType: "AVRO", references: [], ...more };
    this.subjects.set(subject, [...(this.subjects.get(subject) ?? []), stored]);
    return stored.id;
  }
}

function canonical(schema: string): string {
  try {
    return JSON.stringify(JSON.parse(schema));
  } catch {
    return schema;
  }
}
