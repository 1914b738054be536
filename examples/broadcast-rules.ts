/**
 * Checks payments against rules that come and change while the job runs: `millrace run examples/broadcast-rules.ts`.
 *
 * The stream of rules is broadcast: every subtask receives all of them and keeps them in broadcast state, beside the payments of its own accounts.
 * Arguments: `--input FILE`, `--rules FILE`.
 */
import {
  FileSource, ListStateDescriptor, MapStateDescriptor, ParameterTool, StreamExecutionEnvironment, WatermarkStrategy,
  type Collector, type KeyedBroadcastContext, type KeyedBroadcastOnTimerContext, type KeyedBroadcastProcessFunction, type KeyedReadOnlyBroadcastContext, type ListState,
  type RuntimeContext,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));

interface Payment {
  readonly transactionId: number;
  readonly accountId: number;
  readonly timestamp: number;
  readonly amount: number;
  readonly merchant: string;
}
interface Rule {
  readonly ruleId: string;
  readonly above: number;
  readonly merchant?: string;
  readonly effectiveFrom: number;
}

/** All versions of each rule by its id, oldest first. */
const rulesDescriptor = new MapStateDescriptor<string, readonly Rule[]>("rules");

class CheckRules implements KeyedBroadcastProcessFunction<number, Payment, Rule, string> {
  #waiting!: ListState<Payment>;

  open(context: RuntimeContext): void {
    this.#waiting = context.getListState(new ListStateDescriptor<Payment>("waiting"));
  }

  processBroadcastElement(rule: Rule, context: KeyedBroadcastContext<number>): void {
    const rules = context.getBroadcastState(rulesDescriptor);
    rules.put(rule.ruleId, [...(rules.get(rule.ruleId) ?? []), rule].sort((a, b) => a.effectiveFrom - b.effectiveFrom));
  }

  /** A payment waits until the watermarks of both streams have passed it: then every rule of its time is known, whichever stream was read faster. */
  processElement(payment: Payment, context: KeyedReadOnlyBroadcastContext<number>): void {
    this.#waiting.add(payment);
    context.timerService.registerEventTimeTimer(payment.timestamp);
  }

  onTimer(timestampMs: number, context: KeyedBroadcastOnTimerContext<number>, out: Collector<string>): void {
    const waiting = [...this.#waiting.get()];
    this.#waiting.update(waiting.filter((payment) => payment.timestamp > timestampMs));
    for (const payment of waiting.filter((payment) => payment.timestamp <= timestampMs)) {
      for (const [ruleId, versions] of context.getBroadcastState(rulesDescriptor).entries()) {
        const rule = versions.findLast((version) => version.effectiveFrom <= payment.timestamp);
        if (rule === undefined || payment.amount <= rule.above || (rule.merchant ?? payment.merchant) !== payment.merchant) continue;
        out.collect(`${new Date(payment.timestamp).toISOString()} ${ruleId}: payment ${payment.transactionId} of ${payment.amount.toFixed(2)} (${payment.merchant}) > ${rule.above}`);
      }
    }
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

const payments = env.fromSource<Payment>(
  FileSource.csv(parameters.get("input") ?? new URL("data/transactions.csv", import.meta.url), {
    columns: { transactionId: "int", accountId: "int", timestamp: "timestamp", amount: "number", merchant: "string" },
  }),
  WatermarkStrategy.forMonotonousTimestamps<Payment>().withTimestampAssigner((payment) => payment.timestamp),
  "Payments",
);
const rules = env.fromSource(
  FileSource.jsonLines<Rule>(parameters.get("rules") ?? new URL("data/alert-rules.jsonl", import.meta.url)),
  WatermarkStrategy.forMonotonousTimestamps<Rule>().withTimestampAssigner((rule) => rule.effectiveFrom),
  "Rules",
);

payments.keyBy("accountId").connect(rules.broadcast(rulesDescriptor)).process(CheckRules).name("Check rules").print();

await env.execute("Broadcast rules");
