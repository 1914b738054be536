/**
 * Figures for the heap backend: `node --import tsx packages/state/test/state.bench.ts [section]`. Not a test; timings are noisy, ratios matter.
 */
import { ValueStateDescriptor, keyHash, type Clock, type Output } from "@millrace/core";
import { HeapKeyedStateBackend } from "../src/index.js";

const { performance, console, process, gc } = globalThis as unknown as {
  performance: { now(): number };
  console: { log(line: string): void };
  process: { argv: string[] };
  gc?: () => void;
};
const clock: Clock = {
  nowMs: () => Math.floor(performance.now()),
  monotonicMs: () => performance.now(),
  setTimer: () => ({ cancel() {} }),
  yieldThen() {},
};
const MILLION = 1_000_000;
const backendOf = <K>(): HeapKeyedStateBackend<K> => new HeapKeyedStateBackend<K>({ maxParallelism: 128, keyGroupRange: [0, 127], clock });

/** A fixed sequence of pseudo-random integers in [0, limit). */
function randomInts(count: number, limit: number): Int32Array {
  const values = new Int32Array(count);
  let x = 12345;
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    values[i] = Math.floor(((x >>> 0) / 2 ** 32) * limit);
  }
  return values;
}

function report(name: string, operations: number, ms: number): void {
  console.log(`${name.padEnd(52)} ${((ms * 1e6) / operations).toFixed(0).padStart(6)} ns/op`);
}

function time(action: () => void): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

const sections: Record<string, () => void> = {
  count() {
    const order = randomInts(5 * MILLION, MILLION);
    const hashes = order.map((key) => keyHash(key));
    const map = new Map<number, number>();
    const overMap = (): void => {
      for (const key of order) map.set(key, (map.get(key) ?? 0) + 1);
    };
    report("Map, 1 M integer keys, filling", order.length, time(overMap));
    report("Map, 1 M integer keys", order.length, time(overMap));
    const backend = backendOf<number>();
    const state = backend.getState(new ValueStateDescriptor<number>("count"));
    const overState = (): void => {
      for (let i = 0; i < order.length; i++) {
        backend.setCurrentKey(order[i]!, hashes[i]!);
        state.update((state.value() ?? 0) + 1);
      }
    };
    report("value state, filling", order.length, time(overState));
    report("value state, hash given", order.length, time(overState));
    const overPrefetched = (): void => {
      for (let i = 0; i < order.length; i++) {
        if (i % 1000 === 0) backend.prefetch(hashes, i, i + 1000);
        backend.setCurrentKey(order[i]!, hashes[i]!);
        state.update((state.value() ?? 0) + 1);
      }
    };
    overPrefetched();
    report("value state, hash given, prefetched by 1000", order.length, time(overPrefetched));
    const slice = backend.sliceTable<number>("t").slice(0);
    const overSlice = (): void => {
      for (let i = 0; i < order.length; i++) {
        const at = slice.upsert(order[i]!, hashes[i]!);
        slice.set(at, (slice.get(at) ?? 0) + 1);
      }
    };
    report("slice, filling", order.length, time(overSlice));
    report("slice, hash given", order.length, time(overSlice));
    const names = Array.from({ length: MILLION }, (_, i) => `customer-${i * 7919}`);
    const nameHashes = Int32Array.from(names, keyHash);
    const strings = backendOf<string>();
    const counts = strings.getState(new ValueStateDescriptor<number>("count"));
    const overStrings = (): void => {
      for (const key of order) {
        strings.setCurrentKey(names[key]!, nameHashes[key]!);
        counts.update((counts.value() ?? 0) + 1);
      }
    };
    overStrings();
    report("value state, 1 M string keys, hash given", order.length, time(overStrings));
    const stringMap = new Map<string, number>();
    const overStringMap = (): void => {
      for (const key of order) stringMap.set(names[key]!, (stringMap.get(names[key]!) ?? 0) + 1);
    };
    overStringMap();
    report("Map, 1 M string keys", order.length, time(overStringMap));
  },

  grow() {
    const map = new Map<number, number>();
    console.log(`Map, growing to 10 M: longest pause of 1000 keys ${longest(10 * MILLION, (i) => map.set(i * 3, i)).toFixed(1)} ms`);
    map.clear();
    gc?.();
    const backend = backendOf<number>();
    const state = backend.getState(new ValueStateDescriptor<number>("count"));
    const pause = longest(10 * MILLION, (i) => {
      backend.setCurrentKey(i * 3);
      state.update(i);
    });
    console.log(`value state, growing to 10 M: longest pause of 1000 keys ${pause.toFixed(1)} ms`);
    const slice = backendOf<number>().sliceTable<number>("t").slice(0);
    const slicePause = longest(10 * MILLION, (i) => slice.set(slice.upsert(i * 3, keyHash(i * 3)), i));
    console.log(`slice, growing to 10 M: longest pause of 1000 keys ${slicePause.toFixed(1)} ms`);
  },

  snapshot() {
    for (const strings of [false, true]) {
      const backend = backendOf<number | string>();
      const state = backend.getState(new ValueStateDescriptor<number>("count"));
      const keys = Array.from({ length: MILLION }, (_, i) => (strings ? `customer-${i * 7919}` : i * 3));
      for (const key of keys) {
        backend.setCurrentKey(key);
        state.update(1);
      }
      const updates = randomInts(64 * 1024, MILLION);
      const run = (name: string, withUpdates: boolean): void => {
        let steps = 0;
        let encoding = 0;
        let longestStep = 0;
        const start = time(() => (snapshot = backend.snapshot(1)));
        for (let done = false; !done; ) {
          const started = performance.now();
          done = snapshot.step(2);
          const ms = performance.now() - started;
          encoding += ms;
          longestStep = Math.max(longestStep, ms);
          steps++;
          for (let i = 0; i < (withUpdates ? 2000 : 0); i++) {
            backend.setCurrentKey(keys[updates[(steps * 2000 + i) & 0xffff]!]!);
            state.update(steps);
          }
        }
        const finish = time(() => (bytes = snapshot.finish().stateBytes));
        console.log(
          `${name}: ${encoding.toFixed(0)} ms in ${steps} steps of 2 ms, longest ${longestStep.toFixed(1)}; ` +
            `start ${start.toFixed(2)}, finish ${finish.toFixed(2)} ms, ${(bytes / MILLION).toFixed(1)} bytes/key`,
        );
      };
      let snapshot = backend.snapshot(0);
      let bytes = 0;
      snapshot.abort();
      for (let round = 0; round < 3; round++) run(`snapshot of 1 M ${strings ? "string" : "integer"} keys, updates meanwhile`, true);
      run(`snapshot of 1 M ${strings ? "string" : "integer"} keys, quiet`, false);
      const result = backend.snapshot(2).finish();
      const whole = new Uint8Array(result.stateBytes);
      let offset = 0;
      for (const chunk of result.chunks) {
        whole.set(chunk, offset);
        offset += chunk.length;
      }
      const restoring = time(() => void HeapKeyedStateBackend.restore({ maxParallelism: 128, keyGroupRange: [0, 127], clock }, [{ bytes: whole, keyGroups: result.keyGroups }]));
      console.log(`restore: ${restoring.toFixed(0)} ms`);
    }
  },

  timers() {
    for (const distinct of [true, false]) {
      const backend = backendOf<number>();
      const nothing = (): void => undefined;
      const service = backend.timerService("t", { onEventTime: nothing, onProcessingTime: nothing }, {} as Output<unknown>);
      const times = randomInts(MILLION, distinct ? 1_000_000_000 : 100);
      const name = distinct ? "random times" : "100 distinct times";
      const register = (): void => {
        for (let i = 0; i < MILLION; i++) {
          backend.setCurrentKey(i);
          service.registerEventTimeTimer("", times[i]!);
        }
      };
      report(`timers, 1 M, ${name}: register`, MILLION, time(register));
      report(`timers, 1 M, ${name}: register again`, MILLION, time(register));
      report(`timers, 1 M, ${name}: fire`, MILLION, time(() => void service.advanceWatermark(2_000_000_000, () => false)));
    }
  },
};

function longest(count: number, action: (i: number) => void): number {
  let worst = 0;
  for (let i = 0; i < count; ) {
    const start = performance.now();
    for (const end = i + 1000; i < end; i++) action(i);
    worst = Math.max(worst, performance.now() - start);
  }
  return worst;
}

const wanted = process.argv[2];
for (const [name, run] of Object.entries(sections)) if (wanted === undefined || wanted === name) run();
