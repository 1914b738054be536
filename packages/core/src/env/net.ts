/** A byte connection with back-pressure. */
export interface Connection {
  onData: ((bytes: Uint8Array) => void) | undefined;
  /** Called once, with the error if there was one. */
  onClose: ((error?: Error) => void) | undefined;
  /** Returns false when the caller should wait for `drained`. */
  write(bytes: Uint8Array): boolean;
  drained(): Promise<void>;
  pause(): void;
  resume(): void;
  close(): void;
}

/** Outgoing and incoming byte connections. */
export interface Net {
  connect(host: string, port: number): Promise<Connection>;
  listen(host: string, port: number, accept: (connection: Connection) => void): Promise<{ readonly port: number; close(): Promise<void> }>;
}
