import type { Role } from "../../security/roles.js";
import type { RestGateway } from "../gateway/rest-gateway.js";
import type { FlameGraphs } from "../flame-graphs.js";
import type { Schema } from "../schema/schema.js";
import type { AsyncOperations } from "./async-operations.js";

export interface RestRequest<B = unknown> {
  readonly gateway: RestGateway;
  readonly operations: AsyncOperations;
  readonly flameGraphs: FlameGraphs;
  readonly settings: RouteSettings;
  /** Decoded, and valid as the ids they stand for. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: B;
  /** The path of a file that came with the request, under a name the server made, and the base name the client gave. */
  readonly upload: { readonly path: string; readonly name: string } | undefined;
  /** How the server is reached, `http://host:port`. */
  readonly address: string;
}

export interface RouteSettings {
  /** `web.submit.enable` */
  readonly submitEnabled: boolean;
  /** `web.cancel.enable` */
  readonly cancelEnabled: boolean;
  readonly refreshIntervalMs: number;
  /** `rest.profiling.enabled` */
  readonly profilingEnabled: boolean;
  /** `rest.profiling.duration-max` */
  readonly profilingMaxSeconds: number;
}

/** An answer that is not JSON. */
export class RawAnswer {
  readonly contentType: string;
  readonly bytes: Uint8Array;

  constructor(contentType: string, bytes: Uint8Array) {
    this.contentType = contentType;
    this.bytes = bytes;
  }
}

/** A file that is sent piece by piece, as the other side takes it. */
export class FileAnswer {
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Not more than that together; fewer end the connection. */
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(contentType: string, sizeBytes: number, pieces: AsyncIterable<Uint8Array>, headers: Readonly<Record<string, string>> = {}) {
    this.contentType = contentType;
    this.sizeBytes = sizeBytes;
    this.pieces = pieces;
    this.headers = headers;
  }
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Without the version, parameters as `:name`. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role;
  /** Of the answer when all is well; default 200. */
  readonly status?: number;
  /** Query parameters by name, with what they mean. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Schema<any>;
  /** Absent: the answer is a file. */
  readonly response?: Schema<any>;
  /** It answers as Flink does for an empty result: there is nothing of the kind here. */
  readonly empty?: true;
  /** Takes a file as multipart/form-data. */
  readonly takesFile?: true;
  readonly handle: (request: RestRequest<any>) => Promise<unknown>;
}

type Init<B, R> = Omit<Route, "body" | "response" | "handle"> & {
  readonly body?: Schema<B>;
  readonly response: Schema<R>;
  readonly handle: (request: RestRequest<B>) => Promise<NoInfer<R>> | NoInfer<R>;
};

/** A route whose answer the compiler holds against its schema. */
export function route<R, B = undefined>(init: Init<B, R>): Route {
  return { ...init, handle: async (request) => init.handle(request as RestRequest<B>) };
}

/** A route that answers a file. */
export function fileRoute(init: Omit<Route, "body" | "response" | "handle"> & { readonly handle: (request: RestRequest) => Promise<RawAnswer | FileAnswer> }): Route {
  return init;
}
