import { fold, foldLong, foldText, HASH_START } from "./checksum.js";
import { below, random } from "./random.js";

/** A row of the CSV and JSON works. */
export interface Row {
  readonly id: number;
  readonly sensor: string;
  readonly timestamp: number;
  /** With two decimals. */
  readonly celsius: number;
  readonly ok: boolean;
}

const START_MS = 1_700_000_000_000;

export function row(index: number): Row {
  return {
    id: index, sensor: `sensor-${below(random(index, 0), 10_000)}`, timestamp: START_MS + index * 7,
    celsius: below(random(index, 1), 10_000) / 100, ok: below(random(index, 2), 10) > 0,
  };
}

export const csvHeader = "id,sensor,timestamp,celsius,ok\n";

export function csvLine({ id, sensor, timestamp, celsius, ok }: Row): string {
  return `${id},${sensor},${timestamp},${celsius},${ok}\n`;
}

export function jsonLine(value: Row): string {
  return `${JSON.stringify(value)}\n`;
}

export function hashRow({ id, sensor, timestamp, celsius, ok }: Row): number {
  return fold(fold(foldLong(foldText(fold(HASH_START, id), sensor), timestamp), Math.round(celsius * 100)), ok ? 1 : 0);
}
