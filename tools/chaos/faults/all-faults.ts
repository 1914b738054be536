import type { World } from "../world/world.js";
import type { Fault } from "./fault.js";
import { networkFaults } from "./network-faults.js";
import { operations } from "./operations.js";
import { processFaults } from "./process-faults.js";
import { serviceFaults } from "./service-faults.js";

/** Everything that can happen in this world. */
export function faultsOf(world: World): readonly Fault[] {
  return [...processFaults, ...networkFaults, ...serviceFaults(), ...operations()].filter((fault) => fault.applies(world));
}
