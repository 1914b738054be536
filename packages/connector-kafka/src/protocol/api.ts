import type { WireReader } from "./wire-reader.js";
import type { WireWriter } from "./wire-writer.js";

/** One call of the Kafka protocol, in the versions this client speaks. https://kafka.apache.org/protocol */
export interface Api<Q, R> {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Headers with tagged fields; all but the first handshake. */
  readonly flexible: boolean;
  encode(writer: WireWriter, request: Q, version: number): void;
  decode(reader: WireReader, version: number): R;
}
