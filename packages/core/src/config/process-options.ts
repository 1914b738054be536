import { clusterOptions } from "./cluster-options.js";
import type { ConfigOption } from "./config-option.js";
import { highAvailabilityOptions } from "./high-availability-options.js";
import { allOptions } from "./options.js";

/** Every option that a process of a cluster may be given: its own, and those that jobs may set. */
export const processOptions: readonly ConfigOption<any>[] = [...allOptions, ...clusterOptions, ...highAvailabilityOptions];
