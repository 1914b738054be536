export { CanalJson, ChangelogJsonSchema, DebeziumJson, MaxwellJson, OggJson } from "./changelog-json-schema.js";
export type { ChangelogOptions, ChangeWith, FilteredChangelogOptions } from "./changelog-json-schema.js";
export type { CanalMetadata } from "./dialect/canal.js";
export type { DebeziumMetadata } from "./dialect/debezium.js";
export type { Dialect, Change, JsonRow } from "./dialect/dialect.js";
export type { MaxwellMetadata } from "./dialect/maxwell.js";
export type { OggMetadata } from "./dialect/ogg.js";
