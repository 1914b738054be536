import type { BundledPackages } from "@millrace/client";

/** `EXTERNAL_PACKAGES.key`; that one comes with the library, which is not loaded for it. */
export const EXTERNAL_PACKAGES_KEY = "pipeline.external-packages";

/** What goes to a cluster with a job: all packages that it uses, but for those that are said to be there already. */
export function packagesToSend(config: Readonly<Record<string, unknown>>): BundledPackages {
  return { except: String(config[EXTERNAL_PACKAGES_KEY] ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "") };
}
