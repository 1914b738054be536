/** Asks every route about a running job, and cancels it at the end. */
export function requests(context: {
  readonly ask: (method: string, path: string, body?: unknown) => Promise<{ readonly status: number; readonly body?: unknown }>;
  readonly jobId: string;
}): AsyncIterable<{ readonly name: string; readonly status: number; readonly body?: unknown }>;
