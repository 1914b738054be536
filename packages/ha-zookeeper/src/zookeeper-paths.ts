/** The nodes of one cluster. */
export class ZooKeeperPaths {
  readonly root: string;

  constructor(pathRoot: string, clusterId: string) {
    this.root = `${pathRoot === "/" ? "" : pathRoot}/${clusterId}`;
  }

  /** Below it each contender has an ephemeral, numbered node; the lowest leads. */
  get latch(): string {
    return `${this.root}/latch`;
  }

  /** The newest grant ({@link Epoch}). Every write of a leader moves its version on, and fails when somebody else has. */
  get epoch(): string {
    return `${this.root}/epoch`;
  }

  /** The leader's addresses, for as long as its session lives. */
  get leader(): string {
    return `${this.root}/leader`;
  }

  /** Values are below it. */
  get store(): string {
    return `${this.root}/store`;
  }

  key(key: string): string {
    return key === "" ? this.store : `${this.store}/${key}`;
  }
}

/** What the epoch node holds. */
export interface Epoch {
  readonly token: number;
  /** Who took it: a random name for each attempt, so that one that lost its connection learns whether it succeeded. */
  readonly holder: string;
  /** Commits under this token; for the same reason. */
  readonly commits: number;
}

export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function decodeEpoch(data: Uint8Array): Epoch {
  return data.length === 0 ? { token: 0, holder: "", commits: 0 } : (JSON.parse(new TextDecoder().decode(data)) as Epoch);
}
