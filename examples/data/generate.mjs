/**
 * Writes the input of the examples, the same bytes every time: `node examples/data/generate.mjs`.
 *
 * Everything comes from one seeded generator. What the examples look for (late readings, sessions, fraud) is planted, and said so below.
 */
import { writeFileSync } from "node:fs";

const START_MS = Date.UTC(2024, 5, 3, 6, 0, 0);
const MAX_BYTES = 300_000;

/** mulberry32: 32 bits of state are plenty for sample data. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const integer = (random, below) => Math.floor(random() * below);
const pick = (random, list) => list[integer(random, list.length)];
const iso = (ms) => new Date(ms).toISOString();

function write(name, lines) {
  const text = `${lines.join("\n")}\n`;
  if (Buffer.byteLength(text) > MAX_BYTES) throw new Error(`${name} has become larger than ${MAX_BYTES} bytes`);
  writeFileSync(new URL(name, import.meta.url), text);
  console.log(`${name}: ${lines.length} lines, ${Buffer.byteLength(text)} bytes`);
}

/** Lines of text in which a few words are frequent and most are rare, as in any language. */
function words() {
  const random = randomOf(1);
  const vocabulary = (
    "the of and to in a is that it was for on are with as be at one have this from or had by word but what some we can out other were all there when up use " +
    "your how said each she which their time if will way about many then them would like so these her long make thing see him two has look more day could go come did " +
    "number sound no most people my over know water than call first who may down side been now find river mountain storm harbour lantern orchard granite meadow " +
    "willow copper thunder valley ember falcon marble velvet cinder drift hollow maple anchor beacon canyon delta forge glacier"
  ).split(" ");
  const weights = vocabulary.map((_, rank) => 1 / (rank + 1));
  const total = weights.reduce((a, b) => a + b, 0);
  const word = () => {
    let at = random() * total;
    let rank = 0;
    while (rank < weights.length - 1 && (at -= weights[rank]) > 0) rank++;
    return vocabulary[rank];
  };
  const sentence = () => {
    const list = Array.from({ length: 4 + integer(random, 10) }, word);
    return `${list[0][0].toUpperCase()}${list.join(" ").slice(1)}${random() < 0.2 ? "!" : "."}`;
  };
  write("words.txt", Array.from({ length: 900 }, () => Array.from({ length: 1 + integer(random, 3) }, sentence).join(" ")));
}

/** A reading per second of ten sensors in turn, up to 4 s out of order; one in 200 comes half a minute late. sensor_7 overheats for two minutes. */
function sensorReadings() {
  const random = randomOf(2);
  const base = Array.from({ length: 10 }, () => 60 + integer(random, 20));
  const readings = Array.from({ length: 4800 }, (_, i) => {
    const sensor = i % 10;
    const seconds = i / 4;
    base[sensor] += (random() - 0.5) * 1.5 + (70 - base[sensor]) * 0.01;
    const overheated = sensor === 7 && seconds > 600 && seconds < 720 ? 25 : 0;
    const arrivesMs = i * 250 + (random() < 0.005 ? 30_000 : random() * 4000);
    return { arrivesMs, row: `sensor_${sensor},${iso(START_MS + i * 250)},${(base[sensor] + overheated).toFixed(2)}` };
  });
  readings.sort((a, b) => a.arrivesMs - b.arrivesMs);
  write("sensor-readings.csv", ["sensorId,timestamp,temperature", ...readings.map((r) => r.row)]);
}

/** The smoke detector beside the sensors: mostly LOW, HIGH for five stretches, one of them while sensor_7 overheats. */
function smokeLevels() {
  const high = [[95, 110], [300, 330], [640, 690], [850, 860], [1100, 1130]];
  const rows = Array.from({ length: 240 }, (_, i) => {
    const seconds = i * 5;
    return `${iso(START_MS + seconds * 1000)},${high.some(([from, to]) => seconds >= from && seconds < to) ? "HIGH" : "LOW"}`;
  });
  write("smoke-levels.csv", ["timestamp,level", ...rows]);
}

/** Clicks of 60 users over four hours: bursts with seconds between clicks (sessions), and more than 15 minutes between bursts. */
function clicks() {
  const random = randomOf(3);
  const pages = ["/", "/search", "/product/17", "/product/23", "/product/42", "/cart", "/checkout", "/help", "/account"];
  const all = [];
  for (let user = 1; user <= 60; user++) {
    let ms = START_MS + integer(random, 45 * 60_000);
    while (ms < START_MS + 4 * 3_600_000) {
      for (let left = 2 + integer(random, 12); left > 0; left--) {
        all.push({ user: `user-${String(user).padStart(2, "0")}`, page: pick(random, pages), timestamp: ms });
        ms += 1000 + integer(random, 90_000);
      }
      ms += 16 * 60_000 + integer(random, 60 * 60_000);
    }
  }
  all.sort((a, b) => a.timestamp - b.timestamp || (a.user < b.user ? -1 : 1));
  write("clicks.jsonl", all.map((click) => JSON.stringify(click)));
}

/** Card payments of 50 accounts in order; six accounts show fraud: less than 1.00, then within a minute more than 500.00. */
function transactions() {
  const random = randomOf(4);
  const merchants = ["grocer", "bakery", "fuel", "books", "travel", "online", "pharmacy"];
  const countries = ["DE", "FR", "US", "JP", "BR"];
  const all = [];
  for (let i = 0; i < 3500; i++) {
    const accountId = 1 + integer(random, 50);
    // At least 1.00, so that only the planted pairs begin with less.
    all.push({ accountId, ms: START_MS + i * 4000, amount: 1 + random() ** 3 * 480, merchant: pick(random, merchants), country: countries[accountId % 5] });
  }
  for (const [k, accountId] of [3, 11, 19, 27, 35, 48].entries()) {
    const ms = START_MS + (k + 1) * 1_900_000 + 1500;
    all.push({ accountId, ms, amount: 0.1 + random() * 0.8, merchant: "online", country: countries[accountId % 5] });
    all.push({ accountId, ms: ms + 1000, amount: 505 + random() * 400, merchant: "travel", country: countries[(accountId + 1) % 5] });
  }
  all.sort((a, b) => a.ms - b.ms);
  write("transactions.csv", [
    "transactionId,accountId,timestamp,amount,merchant,country",
    ...all.map((t, i) => `${i + 1},${t.accountId},${iso(t.ms)},${t.amount.toFixed(2)},${t.merchant},${t.country}`),
  ]);
}

/** Rules for the broadcast example: they take effect at their time, and a later one with the same id replaces an earlier one. */
function rules() {
  write("alert-rules.jsonl", [
    { ruleId: "big-amount", field: "amount", above: 450, effectiveFrom: START_MS },
    { ruleId: "travel-amount", field: "amount", above: 400, merchant: "travel", effectiveFrom: START_MS + 3_600_000 },
    { ruleId: "big-amount", field: "amount", above: 300, effectiveFrom: START_MS + 7_200_000 },
  ].map((rule) => JSON.stringify(rule)));
}

words();
sensorReadings();
smokeLevels();
clicks();
transactions();
rules();
