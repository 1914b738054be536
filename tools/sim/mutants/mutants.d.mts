/** One change of a built module: `find`, which is there once, becomes `replace`. */
export interface Edit {
  /** Below `packages/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The product with one safeguard taken away; with all layers of it, where there are several. */
export interface Mutant extends Edit {
  readonly id: string;
  /** The class of faults that the safeguard is against. */
  readonly against: string;
  /** Further changes. */
  readonly also?: readonly Edit[];
  /** Why the simulation cannot see it. */
  readonly survives?: string;
}

export const mutants: readonly Mutant[];
