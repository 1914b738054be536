/*
 * Every address of 127.0.0.0/8 is this machine: a party listens on one, the proxy before it on another, at the same port. So processes advertise the proxy
 * by its host alone, and no product option is needed for it. (Linux.)
 */
const NETWORK = 100 + (process.pid % 150);

export const addresses = {
  /** What a party listens on. */
  bind: (member: number): string => `127.${NETWORK}.1.${member}`,
  /** What others know it by. */
  advertised: (member: number): string => `127.${NETWORK}.2.${member}`,
  /** A member's way to ZooKeeper. */
  zookeeper: (member: number): string => `127.${NETWORK}.3.${member}`,
  /** Everybody's way to Kafka. */
  kafka: `127.${NETWORK}.4.1`,
  /** Everybody's way to PostgreSQL. */
  postgres: `127.${NETWORK}.5.1`,
} as const;

export const RPC_PORT = 26123;
export const REST_PORT = 28081;
/** One for each slot, and some for those that are being replaced. */
export const DATA_PORTS: readonly number[] = Array.from({ length: 8 }, (_, i) => 27100 + i);
