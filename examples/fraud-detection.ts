/**
 * Finds stolen cards: a tiny payment to try one out, followed within a minute by a large one. `millrace run examples/fraud-detection.ts`.
 *
 * Keyed state remembers the tiny payment, and a timer forgets it. Arguments: `--input FILE`, `--small 1`, `--large 500`, `--within "1 min"`.
 */
import {
  FileSource, ParameterTool, StreamExecutionEnvironment, Types, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type KeyedProcessContext, type KeyedProcessFunction, type RuntimeContext, type ValueState,
} from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const small = parameters.getNumber("small", 1);
const large = parameters.getNumber("large", 500);
const withinMs = parameters.getDuration("within", "1 min");

interface Payment {
  readonly transactionId: number;
  readonly accountId: number;
  readonly timestamp: number;
  readonly amount: number;
}

class FraudDetector implements KeyedProcessFunction<number, Payment, string> {
  #triedAtMs!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#triedAtMs = context.getState(new ValueStateDescriptor("tried-at", Types.number));
  }

  processElement(payment: Payment, context: KeyedProcessContext<number>, out: Collector<string>): void {
    const triedAtMs = this.#triedAtMs.value();
    if (triedAtMs !== undefined) {
      // The timer only frees the state: it fires when the watermark comes by, which may be later than the next payment. So the time is compared.
      if (payment.amount > large && payment.timestamp <= triedAtMs + withinMs) {
        out.collect(`${new Date(payment.timestamp).toISOString()} account ${payment.accountId}: payment ${payment.transactionId} of ${payment.amount.toFixed(2)}`);
      }
      // Only the very next payment counts.
      context.timerService.deleteEventTimeTimer(triedAtMs + withinMs);
      this.#triedAtMs.clear();
    }
    if (payment.amount < small) {
      this.#triedAtMs.update(payment.timestamp);
      context.timerService.registerEventTimeTimer(payment.timestamp + withinMs);
    }
  }

  onTimer(): void {
    this.#triedAtMs.clear();
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment();

env.fromSource<Payment>(
  FileSource.csv(parameters.get("input") ?? new URL("data/transactions.csv", import.meta.url), {
    columns: { transactionId: "int", accountId: "int", timestamp: "timestamp", amount: "number" },
  }),
  WatermarkStrategy.forMonotonousTimestamps<Payment>().withTimestampAssigner((payment) => payment.timestamp),
  "Payments",
)
  .keyBy("accountId")
  .process(FraudDetector)
  .name("Fraud detector")
  .print();

await env.execute("Fraud detection");
