export type { KafkaConnectionOptions, SaslOptions, TlsFiles } from "./client/kafka-options.js";
export type { RecordHeader } from "./records/record-batch-builder.js";
export type { CompressionType } from "./records/compression.js";
export { MALFORMED_KAFKA_RECORDS, type KafkaRecord, type MalformedKafkaRecord } from "./source/kafka-record.js";
export { KafkaSource } from "./source/kafka-source.js";
export type { KafkaSourceOptions } from "./source/kafka-source-options.js";
export type { KafkaSplit, TopicPartition } from "./source/kafka-split.js";
export { OffsetsInitializer, type OffsetReset } from "./source/offsets-initializer.js";
