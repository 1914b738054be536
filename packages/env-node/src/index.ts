export * from "./node-env.js";
export * from "./node-clock.js";
export * from "./local-file-system.js";
export * from "./scheme-file-system.js";
export * from "./node-net.js";
export * from "./node-message-port.js";
export type { CredentialSource, PeerCredentials } from "./peer-credentials.js";
export * from "./stderr-log.js";
