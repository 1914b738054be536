import type { Coordination, Env } from "@millrace/core";

/** Where a component can be reached while its process leads. */
export interface LeaderAddress {
  readonly address: string;
  /** Goes into every message to it. `undefined` without high availability: the leader tells it when one registers. */
  readonly fencingToken: number | undefined;
}

/** Tells who leads a component, now and at each change. */
export interface LeaderRetrieval {
  /**
   * Starts to listen; the listener is called soon after, and at each change, with `undefined` while no leader is known.
   * An address may be out of date by the time it is used: whoever answers there checks the token.
   */
  start(listener: (leader: LeaderAddress | undefined) => void): void;
  close(): void;
}

/** Retrieval through the coordination's leader information. */
export function coordinatedRetrieval(coordination: Coordination, componentId: string): LeaderRetrieval {
  let watch: { close(): void } | undefined;
  let told: string | undefined;
  return {
    start: (listener) => {
      watch ??= coordination.watchLeader((information) => {
        const address = information?.addresses[componentId];
        const leader = information === undefined || address === undefined ? undefined : { address, fencingToken: information.fencingToken };
        const text = JSON.stringify(leader ?? null);
        if (text === told) return;
        told = text;
        listener(leader);
      });
    },
    close: () => watch?.close(),
  };
}

/** Without high availability: the leader is where the configuration says, always. */
export function fixedRetrieval(env: Pick<Env, "clock">, address: string): LeaderRetrieval {
  let open = true;
  return {
    start: (listener) => env.clock.yieldThen(() => open && listener({ address, fencingToken: undefined })),
    close: () => void (open = false),
  };
}
