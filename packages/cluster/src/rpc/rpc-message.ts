import { MillraceError, decodeValue, encodeValue, type SerializedError } from "@millrace/core";

/**
 * What a frame holds, in core's exact value codec, so that buffers, maps and `undefined` travel as they are.
 * `token` is the fencing token of the leader that the sender knows.
 */
export type RpcMessage =
  | { readonly kind: "request"; readonly id: number; readonly token: string; readonly method: string; readonly body: unknown }
  | { readonly kind: "reply"; readonly id: number; readonly body: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: SerializedError }
  | { readonly kind: "tell"; readonly token: string; readonly method: string; readonly body: unknown }
  /** A `tell` that had no effect. */
  | { readonly kind: "refused"; readonly method: string; readonly error: SerializedError }
  | { readonly kind: "heartbeat" };

export function encodeMessage(message: RpcMessage): Uint8Array {
  return encodeValue(message);
}

/** @throws `RPC_MESSAGE_MALFORMED` */
export function decodeMessage(frame: Uint8Array): RpcMessage {
  let value: unknown;
  try {
    value = decodeValue(frame);
  } catch (cause) {
    throw malformed("it is not an encoded value", cause);
  }
  if (!isMessage(value)) throw malformed("its fields are not those of a message");
  return value;
}

function isMessage(value: unknown): value is RpcMessage {
  if (typeof value !== "object" || value === null) return false;
  const { kind, id, token, method, error } = value as Record<string, unknown>;
  switch (kind) {
    case "request": return typeof id === "number" && typeof token === "string" && typeof method === "string";
    case "reply": return typeof id === "number";
    case "error": return typeof id === "number" && isError(error);
    case "tell": return typeof token === "string" && typeof method === "string";
    case "refused": return typeof method === "string" && isError(error);
    case "heartbeat": return true;
    default: return false;
  }
}

function isError(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as { message?: unknown }).message === "string";
}

function malformed(why: string, cause?: unknown): MillraceError {
  return new MillraceError({ code: "RPC_MESSAGE_MALFORMED", message: `a frame cannot be understood: ${why}`, ...(cause === undefined ? {} : { cause }) });
}
