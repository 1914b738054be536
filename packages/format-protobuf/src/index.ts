export { ProtobufSchema } from "./protobuf-schema.js";
export type { ProtobufOptions } from "./protobuf-schema.js";
export type { ProtobufSource } from "./protobuf-types.js";
export { ConfluentProtobufSchema } from "./confluent-protobuf-schema.js";
export type { ConfluentProtobufOptions } from "./confluent-protobuf-schema.js";
export type { ProtobufReadingOptions } from "./message-reader.js";
export type { SchemaRegistryOptions, SubjectNameStrategy } from "@millrace/schema-registry";
export type { ConfluentFraming } from "./confluent-framing.js";
