import { SimulatedDisk, SimulatedNetwork, SimulatedProcess, Simulation, type World } from "../src/index.js";

/** An empty machine room. */
export function emptyWorld(seed: number): World & { process(name: string, host?: string): SimulatedProcess } {
  const simulation = new Simulation({ seed, keepsTrace: true });
  const world = { simulation, network: new SimulatedNetwork(simulation), disk: new SimulatedDisk(simulation) };
  return { ...world, process: (name, host = name) => new SimulatedProcess(world, name, host) };
}

/** Lets time run until a promise settles; its result. */
export async function settle<T>(simulation: Simulation, work: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  work.then(end, end);
  if (!(await simulation.run(() => over, 60_000))) throw new Error("it never settles");
  return work;
}
