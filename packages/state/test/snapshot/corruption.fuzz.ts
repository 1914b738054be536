import { isMillraceError } from "@millrace/core";
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend } from "../../src/index.js";
import { code } from "../error-code.js";
import { KEYS, OPS, Subject, apply, emptyModel, store, type Stored } from "../keyed-model.js";
import { ManualClock } from "../manual-clock.js";
import { fuzz } from "../seed.js";

// Invariant: damaged bytes are refused with an error that has a code, or restore to something; they never crash or hang.

function sample(): Stored {
  const subject = Subject.empty();
  const model = emptyModel();
  for (let i = 0; i < 400; i++) apply(subject, model, { op: OPS[i % (OPS.length - 1)]!, key: (i * 7) % KEYS.length, a: i % 37, b: i % 11 });
  return store(subject.backend.snapshot(1).finish());
}
const options = { maxParallelism: 16, keyGroupRange: [0, 15] as const, clock: new ManualClock() };

test("damaged snapshots are refused", () => {
  const { bytes, handle } = sample();
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(damage, fc.option(fc.nat(bytes.length)), (changes, length) => {
      const damaged = bytes.slice(0, length ?? bytes.length);
      for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
      try {
        HeapKeyedStateBackend.restore(options, [{ bytes: damaged, keyGroups: handle.keyGroups }]);
      } catch (error) {
        assert.ok(isMillraceError(error), String((error as Error).stack));
      }
    }),
    fuzz("damaged snapshots", 1500),
  );
});

test("what is not a snapshot, a later version and another maximum parallelism are told apart", () => {
  const { bytes, handle } = sample();
  const restore = (from: Uint8Array, maxParallelism = 16): void =>
    void HeapKeyedStateBackend.restore({ ...options, maxParallelism }, [{ bytes: from, keyGroups: handle.keyGroups }]);
  assert.throws(() => restore(new Uint8Array(100)), code("STATE_SNAPSHOT_CORRUPT"));
  assert.throws(() => restore(new Uint8Array(0)), code("STATE_SNAPSHOT_CORRUPT"));
  const later = bytes.slice();
  later[4] = 9;
  assert.throws(() => restore(later), code("STATE_SNAPSHOT_VERSION", "version 9"));
  assert.throws(() => restore(bytes, 32), code("STATE_MAX_PARALLELISM_MISMATCH", "16", "32"));
});
