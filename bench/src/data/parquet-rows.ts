import { row } from "./rows.js";

/** Twelve columns; two of them are those of {@link row}. */
export const parquetColumns = {
  id: "int32", sensor: "string", timestamp: "timestamp-millis", celsius: "double", ok: "boolean", pascal: "double", humidity: "double",
  site: "string", operator: "string", note: "string", firmware: "int32", battery: "int32",
} as const;

export function parquetRow(index: number) {
  const { id, sensor, timestamp, celsius, ok } = row(index);
  return {
    id, sensor, timestamp, celsius, ok, pascal: 100_000 + celsius * 13, humidity: celsius / 3, site: `site-${id % 97}`, operator: `operator-${id % 1009}`,
    note: `row ${id} of ${sensor}`, firmware: id % 7, battery: 100 - (id % 100),
  };
}
