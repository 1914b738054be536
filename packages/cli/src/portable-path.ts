import { resolve } from "node:path";

/** A path that means the same to a JobManager: relative ones are meant from here, not from where it runs. URIs stay. */
export function portablePath(path: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(path) ? path : resolve(path);
}
