import { KafkaClient } from "../../src/client/kafka-client.js";
import { connectionSettings } from "../../src/client/kafka-options.js";
import { listTransactions } from "../../src/sink/transactions.js";

/**
 * Waits until every transaction with an id of the prefix that was told to end has done so: a commit is answered before its markers are in the log, and readers
 * with `read_committed` see nothing behind the first that is missing.
 * @returns the ids of those that are still open
 */
export async function settledTransactions(bootstrapServers: string, prefix: string): Promise<string[]> {
  const client = new KafkaClient(connectionSettings({ bootstrapServers }));
  try {
    for (;;) {
      const listed = await listTransactions(client, prefix);
      if (!listed.some(({ state }) => state.startsWith("Prepare"))) return listed.filter(({ state }) => state === "Ongoing").map(({ transactionalId }) => transactionalId);
      await client.sleep(10);
    }
  } finally {
    client.close();
  }
}
