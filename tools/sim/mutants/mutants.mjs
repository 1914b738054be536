// Mutants: the product with one safeguard taken away. `find` is text of the built module, where it occurs once.
import { clusterMutants } from "./cluster-mutants.mjs";
import { featureMutants } from "./feature-mutants.mjs";
import { runtimeMutants } from "./runtime-mutants.mjs";

export const mutants = [...clusterMutants, ...runtimeMutants, ...featureMutants];
