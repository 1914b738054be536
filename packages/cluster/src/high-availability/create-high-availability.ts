import {
  Configuration, HA_CLUSTER_ID, HA_FILE_LEASE_INTERVAL, HA_FILE_LEASE_TIMEOUT, HA_STORAGE_DIR, HA_TYPE, JOB_RESULT_STORE_DELETE, JOB_RESULT_STORE_PATH, MillraceError,
  type Coordination, type Env,
} from "@millrace/core";
import { EmbeddedCoordinator } from "./embedded/embedded-coordination.js";
import { FileCoordination } from "./file/file-coordination.js";
import { CoordinatedServices, type HighAvailabilityServices } from "./high-availability-services.js";
import { fixedRetrieval } from "./leader-retrieval.js";

/** What a package `@millrace/ha-<type>` exports as `createCoordination`. `clusterId` is a valid name of a node or file. */
export type CoordinationFactory = (env: Env, config: Configuration, clusterId: string) => Coordination;

export interface HighAvailabilityInit {
  readonly env: Env;
  readonly config: Configuration;
  /** Names this process in logs and in the election, e.g. `host:port`. */
  readonly contender: string;
  /** Without high availability: the address of a component of the one JobManager. */
  readonly fixedAddress: (componentId: string) => string;
  /** Without high availability: an absolute directory that lives as long as the process, for job graphs. */
  readonly temporaryDirectory: string;
  /** Loads the package of a type that is not built in; the entry point gives `(name) => import(name)`. */
  readonly loadPackage: (name: string) => Promise<{ readonly createCoordination?: CoordinationFactory }>;
}

/**
 * The services that `high-availability.type` names.
 * @throws `HA_OPTION_MISSING`, `CONFIG_BAD_VALUE`, `HA_PACKAGE_MISSING`
 */
export async function createHighAvailabilityServices(init: HighAvailabilityInit): Promise<HighAvailabilityServices> {
  const { env, config, contender } = init;
  const type = config.get(HA_TYPE);
  const deleteResultOnCommit = config.get(JOB_RESULT_STORE_DELETE);
  const results = config.get(JOB_RESULT_STORE_PATH);
  if (type === "NONE") {
    const storageDirectory = init.temporaryDirectory;
    return new CoordinatedServices({
      env, contender, storageDirectory, deleteResultOnCommit,
      coordination: new EmbeddedCoordinator(env, env.clock.nowMs()).connect(),
      jobResultDirectory: results === undefined ? `${storageDirectory}/job-results` : env.fs.resolve(results),
      retrieval: (componentId) => fixedRetrieval(env, init.fixedAddress(componentId)),
    });
  }
  const clusterId = config.get(HA_CLUSTER_ID);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(clusterId)) {
    throw new MillraceError({
      code: "CONFIG_BAD_VALUE", message: `"${clusterId}" is not a value for "${HA_CLUSTER_ID.key}": expected letters, digits, ".", "_" and "-"`, location: { option: HA_CLUSTER_ID.key },
    });
  }
  const storage = env.fs.resolve(requiredStorage(config, type));
  const storageDirectory = `${storage}/${clusterId}`;
  const coordination =
    type === "file" || type === "filesystem"
      ? new FileCoordination({ env, directory: `${storageDirectory}/election`, leaseTimeoutMs: config.get(HA_FILE_LEASE_TIMEOUT), leaseIntervalMs: checkedInterval(config) })
      : (await loadFactory(type, init.loadPackage))(env, config, clusterId);
  return new CoordinatedServices({
    env, contender, coordination, storageDirectory, deleteResultOnCommit,
    jobResultDirectory: results === undefined ? `${storage}/job-result-store/${clusterId}` : env.fs.resolve(results),
  });
}

function requiredStorage(config: Configuration, type: string): string {
  const directory = config.get(HA_STORAGE_DIR);
  if (directory !== undefined && directory !== "") return directory;
  throw new MillraceError({
    code: "HA_OPTION_MISSING", message: `"${HA_TYPE.key}: ${type}" needs "${HA_STORAGE_DIR.key}"`, hint: "a directory that all JobManagers reach", location: { option: HA_STORAGE_DIR.key },
  });
}

/** A lease must be renewed several times before it expires, else one late renewal is an outage. */
function checkedInterval(config: Configuration): number {
  const interval = config.get(HA_FILE_LEASE_INTERVAL);
  const timeout = config.get(HA_FILE_LEASE_TIMEOUT);
  if (interval >= 1 && interval * 3 <= timeout) return interval;
  throw new MillraceError({
    code: "CONFIG_BAD_VALUE", message: `"${interval} ms" is not a value for "${HA_FILE_LEASE_INTERVAL.key}": expected at most a third of ${HA_FILE_LEASE_TIMEOUT.key} (${timeout} ms)`,
    location: { option: HA_FILE_LEASE_INTERVAL.key },
  });
}

async function loadFactory(type: string, loadPackage: HighAvailabilityInit["loadPackage"]): Promise<CoordinationFactory> {
  const name = `@millrace/ha-${type}`;
  let cause: unknown;
  try {
    const { createCoordination } = await loadPackage(name);
    if (createCoordination !== undefined) return createCoordination;
  } catch (error) {
    cause = error;
  }
  throw new MillraceError({ code: "HA_PACKAGE_MISSING", message: `"${HA_TYPE.key}: ${type}" needs the package ${name}, which cannot be loaded`, hint: `npm install ${name}`, location: { option: HA_TYPE.key }, cause });
}
