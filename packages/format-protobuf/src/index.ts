export { ProtobufSchema } from "./protobuf-schema.js";
export type { ProtobufOptions } from "./protobuf-schema.js";
export type { ProtobufSource } from "./protobuf-types.js";
export type { ConfluentFraming } from "./confluent-framing.js";
