import { RestError } from "./rest-error.js";
import type { Route } from "./route.js";

/** What each path parameter must look like. Ids are the server's own, so anything else names nothing. */
const parameterForms: Readonly<Record<string, RegExp>> = {
  jobid: /^[0-9a-f]{32}$/, vertexid: /^[0-9a-f]{32}$/, triggerid: /^[0-9a-f]{32}$/, checkpointid: /^\d{1,15}$/, subtaskindex: /^\d{1,6}$/, attempt: /^\d{1,9}$/,
  applicationid: /^[0-9a-f]{32}$/, datasetid: /^[0-9a-f]{32}$/, taskmanagerid: /^[A-Za-z0-9._:-]{1,256}$/, filename: /^[^/\\\0]{1,256}$/, jarid: /^[A-Za-z0-9._-]{1,256}$/, rescaleuuid: /^[0-9a-f-]{1,64}$/,
};

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** Finds the route of a request: fixed segments win over parameters. */
export class Router {
  readonly #routes: readonly Compiled[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes
      .map((route) => ({ route, segments: route.path.split("/").slice(1) }))
      .sort((a, b) => rank(a) - rank(b) || (rankText(a) < rankText(b) ? -1 : 1));
  }

  /** `path` begins with a slash, without the query; `/v1` in front of it is dropped. @throws 400 for a parameter that cannot be an id */
  match(method: string, path: string): RouteMatch | undefined {
    const segments = path.replace(/^\/v1(?=\/)/, "").split("/").slice(1);
    for (const { route, segments: wanted } of this.#routes) {
      if (route.method !== method || wanted.length !== segments.length) continue;
      if (!wanted.every((segment, index) => segment.startsWith(":") || segment === segments[index])) continue;
      return { route, params: parameters(wanted, segments) };
    }
    return undefined;
  }
}

function parameters(wanted: readonly string[], segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  wanted.forEach((segment, index) => {
    if (!segment.startsWith(":")) return;
    const name = segment.slice(1);
    const value = decoded(segments[index]!);
    if (value === undefined || parameterForms[name]?.test(value) !== true) {
      throw new RestError(400, `Bad request, could not parse parameters: Cannot resolve path parameter (${name}) from value "${segments[index]!.slice(0, 100)}".`);
    }
    params[name] = value;
  });
  return params;
}

/** Decoded once, and only once: twice is how `%252f` becomes a slash behind the check (CVE-2020-17519). */
function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const rank = ({ segments }: Compiled): number => segments.filter((segment) => segment.startsWith(":")).length;
/** Among equals the one whose parameter comes later wins. */
const rankText = ({ segments }: Compiled): string => segments.map((segment) => (segment.startsWith(":") ? "1" : "0")).join("");
