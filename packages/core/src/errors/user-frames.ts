/** Frames that are nobody's business but ours: Node's, generated code, and the library's, installed or bundled. */
const ENGINE = /\bnode:|millrace-chain-|millrace-task:|[\\/]node_modules[\\/]|<anonymous>\)?$|^at native/;
/** The folder of the library's packages, when it runs from its repository. */
const REPOSITORY: string | undefined = /^(?:file:\/\/)?(.*\/packages\/)core\/(?:dist|src)\//.exec((import.meta as { readonly url?: string }).url ?? "")?.[1];

/** The lines of a stack that say where it came through code of the user, innermost first, as V8 writes them: `at parse (/home/me/job.ts:3:9)`. */
export function userFrames(stack: string | undefined): string[] {
  return stackFrames(stack).filter((frame) => !isEngine(frame));
}

function isEngine(frame: string): boolean {
  const at = REPOSITORY === undefined ? -1 : frame.indexOf(REPOSITORY);
  return ENGINE.test(frame) || (at >= 0 && /^[\w-]+\/(dist|src)\//.test(frame.slice(at + REPOSITORY!.length)));
}

/** All lines of a stack that are frames. */
export function stackFrames(stack: string | undefined): string[] {
  return (stack ?? "").split("\n").map((line) => line.trim()).filter((line) => line.startsWith("at "));
}

/** `file:line:column` of the innermost frame in the user's code. Looks through the causes too, and prefers the deepest: that is where it began. */
export function userPlace(error: { readonly stack?: string | undefined; readonly cause?: unknown }): string | undefined {
  const { cause } = error;
  const deeper = typeof cause === "object" && cause !== null ? userPlace(cause) : undefined;
  return deeper ?? placeOf(userFrames(error.stack)[0]);
}

/** `file:line:column` of a frame. */
export function placeOf(frame: string | undefined): string | undefined {
  const [, inParentheses, bare] = /^at (?:.*? \((.*:\d+:\d+)\)|(?:async )?(.*:\d+:\d+))$/.exec(frame ?? "") ?? [];
  return (inParentheses ?? bare)?.replace(/^file:\/\//, "");
}
