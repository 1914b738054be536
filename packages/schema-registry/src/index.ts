export { SchemaRegistryClient } from "./schema-registry-client.js";
export type { RegisteredSchema, SchemaReference, SchemaToRegister } from "./schema-registry-client.js";
export type { SchemaRegistryOptions } from "./schema-registry-options.js";
export { subjectName } from "./subject-name.js";
export type { SubjectNameStrategy } from "./subject-name.js";
export { ReadersBySchema } from "./readers-by-schema.js";
export { SCHEMA_ID_BYTES, noSchemaId, schemaIdHeader, schemaIdOf } from "./schema-id.js";
