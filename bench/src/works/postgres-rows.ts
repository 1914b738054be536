import { flink } from "../contestants/flink.js";
import { millrace } from "../contestants/millrace.js";
import { emptyTable, postgres, sql, stopPostgres } from "../contestants/private-postgres.js";
import { row } from "../data/rows.js";
import type { Contestant, RunContext, Sample, Work } from "../work.js";
import { throughputFigure } from "./throughput.js";

export const work: Work = {
  name: "postgres-rows",
  title: "rows into PostgreSQL on the same cores, without a key; as the limit one COPY of all of them",
  goal: "≥ Flink",
  full: { records: 2_000_000 },
  smoke: { records: 20_000 },
  async contestants() {
    const { url, port } = await postgres();
    const warmup = await emptyTable();
    const jdbcUrl = `jdbc:postgresql://127.0.0.1:${port}/postgres?user=postgres&password=secret`;
    return [
      intoEmptyTable("millrace", false, (table, context) => millrace({ job: "postgres-rows", args: ["--url", url, "--table", table] }).run(context)),
      intoEmptyTable("flink", true, (table, context) => flink({ work: "postgres-rows", args: ["--jdbc-url", jdbcUrl, "--table", table, "--warmup-table", warmup] }).run(context)),
      copy,
    ];
  },
  figures: (medians) => [throughputFigure(medians, 1)],
  finish: stopPostgres,
};

/** @throws when not every row is there in the end */
function intoEmptyTable(name: string, isFlink: boolean, run: (table: string, context: RunContext) => Promise<Sample>): Contestant {
  return {
    name, isFlink,
    async run(context) {
      const table = await emptyTable();
      const sample = await run(table, context);
      const counted = await sql(`select count(distinct id) || '/' || count(*) from ${table}`);
      if (counted !== `${context.size.records}/${context.size.records}`) throw new Error(`${name}: the table has ${counted} rows instead of ${context.size.records}`);
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
