/** Somebody has asked the run to end. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
  }
}

export class TookTooLong extends Error {}

/** Resolves after so long. @throws {@link Interrupted} */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Interrupted());
    const abort = (): void => {
      clearTimeout(timer);
      reject(new Interrupted());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Settles as the promise does. @throws {@link TookTooLong} when that takes longer, {@link Interrupted} */
export async function within<T>(limitMs: number, what: string, signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const forward = (): void => stop.abort();
  signal.addEventListener("abort", forward, { once: true });
  // Whoever is late is not waited for, and not unheard either.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, sleep(limitMs, AbortSignal.any([stop.signal, signal])).then(() => Promise.reject(new TookTooLong(`${what} takes longer than ${Math.round(limitMs / 1000)} s`)))]);
  } finally {
    signal.removeEventListener("abort", forward);
    stop.abort();
  }
}

/** Resolves once the condition holds. @throws {@link TookTooLong}, {@link Interrupted} */
export async function eventually(what: string, limitMs: number, signal: AbortSignal, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new TookTooLong(`${what}: not within ${Math.round(limitMs / 1000)} s`);
    await sleep(100, signal);
  }
}
