import { MillraceError } from "@millrace/core";
import type { KafkaClient } from "../client/kafka-client.js";
import { TransientKafkaError, answerError } from "../client/kafka-error.js";
import { errorName, isTransient } from "../protocol/error-code.js";
import { DescribeTransactions, EndTxn, InitProducerId, ListTransactions } from "../protocol/transaction-apis.js";
import type { ListedTransaction, ProducerIdentity } from "../protocol/transaction-apis.js";
import { readTransactionEnd } from "./transaction-end.js";
import type { KafkaCommittable } from "./transaction-pool.js";

/** A broker may be away this long before an attempt to commit counts as one of `sink.committer.retries`. */
const COMMIT_LIMIT_MS = 30_000;
const INIT_LIMIT_MS = 60_000;

/** What a commit came to. `lost`: Kafka has aborted the transaction. `unknown`: somebody has used its id since, and neither a commit nor an abort of it is in the log. */
export type CommitOutcome = "committed" | "already-committed" | "lost" | "unknown";

/** A new identity under a transactional id; aborts what was open under it, and shuts out who used it. @throws `KAFKA_TRANSACTION_TIMEOUT_TOO_LONG` */
export function initTransactions(client: KafkaClient, transactionalId: string, transactionTimeoutMs: number): Promise<ProducerIdentity> {
  return client.retrying(`a producer id for "${transactionalId}"`, INIT_LIMIT_MS, async () => {
    const answer = await client.callCoordinator("transaction", transactionalId, InitProducerId, { transactionalId, transactionTimeoutMs });
    if (answer.errorCode === 0) return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
    client.forgetCoordinator("transaction", transactionalId);
    if (errorName(answer.errorCode) !== "INVALID_TRANSACTION_TIMEOUT") throw answerError(answer.errorCode, `a producer id for "${transactionalId}"`);
    throw new MillraceError({
      code: "KAFKA_TRANSACTION_TIMEOUT_TOO_LONG", message: `transactions of ${transactionTimeoutMs} ms are longer than the brokers allow`, location: { option: "transactionTimeoutMs" },
      hint: "choose a shorter transactionTimeoutMs, or raise the brokers' transaction.max.timeout.ms",
    });
  });
}

/**
 * Commits a prepared transaction, from whichever process. Idempotent: where it is over already, the coordinator says how it ended, or, once its id has been used
 * again by anybody, the log does.
 * @throws `KAFKA_UNREACHABLE` when no coordinator answers in half a minute
 */
export function commitTransaction(client: KafkaClient, committable: KafkaCommittable): Promise<CommitOutcome> {
  const { transactionalId, producerEpoch } = committable;
  const producerId = BigInt(committable.producerId);
  const what = `committing "${transactionalId}"`;
  return client.retrying(what, COMMIT_LIMIT_MS, async (): Promise<CommitOutcome> => {
    const code = await client.callCoordinator("transaction", transactionalId, EndTxn, { transactionalId, producerId, producerEpoch, commit: true });
    if (code === 0) return "committed";
    client.forgetCoordinator("transaction", transactionalId);
    const error = errorName(code);
    if (!["INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED", "INVALID_TXN_STATE", "INVALID_PRODUCER_ID_MAPPING"].includes(error)) throw answerError(code, what);
    const [now] = await client.callCoordinator("transaction", transactionalId, DescribeTransactions, [transactionalId]);
    if (now === undefined || isTransient(now.errorCode)) throw new TransientKafkaError(`${what}: its state is not known`);
    if (now.errorCode === 0) {
      const isSame = now.producerId === producerId && now.producerEpoch === producerEpoch;
      if (isSame && now.state.endsWith("Commit")) return "already-committed";
      if (isSame && now.state.endsWith("Abort")) return "lost";
      // It ends at this moment, and its markers may not be written yet.
      if (now.state.startsWith("Prepare") || (isSame && now.state === "Ongoing")) throw new TransientKafkaError(`${what}: it is in state ${now.state}`);
    }
    const end = await readTransactionEnd(client, committable);
    return end === "committed" ? "already-committed" : end === "aborted" ? "lost" : "unknown";
  });
}

/** Ids of the prefix with an open transaction, on all brokers. */
export async function listOpenTransactions(client: KafkaClient, prefix: string): Promise<readonly string[]> {
  return (await listTransactions(client, prefix, ["Ongoing"])).map(({ transactionalId }) => transactionalId);
}

/** All transactions whose id begins with the prefix, on all brokers. @param states none: in all states */
export function listTransactions(client: KafkaClient, prefix: string, states: readonly string[] = []): Promise<readonly ListedTransaction[]> {
  return client.retrying("listing transactions", INIT_LIMIT_MS, async () => {
    await client.metadata([]);
    const answers = await Promise.all(client.brokerIds.map((id) => client.call(id, ListTransactions, states)));
    for (const { errorCode } of answers) if (errorCode !== 0) throw answerError(errorCode, "listing transactions");
    return answers.flatMap(({ transactions }) => transactions).filter(({ transactionalId }) => transactionalId.startsWith(`${prefix}-`));
  });
}
