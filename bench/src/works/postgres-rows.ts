import { flink } from "../contestants/flink.js";
import { millrace } from "../contestants/millrace.js";
import { emptyTable, postgres, sql, stopPostgres } from "../contestants/private-postgres.js";
import { row } from "../data/rows.js";
import type { Contestant, RunContext, Sample, Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

/** Rows that are inserted. */
export const work: Work = {
  name: "postgres-rows",
  title: "rows into PostgreSQL on the same cores, without a key; as the limit one COPY of all of them",
  goal: "≥ Flink",
  full: { records: 2_000_000 },
  smoke: { records: 20_000 },
  contestants: async (context) => [...(await sinks(context, undefined)), copy],
  figures: (medians) => [throughputFigure(medians, 1)],
  finish: stopPostgres,
};

/** Rows that replace what there is of their key: every key comes twice, so that half of them are inserted and half are updates. */
export const upserts: Work = {
  name: "postgres-upserts",
  title: "rows into PostgreSQL on the same cores by INSERT … ON CONFLICT: every key is inserted, and updated later",
  goal: "≥ Flink",
  full: { records: 1_000_000 },
  smoke: { records: 20_000 },
  contestants: (context) => sinks(context, Math.ceil(context.size.records / 2)),
  figures: (medians) => [throughputFigure(medians, 1)],
  finish: stopPostgres,
};

async function sinks({ size }: RunContext, keys: number | undefined): Promise<readonly Contestant[]> {
  const { url, port } = await postgres();
  const warmup = await emptyTable(keys !== undefined);
  const jdbcUrl = `jdbc:postgresql://127.0.0.1:${port}/postgres?user=postgres&password=secret`;
  const args = keys === undefined ? [] : ["--upsert-keys", String(keys)];
  const rows = keys ?? size.records;
  return [
    intoEmptyTable("millrace", false, rows, keys !== undefined, (table, context) => millrace({ job: "postgres-rows", args: ["--url", url, "--table", table, ...args] }).run(context)),
    intoEmptyTable("flink", true, rows, keys !== undefined, (table, context) => flink({ work: "postgres-rows", args: ["--jdbc-url", jdbcUrl, "--table", table, "--warmup-table", warmup, ...args] }).run(context)),
  ];
}

/** @throws when not every row is there in the end */
function intoEmptyTable(name: string, isFlink: boolean, rows: number, hasKey: boolean, run: (table: string, context: RunContext) => Promise<Sample>): Contestant {
  return {
    name, isFlink,
    async run(context) {
      const table = await emptyTable(hasKey);
      const sample = await run(table, context);
      const counted = await sql(`select count(distinct id) || '/' || count(*) from ${table}`);
      if (counted !== `${rows}/${rows}`) throw new Error(`${name}: the table has ${counted} rows instead of ${rows}`);
      await sql(`drop table ${table}`);
      return sample;
    },
  };
}

const copy: Contestant = {
  name: "loop",
  checks: false,
  async run({ size: { records } }) {
    const table = await emptyTable();
    let csv = "";
    for (let i = 0; i < records; i++) {
      const { id, sensor, celsius, timestamp } = row(i);
      csv += `${id},${sensor},${celsius},${new Date(timestamp).toISOString()}\n`;
    }
    const startMs = performance.now();
    await sql(`copy ${table} from stdin with (format csv)`, csv);
    const seconds = (performance.now() - startMs) / 1000;
    await sql(`drop table ${table}`);
    return { records, seconds, cpuSeconds: Number.NaN, peakRssKb: Number.NaN, outputs: records, checksum: 0, extras: {} };
  },
};
