import type { LibraryEntries } from "@millrace/client";

/** Where the installed library is; `undefined` when it is not beside this package. */
export async function libraryEntries(): Promise<LibraryEntries | undefined> {
  const [{ slotEntryUrl }, { bundlerUrl, programEntryUrl }] = await Promise.all([import("@millrace/cluster/embedded"), import("@millrace/client")]);
  try {
    return { millrace: import.meta.resolve("millrace"), slot: slotEntryUrl, program: programEntryUrl, bundler: bundlerUrl, command: new URL("./command-line.js", import.meta.url).href };
  } catch {
    return undefined;
  }
}
