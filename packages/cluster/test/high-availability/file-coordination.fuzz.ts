// Several JobManagers on one shared directory, in virtual time, with slow disks, stops and kills. See append-log.ts for what must hold.
import { test } from "node:test";
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { MemoryFileSystem, seededRandom, VirtualClock } from "@millrace/testkit";
import { FileCoordination } from "../../src/high-availability/file/file-coordination.js";
import { AppendLog } from "./append-log.js";
import { runFor, SimulatedProcess } from "./simulated-process.js";

const LEASE_TIMEOUT_MS = 5000;
const LEASE_INTERVAL_MS = 1000;
const seen = { grants: 0, confirmed: 0, refused: 0, stops: 0, kills: 0 };

interface Member {
  readonly process: SimulatedProcess;
  resumeMs: number;
}

async function runCluster(seed: number, contenders: number, slowestMs: number): Promise<void> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const disk = new MemoryFileSystem();
  const log = new AppendLog();
  let born = 0;
  const start = (): Member => {
    const process = new SimulatedProcess(clock, disk, random, slowestMs);
    const coordination = new FileCoordination({ env: process.env, directory: "/ha", leaseTimeoutMs: LEASE_TIMEOUT_MS, leaseIntervalMs: LEASE_INTERVAL_MS });
    log.contend(coordination, `jm${born++}`, () => new Promise((resolve) => void process.env.clock.setTimer(random() * 700, resolve)));
    return { process, resumeMs: 0 };
  };
  let members = Array.from({ length: contenders }, start);
  for (let step = 0; step < 40; step++) {
    await runFor(clock, random() * 4000);
    members = members.map((member) => {
      const chance = random();
      if (chance < 0.05) {
        seen.kills++;
        member.process.kill();
        return start();
      }
      if (member.process.running && chance < 0.25) {
        seen.stops++;
        member.process.stop();
        member.resumeMs = clock.nowMs() + random() ** 2 * 4 * LEASE_TIMEOUT_MS;
      } else if (!member.process.running && clock.nowMs() >= member.resumeMs) member.process.resume();
      return member;
    });
  }
  for (const { process } of members) process.resume();
  await runFor(clock, 10 * LEASE_TIMEOUT_MS);
  const before = log.confirmed;
  await runFor(clock, 2 * LEASE_TIMEOUT_MS);
  if (slowestMs < LEASE_TIMEOUT_MS / 10) assert.ok(log.confirmed > before, "no progress once everything is well again");
  for (const { process } of members) process.kill();
  const reader = new FileCoordination({ env: { clock, fs: disk, log: { write: () => undefined } }, directory: "/ha", leaseTimeoutMs: LEASE_TIMEOUT_MS, leaseIntervalMs: LEASE_INTERVAL_MS });
  log.judge((await reader.store.get("log"))?.value);
  seen.grants += log.grants.length;
  seen.confirmed += log.confirmed;
  seen.refused += log.appends.length - log.confirmed;
}

test("under stops, kills and slow disks there is one effective leader at a time, and no confirmed write is lost", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 2, max: 4 }), fc.constantFrom(5, 100, 3000), runCluster),
    { numRuns: Number(process.env["MILLRACE_FUZZ_RUNS"] ?? 40) },
  );
  // The faults did happen.
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 20, `${what}: only ${count}`);
});
