/** Under which the leader makes its RPC address known. */
export const RPC_COMPONENT = "dispatcher";
/** Under which it makes the address of its REST server known. */
export const REST_COMPONENT = "rest";
