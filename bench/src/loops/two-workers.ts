import { MessageChannel, Worker, isMainThread, parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { addSums, Checksum, foldLong, foldText, HASH_START } from "../data/checksum.js";
import { purchase, PURCHASE_DISORDER_MS, type Purchase } from "../data/records.js";
import { emitUntil } from "./loop.js";

/*
 * The keyed row written by hand for two workers: records with all six fields cross between them in transferred columns, windows are plain maps.
 * node --import tsx two-workers.ts '{"records": …, "keys": …}' prints a line of JSON. What an engine can hope for.
 */
const WINDOW_MS = 60_000;
const BATCH = 2048;
/** Buffers on their way to the other worker, at most. */
const CREDITS = 16;

interface Setup {
  readonly worker: number;
  readonly records: number;
  readonly keys: number;
  readonly port: MessagePort;
  /** Per worker: how many of the other's buffers it has processed. */
  readonly consumed: SharedArrayBuffer;
}
interface Done {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly outputs: number;
  readonly checksum: number;
}
type Message = { readonly buffer: ArrayBuffer; readonly length: number; readonly watermarkMs: number } | "end";

async function measure(): Promise<void> {
  const { records, keys } = JSON.parse(process.argv[2]!) as { records: number; keys: number };
  const ports = new MessageChannel();
  const consumed = new SharedArrayBuffer(8);
  const cpu = process.cpuUsage();
  const results = await Promise.all([ports.port1, ports.port2].map((port, worker) => new Promise<Done>((resolve, reject) => {
    const setup: Setup = { worker, records, keys, port, consumed };
    const thread = new Worker(loadThisModule, { eval: true, execArgv: [], workerData: setup, transferList: [port] });
    thread.once("message", resolve);
    thread.once("error", reject);
  })));
  const { user, system } = process.cpuUsage(cpu);
  const startNs = results.reduce((min, r) => (r.startNs < min ? r.startNs : min), results[0]!.startNs);
  const endNs = results.reduce((max, r) => (r.endNs > max ? r.endNs : max), 0n);
  console.log(JSON.stringify({
    records, seconds: Number(endNs - startNs) / 1e9, cpuSeconds: (user + system) / 1e6,
    outputs: results.reduce((sum, r) => sum + r.outputs, 0), checksum: results.reduce((sum, r) => addSums(sum, r.checksum), 0),
  }));
}

function runWorker({ worker, records, keys, port, consumed }: Setup): Done {
  const startNs = process.hrtime.bigint();
  const acknowledged = new Int32Array(consumed);
  const other = 1 - worker;
  const windows = new TumblingSums();
  const outgoing = new Columns();
  let sent = 0;
  let index = worker;
  let newestMs = 0;
  let otherWatermarkMs = Number.NEGATIVE_INFINITY;
  let otherEnded = false;
  let sentEnd = false;

  while (!otherEnded || !sentEnd) {
    for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port)) {
      const message = received.message as Message;
      if (message === "end") {
        otherEnded = true;
        otherWatermarkMs = Number.POSITIVE_INFINITY;
        continue;
      }
      windows.addColumns(message.buffer, message.length);
      otherWatermarkMs = message.watermarkMs;
      Atomics.add(acknowledged, worker, 1);
      Atomics.notify(acknowledged, worker);
    }
    const ack = Atomics.load(acknowledged, other);
    if (sentEnd || sent - ack >= CREDITS) {
      Atomics.wait(acknowledged, other, ack, 1);
      continue;
    }
    for (let n = 0; n < BATCH && index < records; n++, index += 2) {
      const record = purchase(index, keys);
      if (record.time > newestMs) newestMs = record.time;
      if ((hashOf(record.key) & 1) === worker) windows.add(record.key, record.time, record.amount);
      else outgoing.add(record);
    }
    const watermarkMs = newestMs - PURCHASE_DISORDER_MS;
    if (outgoing.length > 0) {
      const { length } = outgoing;
      const buffer = outgoing.take();
      port.postMessage({ buffer, length, watermarkMs } satisfies Message, [buffer]);
      sent++;
    }
    if (index >= records) {
      port.postMessage("end" satisfies Message);
      sentEnd = true;
    }
    windows.emitUntil(Math.min(watermarkMs, otherWatermarkMs));
  }
  windows.emitUntil(Number.POSITIVE_INFINITY);
  return { startNs, endNs: process.hrtime.bigint(), outputs: windows.out.outputs, checksum: windows.out.sum };
}

function hashOf(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
  return h ^ (h >>> 16);
}

/** Sums per window and key. */
class TumblingSums {
  readonly out = new Checksum();
  private readonly windows = new Map<number, Map<string, { sum: number }>>();

  add(key: string, time: number, amount: number): void {
    const endMs = time - (time % WINDOW_MS) + WINDOW_MS;
    let sums = this.windows.get(endMs);
    if (sums === undefined) this.windows.set(endMs, (sums = new Map()));
    const entry = sums.get(key);
    if (entry === undefined) sums.set(key, { sum: amount });
    else entry.sum += amount;
  }
  emitUntil(watermarkMs: number): void {
    emitUntil(this.windows, watermarkMs, (endMs, sums) => {
      for (const [key, { sum }] of sums) this.out.add(foldLong(foldLong(foldText(HASH_START, key), endMs), sum));
    });
  }
  /** Decodes every field, as whoever consumes whole records would have to. */
  addColumns(buffer: ArrayBuffer, length: number): void {
    const times = new Float64Array(buffer, 0, length);
    const prices = new Float64Array(buffer, 8 * length, length);
    const ints = new Int32Array(buffer, 16 * length, 4 * length);
    const textBytes = ints.byteOffset + ints.byteLength;
    const texts = Buffer.from(buffer, textBytes).toString("utf16le");
    let at = 0;
    for (let i = 0; i < length; i++) {
      const keyEnd = at + ints[2 * length + i]!;
      const labelEnd = keyEnd + ints[3 * length + i]!;
      const record: Purchase = {
        key: texts.slice(at, keyEnd), label: texts.slice(keyEnd, labelEnd), time: times[i]!, amount: ints[i]!, quantity: ints[length + i]!, price: prices[i]!,
      };
      at = labelEnd;
      this.add(record.key, record.time, record.amount);
    }
  }
}

/** Records on their way out, by column. */
class Columns {
  length = 0;
  private readonly times = new Float64Array(BATCH);
  private readonly prices = new Float64Array(BATCH);
  private readonly amounts = new Int32Array(BATCH);
  private readonly quantities = new Int32Array(BATCH);
  private readonly keyLengths = new Int32Array(BATCH);
  private readonly labelLengths = new Int32Array(BATCH);
  private texts = "";

  add({ key, label, time, amount, quantity, price }: Purchase): void {
    const i = this.length++;
    this.times[i] = time;
    this.prices[i] = price;
    this.amounts[i] = amount;
    this.quantities[i] = quantity;
    this.keyLengths[i] = key.length;
    this.labelLengths[i] = label.length;
    this.texts += key + label;
  }
  take(): ArrayBuffer {
    const { length, texts } = this;
    const buffer = new ArrayBuffer(32 * length + 2 * texts.length);
    new Float64Array(buffer, 0, length).set(this.times.subarray(0, length));
    new Float64Array(buffer, 8 * length, length).set(this.prices.subarray(0, length));
    const ints = new Int32Array(buffer, 16 * length, 4 * length);
    for (const [column, values] of [this.amounts, this.quantities, this.keyLengths, this.labelLengths].entries()) ints.set(values.subarray(0, length), column * length);
    Buffer.from(buffer).write(texts, 32 * length, "utf16le");
    this.length = 0;
    this.texts = "";
    return buffer;
  }
}

/** A worker thread does not inherit what lets the main thread import TypeScript. */
const loadThisModule = `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then(({ register }) => {
  register();
  return import(${JSON.stringify(import.meta.url)});
})`;

if (isMainThread) await measure();
else parentPort!.postMessage(runWorker(workerData as Setup));
