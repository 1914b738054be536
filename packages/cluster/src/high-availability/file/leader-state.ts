import { MillraceError, type StoredValue } from "@millrace/core";
import { StoreTable } from "../store-table.js";
import { stateCorrupt, type FileLayout } from "./file-layout.js";

const FORMAT = 1;

/** Writes a table as the whole state of a leader. */
export async function writeState(layout: FileLayout, token: number, table: StoreTable): Promise<void> {
  await layout.writeText(layout.statePath(token), JSON.stringify({ format: FORMAT, token, entries: table.entries() }));
}

/** Reads the state of one token; `undefined` when it has none. @throws `HA_STATE_CORRUPT`, `HA_STATE_VERSION` */
export async function readState(layout: FileLayout, token: number): Promise<StoreTable | undefined> {
  const path = layout.statePath(token);
  const text = await layout.readText(path);
  if (text === undefined) return undefined;
  let parsed: { readonly format?: unknown; readonly token?: unknown; readonly entries?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (cause) {
    throw stateCorrupt(path, "not JSON", cause);
  }
  if (typeof parsed !== "object" || parsed === null) throw stateCorrupt(path, "not the state of a leader");
  if (parsed.format !== FORMAT) {
    throw new MillraceError({ code: "HA_STATE_VERSION", message: `${path} has format ${String(parsed.format)}; this release reads ${FORMAT}`, hint: "run the release that wrote it, or a newer one", location: { file: path } });
  }
  if (parsed.token !== token || !Array.isArray(parsed.entries)) throw stateCorrupt(path, "not the state of this token");
  return new StoreTable(parsed.entries as [string, StoredValue][]);
}

/**
 * What the newest leader before `below` left, while `newestClaim` is the newest; `undefined` once there is a newer one (which clears away
 * what was before it). Found by walking down: listing a directory may miss a file that is being replaced, opening it by name cannot.
 * @throws `HA_STATE_CORRUPT` also when claims show that there must be a state and there is none.
 */
export async function newestState(layout: FileLayout, newestClaim: number, below: number): Promise<StoreTable | undefined> {
  // Twice: during the first walk the newest leader may have written its state and cleared the older ones.
  let lowest = below;
  for (let walk = 0; walk < 2; walk++) {
    lowest = (await layout.claims())[0] ?? below;
    for (let token = below - 1; token >= lowest; token--) {
      const state = await readState(layout, token);
      if (state !== undefined) return state;
    }
    if ((await layout.highestClaim()) !== newestClaim) return undefined;
  }
  // The first leader ever finds nothing. Claims are deleted only by a leader that has its state written.
  if (lowest <= 1) return new StoreTable();
  throw stateCorrupt(layout.directory, `the state of the leaders before token ${below} is missing`);
}
