export * from "./roles.js";
export * from "./tokens.js";
export * from "./bind-policy.js";
export * from "./peer-roles.js";
