/** The product with one safeguard taken away: in the built module `file`, `find` becomes `replace`. */
export interface Mutant {
  readonly id: string;
  /** The class of faults that the safeguard is against. */
  readonly against: string;
  /** Below `packages/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Why the simulation cannot see it. */
  readonly survives?: string;
}

export const mutants: readonly Mutant[];
