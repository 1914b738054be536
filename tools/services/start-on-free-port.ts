/** What is started on ports that were free a moment ago. */
export interface Startable {
  start(): Promise<void>;
  /** Kills it and deletes its data. */
  remove(): Promise<void>;
}

/** Between the choice of a port and its use somebody else may take it: prepares and starts anew then, three times at the most. @throws what the last start threw */
export async function startOnFreePort<S extends Startable>(prepare: () => Promise<S>): Promise<S> {
  for (let attempt = 1; ; attempt++) {
    const server = await prepare();
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.remove();
      if (attempt === 3) throw error;
    }
  }
}
