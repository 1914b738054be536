/** One planned failure: the `at`-th visit of a place throws. */
export interface Fault {
  readonly place: string;
  readonly at: number;
}

/** Counts the visits of every place of a job, and throws where it was planned. */
export class Faults {
  readonly visits = new Map<string, number>();
  readonly thrown: Fault[] = [];
  readonly #planned: readonly Fault[];

  constructor(planned: readonly Fault[]) {
    this.#planned = planned;
  }

  readonly visit = (place: string): void => {
    const at = (this.visits.get(place) ?? 0) + 1;
    this.visits.set(place, at);
    const fault = this.#planned.find((candidate) => candidate.place === place && candidate.at === at);
    if (fault === undefined) return;
    this.thrown.push(fault);
    throw new Error(`fault in ${place}, visit ${at}`);
  };
}

/** Failures at places that a run without failures has visited; some lie beyond its visits and hit only what is repeated after another failure. */
export function planFaults(random: () => number, visits: ReadonlyMap<string, number>): Fault[] {
  const places = [...visits.keys()].sort();
  return Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
    const place = places[Math.floor(random() * places.length)]!;
    return { place, at: 1 + Math.floor(random() * 1.3 * visits.get(place)!) };
  });
}
