import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MillraceError } from "@millrace/core";

/** What is known of an installed package by its manifest. */
export interface InstalledPackage {
  readonly name: string;
  readonly directory: string;
  /** Its `.js` files are modules. */
  readonly isModule: boolean;
  /** It has code for one kind of machine, which cannot travel. */
  readonly isNative: boolean;
  /** It uses Millrace, and so brings the packages of the library with it. */
  readonly usesLibrary: boolean;
  /** What it can do without. */
  readonly optional: ReadonlySet<string>;
}

/** Packages that packages with native code load or build it with. */
const nativeHelpers = new Set(["bindings", "node-gyp-build", "node-gyp-build-optional-packages", "prebuild-install", "node-pre-gyp", "@mapbox/node-pre-gyp", "node-addon-api", "nan", "cmake-js"]);

type Names = Readonly<Record<string, unknown>> | undefined;

/** The package that a file belongs to, by the nearest manifest with a name. */
export async function packageOf(file: string): Promise<InstalledPackage | undefined> {
  for (let directory = dirname(file); dirname(directory) !== directory; directory = dirname(directory)) {
    try {
      const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as Readonly<Record<string, Names>>;
      if (manifest["name"] !== undefined) return describe(directory, manifest);
    } catch {
      // Not the package's root.
    }
  }
  return undefined;
}

function describe(directory: string, manifest: Readonly<Record<string, Names>>): InstalledPackage {
  const dependencies = Object.keys({ ...manifest["dependencies"], ...manifest["peerDependencies"] });
  return {
    directory, name: String(manifest["name"]), isModule: String(manifest["type"]) === "module",
    isNative: ["gypfile", "binary", "napi"].some((key) => manifest[key] !== undefined) || existsSync(join(directory, "binding.gyp")) || dependencies.some((name) => nativeHelpers.has(name)),
    usesLibrary: dependencies.some((name) => name === "millrace" || name.startsWith("@millrace/")),
    optional: new Set(Object.keys({ ...manifest["optionalDependencies"], ...manifest["peerDependenciesMeta"] })),
  };
}

/** @throws `JOB_PACKAGE_NATIVE` */
export function refuseNative({ name, isNative, directory }: InstalledPackage): undefined {
  if (!isNative) return undefined;
  throw new MillraceError({
    code: "JOB_PACKAGE_NATIVE", message: `the job uses the package "${name}", which has native code and cannot be sent to a cluster`,
    hint: `install it in "${directory}" on every TaskManager's machine and leave it out with -D pipeline.external-packages=${name}`,
  });
}
