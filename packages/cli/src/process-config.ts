import { Configuration, allOptions, clusterOptions } from "@millrace/core";

/** The configuration of a cluster process. @throws `CONFIG_UNKNOWN_KEY`, `CONFIG_BAD_VALUE` */
export function processConfig(define: Readonly<Record<string, unknown>>): Configuration {
  return Configuration.of(define, [...allOptions, ...clusterOptions]);
}

/** The part of it that is about jobs. */
export function jobPart(define: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const ofJobs = new Set(allOptions.map(({ key }) => key));
  return Object.fromEntries(Object.entries(define).filter(([key]) => ofJobs.has(key)));
}
