import type { JdbcParameter } from "../dialect/jdbc-type.js";

interface Asked<V> {
  readonly key: readonly JdbcParameter[];
  readonly promise: Promise<V>;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers keys that are asked for and loads many at a time. A key that is asked for again before it is there is loaded once. Keys do not wait for company: a free
 * connection takes what has gathered while all were at work.
 */
export class KeyBatcher<V> {
  readonly #load: (keys: readonly (readonly JdbcParameter[])[]) => Promise<readonly V[]>;
  readonly #maxBatchSize: number;
  readonly #maxLoads: number;
  readonly #asked = new Map<string, Asked<V>>();
  readonly #waiting: string[] = [];
  #loads: number = 0;
  #isScheduled: boolean = false;

  /** @param load gives as many values as it gets keys */
  constructor(load: (keys: readonly (readonly JdbcParameter[])[]) => Promise<readonly V[]>, maxBatchSize: number, maxLoads: number) {
    this.#load = load;
    this.#maxBatchSize = maxBatchSize;
    this.#maxLoads = maxLoads;
  }

  get(text: string, key: readonly JdbcParameter[]): Promise<V> {
    const before = this.#asked.get(text);
    if (before !== undefined) return before.promise;
    let resolve!: (value: V) => void;
    let reject!: (error: unknown) => void;
    const promise = new Promise<V>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    this.#asked.set(text, { key, promise, resolve, reject });
    this.#waiting.push(text);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      // Behind all records that are processed in this turn.
      setImmediate(() => {
        this.#isScheduled = false;
        this.#loadNext();
      });
    }
    return promise;
  }

  #loadNext(): void {
    while (this.#loads < this.#maxLoads && this.#waiting.length > 0) {
      const texts = this.#waiting.splice(0, this.#maxBatchSize);
      this.#loads++;
      void this.#loadOne(texts).then(() => {
        this.#loads--;
        this.#loadNext();
      });
    }
  }

  async #loadOne(texts: readonly string[]): Promise<void> {
    const asked = texts.map((text) => this.#asked.get(text)!);
    try {
      const values = await this.#load(asked.map(({ key }) => key));
      asked.forEach(({ resolve }, i) => resolve(values[i]!));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    } finally {
      for (const text of texts) this.#asked.delete(text);
    }
  }
}
