export * from "./protocol/deployment.js";
export * from "./protocol/messages.js";
export { SlotExecutor, type SlotExecutorOptions } from "./slot/slot-executor.js";
export { currentTaskLabel } from "./slot/task-label.js";
export { createSimpleOperator } from "./chain/create-simple-operator.js";
export * from "./operators/index.js";
export { MetricRegistry } from "./metrics/metric-registry.js";
export { TaskRuntimeContext, type RuntimeContextInfo } from "./context/runtime-context.js";
export { SlotSockets, type SlotAddress, type SlotIdentity, type SocketPeer } from "./exchange/slot-sockets.js";
