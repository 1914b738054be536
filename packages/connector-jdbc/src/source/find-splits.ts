import { invalidOption } from "@millrace/core";
import type { ConnectionPool } from "../connection/connection-pool.js";
import type { JdbcColumn, JdbcType } from "../dialect/jdbc-type.js";
import { encoderOf } from "../types/encoder.js";
import { dateText, daysOf, microsOf, timestampText } from "../types/time-text.js";
import { tableColumns } from "../sink/table-layout.js";
import type { JdbcSourceSettings, PartitionSettings } from "./jdbc-source-options.js";
import type { JdbcSplit, SplitRange } from "./jdbc-split.js";
import { evenBounds } from "./parameter-values.js";

const MICROS_PER_MS = 1000n;

/** Cuts what is to be read into splits. @throws `OPTION_INVALID`, `JDBC_TABLE_NOT_FOUND`, `JDBC_COLUMN_NOT_FOUND`, `JDBC_UNREACHABLE` */
export async function findSplits(pool: ConnectionPool, settings: JdbcSourceSettings<never>): Promise<JdbcSplit[]> {
  const { query, partition, parameters } = settings;
  if (query !== undefined) return parameters.getParameterValues().map((values, i) => ({ splitId: `${i}`, range: { kind: "all" }, parameters: values, position: null }));
  if (partition === undefined) return [{ splitId: "0", range: { kind: "all" }, parameters: [], position: null }];
  const [column] = await tableColumns(pool, settings.table!, [partition.column], settings.types);
  return (await rangesOf(pool, settings, partition, column!)).map((range, i) => ({ splitId: `${i}`, range, parameters: [], position: null }));
}

async function rangesOf(pool: ConnectionPool, settings: JdbcSourceSettings<never>, partition: PartitionSettings, column: JdbcColumn): Promise<SplitRange[]> {
  const { type, isNullable } = column;
  checkKind(column);
  if (partition.bounds !== undefined) {
    const encode = encoderOf(type, settings.types);
    const [lower, upper] = (["lower", "upper"] as const).map((option) => {
      try {
        return String(settings.connection.dialect.parameterOf(column, encode(partition.bounds![option])));
      } catch (error) {
        throw invalidOption(`partition.${option}`, (error as Error).message);
      }
    });
    return cut(type, lower!, upper!, partition);
  }
  const { lower, upper, nulls } = await askedBounds(pool, settings, partition.column);
  const ranges: SplitRange[] = lower === undefined || upper === undefined ? [] : cut(type, lower, upper, partition);
  if (isNullable && nulls) ranges.push({ kind: "null" });
  return ranges;
}

function checkKind({ name, type }: JdbcColumn): void {
  if (["integer", "decimal", "float", "date", "timestamp", "timestamptz"].includes(type.kind)) return;
  throw invalidOption("partition.column", `"${name}" is ${type.name}, which is neither a number nor a date nor a time stamp`);
}

async function askedBounds(pool: ConnectionPool, { table, filter, connection: { dialect } }: JdbcSourceSettings<never>, name: string): Promise<{ lower?: string; upper?: string; nulls: boolean }> {
  const column = dialect.quote(name);
  const where = filter === undefined ? "" : ` WHERE (${filter})`;
  const { rows: [row] } = await pool.retrying(`the bounds of column "${name}"`, (connection) =>
    connection.execute(`SELECT MIN(${column}) AS lower_bound, MAX(${column}) AS upper_bound, COUNT(*) - COUNT(${column}) AS nulls FROM ${dialect.quoteTable(table!)}${where}`));
  const [lower, upper, nulls] = row!;
  return { nulls: Number(nulls) > 0, ...(lower === null || upper === null ? {} : { lower: String(lower), upper: String(upper) }) };
}

/** Even ranges. The last one ends exactly with `upper`, whatever its digits. */
function cut(type: JdbcType, lower: string, upper: string, { splits, splitSize }: PartitionSettings): SplitRange[] {
  const min = ordinalOf(type, lower, "down");
  const max = ordinalOf(type, upper, "up");
  if (min > max) throw invalidOption("partition.lower", `${lower} is beyond upper, ${upper}`);
  const width = splitSize === undefined ? undefined : BigInt(splitSize) * (type.kind.startsWith("timestamp") ? MICROS_PER_MS : 1n);
  const count = width === undefined ? splits! : Number((max - min) / width + 1n);
  if (count > 1_000_000) throw invalidOption("partition.splitSize", `it makes ${count} splits; 1000000 is the most`);
  const bounds = evenBounds(min, max, count).map((bound) => textOf(type, bound));
  bounds[0] = lower;
  return bounds.slice(0, -1).map((from, i) => {
    const isLast = i === bounds.length - 2;
    return { kind: "between", lower: from, upper: isLast ? upper : bounds[i + 1]!, isUpperIncluded: isLast };
  });
}

function ordinalOf({ kind }: JdbcType, text: string, rounding: "down" | "up"): bigint {
  if (/infinity|nan/i.test(text)) throw invalidOption("partition.column", `it reaches to ${text}`, "give lower and upper");
  if (kind === "date") {
    const [, year, month, day, bc] = /^(\d+)-(\d+)-(\d+)( BC)?$/.exec(text)!;
    return BigInt(daysOf(bc === undefined ? Number(year) : 1 - Number(year), Number(month), Number(day)));
  }
  if (kind.startsWith("timestamp")) {
    try {
      return microsOf(text);
    } catch (error) {
      throw invalidOption("partition.lower", `"${text}": ${(error as Error).message} in UTC`);
    }
  }
  if (/^[+-]?\d+$/.test(text)) return BigInt(text);
  const value = /^([+-]?\d+)\.(\d+)$/.exec(text);
  if (value === null) return BigInt(rounding === "down" ? Math.floor(Number(text)) : Math.ceil(Number(text)));
  const whole = BigInt(value[1]!);
  if (/^0+$/.test(value[2]!)) return whole;
  const isNegative = text.startsWith("-");
  if (rounding === "down") return isNegative ? whole - 1n : whole;
  return isNegative ? whole : whole + 1n;
}

function textOf({ kind }: JdbcType, ordinal: bigint): string {
  if (kind === "date") {
    const { date, bc } = dateText(Number(ordinal));
    return `${date}${bc}`;
  }
  if (!kind.startsWith("timestamp")) return String(ordinal);
  // Sessions are in UTC.
  return timestampText(ordinal).replace("T", " ");
}
