import { MillraceError, Secret, duration } from "@millrace/core";
import type { DurationLike } from "@millrace/core";

/** Where a schema registry is, and how to be let in. */
export interface SchemaRegistryOptions {
  /** One address, or several of the same registry: the next one is tried when one does not answer. */
  readonly url: string | readonly string[];
  readonly basicAuth?: { readonly username: string; readonly password: string | Secret };
  readonly bearerToken?: string | Secret;
  readonly headers?: Readonly<Record<string, string>>;
  /** For one request. Default 30 s. */
  readonly requestTimeout?: DurationLike;
  /** How often a request is repeated when no address answers, or with an error of the server. Default 5, with pauses from 100 ms to 5 s. */
  readonly retries?: number;
}

/** Those options, checked. */
export interface RegistrySettings {
  readonly urls: readonly string[];
  readonly headers: () => Record<string, string>;
  readonly timeoutMs: number;
  readonly retries: number;
}

/** @throws `OPTION_INVALID`, `DURATION_INVALID` */
export function registrySettings(options: SchemaRegistryOptions): RegistrySettings {
  const urls = (typeof options.url === "string" ? [options.url] : options.url).map(checkUrl);
  if (urls.length === 0) throw invalid("url", "a schema registry needs an address");
  const { basicAuth, bearerToken, retries = 5 } = options;
  if (basicAuth !== undefined && bearerToken !== undefined) throw invalid("bearerToken", "give either basicAuth or bearerToken");
  if (!(Number.isInteger(retries) && retries >= 0)) throw invalid("retries", `retries is ${retries}`);
  // Wrapped here and opened for each request, so that nothing that prints the settings prints them.
  const password = basicAuth === undefined ? undefined : secretOf(basicAuth.password);
  const token = bearerToken === undefined ? undefined : secretOf(bearerToken);
  return {
    urls, retries, timeoutMs: duration(options.requestTimeout ?? 30_000),
    headers: () => ({
      accept: "application/vnd.schemaregistry.v1+json", ...options.headers,
      ...(password === undefined ? {} : { authorization: `Basic ${Buffer.from(`${basicAuth!.username}:${password.reveal()}`).toString("base64")}` }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
    }),
  };
}

function secretOf(value: string | Secret): Secret {
  return typeof value === "string" ? new Secret(value) : value;
}

function checkUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw invalid("url", `${JSON.stringify(text)} is no http(s) address`);
  if (new URL(text).username !== "") throw invalid("url", "the address holds a user name; give basicAuth instead");
  return text.replace(/\/+$/, "");
}

function invalid(option: string, message: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message, location: { option } });
}
