import { allOptions, type Configuration } from "@millrace/core";
import { loadConfiguration, nodeClusterEnv, processLog } from "@millrace/cluster/client";

/** Where the configuration of a cluster process comes from, besides its environment variables. */
export interface ConfigRequest {
  /** `-D`; wins over the rest. */
  readonly define: Readonly<Record<string, string>>;
  /** The directory that holds `config.yaml`. */
  readonly configDir?: string | undefined;
}

/**
 * The configuration of a cluster process: `config.yaml`, environment variables and `-D`, checked as a whole.
 * @throws what `loadConfiguration` does
 */
export async function processConfig({ define, configDir }: ConfigRequest): Promise<Configuration> {
  const { configuration } = await loadConfiguration(nodeClusterEnv(processLog).fs, { definitions: define, variables: process.env, ...(configDir === undefined ? {} : { configDir }) });
  return configuration;
}

/** The part of it that is about jobs. */
export function jobPart(config: Configuration): Readonly<Record<string, unknown>> {
  const ofJobs = new Set(allOptions.map(({ key }) => key));
  return Object.fromEntries(Object.entries(config.toJSON()).filter(([key]) => ofJobs.has(key)));
}
