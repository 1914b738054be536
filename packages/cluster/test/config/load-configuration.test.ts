import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import * as fc from "fast-check";
import {
  processOptions, HA_CLUSTER_ID, HA_ZOOKEEPER_AUTH, HEARTBEAT_TIMEOUT, isMillraceError, REST_BIND_ADDRESS, REST_PORT, TASKMANAGER_SLOTS, type MillraceError,
} from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { loadConfiguration, type ConfigurationSources } from "../../src/config/load-configuration.js";
import { variableOf } from "../../src/config/environment-entries.js";
import { readYamlEntries } from "../../src/config/yaml-entries.js";

const { fs } = createNodeEnv();

async function load(yaml: string | undefined, sources: ConfigurationSources = {}) {
  if (yaml === undefined) return loadConfiguration(fs, sources);
  const directory = mkdtempSync(join(tmpdir(), "millrace-config-"));
  try {
    writeFileSync(join(directory, "config.yaml"), yaml);
    return await loadConfiguration(fs, { configDir: directory, ...sources });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function refused(yaml: string | undefined, sources?: ConfigurationSources): Promise<MillraceError> {
  try {
    await load(yaml, sources);
  } catch (error) {
    assert.ok(isMillraceError(error), String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the configuration was accepted" });
}

test("nested and dotted keys mean the same, and values are typed by their option", async () => {
  const { configuration, origins } = await load(`
# a comment
rest:
  port: 9000
  bind-address: 127.0.0.1
taskmanager.numberOfTaskSlots: "4"
heartbeat:
  timeout: 20 s
high-availability:
  cluster-id: 1e3
`);
  assert.equal(configuration.get(REST_PORT), "9000");
  assert.equal(configuration.get(REST_BIND_ADDRESS), "127.0.0.1");
  assert.equal(configuration.get(TASKMANAGER_SLOTS), 4);
  assert.equal(configuration.get(HEARTBEAT_TIMEOUT), 20_000);
  assert.equal(configuration.get(HA_CLUSTER_ID), "1e3", "text stays as it was written");
  assert.equal(origins.get("rest.port")?.line, 4);
});

test("an empty file and no file set nothing", async () => {
  for (const yaml of ["", "# nothing\n", undefined]) assert.deepEqual((await load(yaml)).configuration.toJSON(), {});
});

test("the environment wins over the file, and -D over both", async () => {
  const yaml = "rest.port: 1\nheartbeat.timeout: 1 s\nparallelism.default: 1\ntaskmanager.numberOfTaskSlots: 1\n";
  const variables = { MILLRACE_PROPERTIES: "heartbeat.timeout: 2 s\nparallelism.default: 2\ntaskmanager:\n  numberOfTaskSlots: 2\n", MILLRACE_CFG_PARALLELISM_DEFAULT: "3", MILLRACE_CFG_TASKMANAGER_NUMBEROFTASKSLOTS: "3" };
  const { configuration, origins } = await load(yaml, { variables, definitions: { "taskmanager.numberOfTaskSlots": "4" } });
  assert.deepEqual(configuration.toJSON(), { "heartbeat.timeout": 2000, "parallelism.default": 3, "rest.port": "1", "taskmanager.numberOfTaskSlots": 4 });
  assert.equal(origins.get("parallelism.default")?.text, "the environment variable MILLRACE_CFG_PARALLELISM_DEFAULT");
});

test("MILLRACE_CONF_DIR names the directory, --configDir wins", async () => {
  assert.equal((await refused(undefined, { variables: { MILLRACE_CONF_DIR: "/nowhere/a" } })).message, "there is no /nowhere/a/config.yaml");
  const error = await refused(undefined, { configDir: "/nowhere/b", variables: { MILLRACE_CONF_DIR: "/nowhere/a" } });
  assert.equal(error.code, "CONFIG_FILE_NOT_FOUND");
  assert.equal(error.location.file, "/nowhere/b/config.yaml");
});

test("an unknown key is refused with file, line and the nearest known key", async () => {
  const error = await refused("rest:\n  port: 1\ntaskmanager:\n  numberOfTaskSlot: 3\n");
  assert.equal(error.code, "CONFIG_UNKNOWN_KEY");
  assert.match(error.message, /config\.yaml:4: unknown configuration key "taskmanager\.numberOfTaskSlot"/);
  assert.equal(error.hint, 'did you mean "taskmanager.numberOfTaskSlots"?');
  assert.deepEqual([error.location.line, error.location.option], [4, "taskmanager.numberOfTaskSlot"]);
});

test("a bad value is refused with file, line, key and what was expected, even where -D replaces it", async () => {
  const error = await refused("\nrest.port: 99999\n", { definitions: { "rest.port": "1" } });
  assert.equal(error.code, "CONFIG_BAD_VALUE");
  assert.match(error.message, /config\.yaml:2: "99999" is not a value for "rest\.port": expected a port/);
});

test("a key given twice is refused, in whichever spelling", async () => {
  for (const yaml of ["rest.port: 1\nrest.port: 1\n", "rest:\n  port: 1\nrest.port: 2\n", "rest:\n  port: 1\nrest:\n  port: 2\n"]) {
    const error = await refused(yaml);
    assert.equal(error.code, "CONFIG_DUPLICATE_KEY");
    assert.match(error.message, /"rest\.port" is set twice, the first time at .*config\.yaml:[12]/);
  }
});

test("what is not a flat or nested list of keys is refused with its line", async () => {
  const cases = [
    ["rest.port: 1\n  bad: : x\n", /config\.yaml:\d: not YAML/], ["- a\n", /:1: keys and values are expected/], ["just text", /:1: keys and values are expected/],
    ["rest:\n  port: [1, 2]\n", /:2: "rest\.port" is a list or an alias/], ["a: &x 1\nrest.port: *x\n", /"rest\.port" is a list or an alias/],
    ["rest.port:\n", /:1: "rest\.port" has no value/], ["rest.port: null\n", /has no value/], ["? [a]\n: 1\n", /a key must be text/],
  ] as const;
  for (const [yaml, message] of cases) assert.match((await refused(yaml)).message, message, yaml);
});

test("everything that is wrong is told at once", async () => {
  const error = await refused("rest.prt: 1\nheartbeat.timeout: soon\n", { variables: { MILLRACE_CFG_REST_PRT: "1" }, definitions: { "slot.isolation": "thred" } });
  assert.equal(error.code, "CONFIG_INVALID");
  assert.match(error.message, /^4 problems/);
  for (const part of ["rest.prt", "MILLRACE_CFG_REST_PRT", 'did you mean "MILLRACE_CFG_REST_PORT"?', "a duration", 'did you mean "thread"?']) assert.ok(error.message.includes(part), part);
});

test("a secret is never printed", async () => {
  const { configuration } = await load("high-availability.zookeeper.client.digest-auth: me:hunter2\n");
  const secret = configuration.get(HA_ZOOKEEPER_AUTH)!;
  assert.equal(secret.reveal(), "me:hunter2");
  for (const shown of [JSON.stringify(configuration), `${secret}`, inspect(secret), inspect(configuration, { depth: 9 }), JSON.stringify({ secret })]) assert.ok(!shown.includes("hunter2"), shown);
  const error = await refused("high-availability.zookeeper.client.digest-auth: ''\n");
  assert.ok(error.message.includes("******"));
});

test("no two keys share an environment variable", () => {
  assert.equal(new Set(processOptions.map((option) => variableOf(option.key))).size, processOptions.length);
  assert.equal(new Set(processOptions.map((option) => option.key)).size, processOptions.length);
});

test("any YAML text gives entries or problems, never an exception (property)", () => {
  const pieces = fc.constantFrom("rest", "port", ":", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "'", '"', "&a", "*a", "|", ">", "#", "!!str", "<<", "?", "%", "\t", "1", "null", "---", "...", "é");
  fc.assert(fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
    const { entries, problems } = readYamlEntries(parts.join(""), "f");
    assert.equal(new Set(entries.map((entry) => entry.key)).size, entries.length);
    for (const { origin } of [...entries, ...problems]) assert.ok(origin.line! >= 1);
  }), { numRuns: 1000 });
});
