import { MillraceError, isMillraceError } from "@millrace/core";
import type { Api } from "../protocol/api.js";
import { FindCoordinator, Metadata } from "../protocol/cluster-apis.js";
import type { BrokerAddress, MetadataResponse, TopicMetadata } from "../protocol/cluster-apis.js";
import { errorName } from "../protocol/error-code.js";
import { BrokerConnection } from "./broker-connection.js";
import { TransientKafkaError, answerError, unreachable } from "./kafka-error.js";
import type { ConnectionSettings, HostAndPort } from "./kafka-options.js";

/** Who leads a partition. */
export interface Leader {
  readonly brokerId: number;
  readonly epoch: number;
}

const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 1000;

/** Connections to the brokers of one cluster, opened as they are needed, and what is known about topics, leaders and coordinators. */
export class KafkaClient {
  readonly settings: ConnectionSettings;
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  readonly #brokers = new Map<number, HostAndPort>();
  readonly #coordinators = new Map<string, BrokerAddress>();
  readonly #leaders = new Map<string, Map<number, Leader>>();
  readonly #sleepers = new Set<() => void>();
  #closed: boolean = false;

  constructor(settings: ConnectionSettings) {
    this.settings = settings;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The brokers that the last metadata named. */
  get brokerIds(): readonly number[] {
    return [...this.#brokers.keys()];
  }

  close(): void {
    this.#closed = true;
    for (const opening of this.#connections.values()) void opening.then((connection) => connection.close(), () => undefined);
    this.#connections.clear();
    for (const wake of this.#sleepers) wake();
  }

  /** Sends a request to a broker. @throws {@link TransientKafkaError} when it cannot be reached */
  async call<Q, R>(brokerId: number, api: Api<Q, R>, request: Q, timeoutMs?: number): Promise<R> {
    const address = this.#brokers.get(brokerId);
    if (address === undefined) throw new TransientKafkaError(`broker ${brokerId} is not known`);
    return (await this.#connection(address)).call(api, request, timeoutMs);
  }

  /** Sends a request to the coordinator of a group or transactional id; after an answer that says it has moved, call {@link forgetCoordinator} and try again. */
  async callCoordinator<Q, R>(kind: "group" | "transaction", key: string, api: Api<Q, R>, request: Q): Promise<R> {
    const id = `${kind} ${key}`;
    let broker = this.#coordinators.get(id);
    if (broker === undefined) {
      const found = await this.#callAny(FindCoordinator, { kind, key });
      if (found.errorCode !== 0) throw answerError(found.errorCode, `finding the coordinator of ${id}`, found.message);
      broker = found.broker;
      this.#coordinators.set(id, broker);
    }
    try {
      return await (await this.#connection(broker)).call(api, request);
    } catch (error) {
      this.#coordinators.delete(id);
      throw error;
    }
  }

  forgetCoordinator(kind: "group" | "transaction", key: string): void {
    this.#coordinators.delete(`${kind} ${key}`);
  }

  /** Asks for topics (`null`: all) and remembers their leaders. Topics that do not exist come with their error code. */
  async metadata(topics: readonly string[] | null): Promise<MetadataResponse> {
    const response = await this.#callAny(Metadata, topics);
    this.#brokers.clear();
    for (const { id, host, port } of response.brokers) this.#brokers.set(id, { host, port });
    for (const topic of response.topics) if (topic.errorCode === 0) this.#rememberLeaders(topic);
    return response;
  }

  /** The leader as the last metadata named it; `undefined` when there is none. */
  leader(topic: string, partition: number): Leader | undefined {
    return this.#leaders.get(topic)?.get(partition);
  }

  /**
   * Runs `attempt` until it succeeds: again after what {@link TransientKafkaError} says, with pauses that grow to a second, for at most `limitMs`.
   * @throws what `attempt` throws that is not transient; `KAFKA_UNREACHABLE` at the end of the time, or when the client is closed
   */
  async retrying<R>(what: string, limitMs: number, attempt: () => Promise<R>): Promise<R> {
    const deadline = Date.now() + limitMs;
    for (let backoff = FIRST_BACKOFF_MS; ; backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS)) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof TransientKafkaError)) throw error;
        if (this.#closed || Date.now() + backoff > deadline) throw unreachable(`${what} did not succeed in ${limitMs} ms`, error);
      }
      await this.sleep(backoff);
    }
  }

  /** Resolves after a time, or when the client is closed. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
      if (this.#closed) wake();
    });
  }

  /** The first broker that answers: one of those known, else one of the bootstrap servers. */
  async #callAny<Q, R>(api: Api<Q, R>, request: Q): Promise<R> {
    let last: unknown;
    for (const address of [...this.#brokers.values(), ...this.settings.bootstrap]) {
      try {
        return await (await this.#connection(address)).call(api, request);
      } catch (error) {
        // Wrong passwords and old brokers stay what they are at the next address.
        if (isMillraceError(error)) throw error;
        last = error;
      }
    }
    throw last;
  }

  #connection(address: HostAndPort): Promise<BrokerConnection> {
    if (this.#closed) return Promise.reject(new TransientKafkaError("the client is closed"));
    const key = `${address.host}:${address.port}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known.then((connection) => (connection.isClosed ? this.#reopen(key, address, known) : connection));
    return this.#open(key, address);
  }

  /** Only one of those who find the connection broken opens the next. */
  #reopen(key: string, address: HostAndPort, broken: Promise<BrokerConnection>): Promise<BrokerConnection> {
    const known = this.#connections.get(key);
    return known === undefined || known === broken ? this.#open(key, address) : known;
  }

  #open(key: string, address: HostAndPort): Promise<BrokerConnection> {
    const opening = BrokerConnection.open(address, this.settings);
    this.#connections.set(key, opening);
    opening.then(
      (connection) => this.#closed && connection.close(),
      () => this.#connections.get(key) === opening && this.#connections.delete(key),
    );
    return opening;
  }

  #rememberLeaders({ name, partitions }: TopicMetadata): void {
    const leaders = new Map<number, Leader>();
    for (const { partition, leader, leaderEpoch } of partitions) if (leader >= 0) leaders.set(partition, { brokerId: leader, epoch: leaderEpoch });
    this.#leaders.set(name, leaders);
  }
}

/** Checks that every topic was found. @throws `KAFKA_TOPIC_NOT_FOUND`, `KAFKA_AUTHORIZATION_FAILED`; {@link TransientKafkaError} while one has no leader */
export function requireTopics(response: MetadataResponse): void {
  for (const { name, errorCode, partitions } of response.topics) {
    const error = errorName(errorCode);
    if (error === "UNKNOWN_TOPIC_OR_PARTITION" || error === "INVALID_TOPIC_EXCEPTION") throw topicNotFound(name, error);
    if (errorCode !== 0) throw answerError(errorCode, `topic "${name}"`);
    const leaderless = partitions.find((partition) => partition.leader < 0 || errorName(partition.errorCode) === "LEADER_NOT_AVAILABLE");
    if (leaderless !== undefined) throw new TransientKafkaError(`partition ${leaderless.partition} of topic "${name}" has no leader`);
  }
}

function topicNotFound(topic: string, error: string): MillraceError {
  return new MillraceError({
    code: "KAFKA_TOPIC_NOT_FOUND", message: error === "INVALID_TOPIC_EXCEPTION" ? `"${topic}" cannot be the name of a topic` : `there is no topic "${topic}"`,
    hint: "create the topic, or correct its name; this connector never creates topics", recovery: "restart",
  });
}
