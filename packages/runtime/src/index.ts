export * from "./protocol/deployment.js";
export * from "./protocol/messages.js";
