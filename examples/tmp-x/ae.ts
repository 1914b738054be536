/**
 * Looks large payments up at a web service, many at a time, and tries again when it is overloaded: `millrace run examples/async-enrichment.ts`.
 *
 * The service is part of the example: a web server on this machine. Arguments: `--input FILE`, `--above 300`, `--capacity 20`.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AsyncRetryStrategies, FileSource, ParameterTool, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const above = parameters.getNumber("above", 300);

/** Knows how risky a merchant is. Every third request is refused, once. */
async function startService(): Promise<Server> {
  const refused = new Set<string>();
  const server = createServer((request, response) => {
    const [, merchant = "", id = ""] = (request.url ?? "").split("/");
    if (Number(id) % 3 === 0 && !refused.has(id)) {
      refused.add(id);
      response.writeHead(503).end();
    } else {
      response.end(JSON.stringify({ risk: merchant === "travel" || merchant === "online" ? "high" : "low" }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

// This module runs again in every slot. What `once` computes is computed by the first run alone, so there is one server, and all slots know its port.
let server: Server | undefined;
const port = await env.once("port", async () => {
  server = await startService();
  return (server.address() as AddressInfo).port;
});

env.fromSource(
  FileSource.csv(parameters.get("input") ?? new URL("../data/transactions.csv", import.meta.url), {
    columns: { transactionId: "int", accountId: "int", amount: "number", merchant: "string" },
  }),
  WatermarkStrategy.noWatermarks(),
  "Payments",
)
  .filter((payment) => payment.amount > above)
  .asyncMap(
    async (payment) => {
      const response = await fetch(`http://127.0.0.1:${port}/${payment.merchant}/${payment.transactionId}`);
      if (!response.ok) throw new Error(`the service answered ${response.status}`);
      const { risk } = (await response.json()) as { risk: string };
      return { ...payment, risk };
    },
    // Results keep the order of the payments. `ordered: false` lets them go on as they come; `AsyncDataStream` takes a class with open and close.
    { timeout: "10 s", capacity: parameters.getInt("capacity", 20), retry: AsyncRetryStrategies.fixedDelay(1, "20 ms") },
  )
  .filter((payment) => payment.risk === "high")
  .map(({ transactionId, accountId, amount, merchant }) => `payment ${transactionId} of account ${accountId}: ${amount.toFixed(2)} at ${merchant}`)
  .print();

await env.execute("Async enrichment");
server?.close();
