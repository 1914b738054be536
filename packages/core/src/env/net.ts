/** Who is at the other end of a connection. */
export interface ConnectionPeer {
  /** `host:port`, to be shown. */
  readonly address: string;
  /** With TLS: whom its certificate, signed by the cluster's CA, names. `unit` is the certificate's OU. */
  readonly certificate?: { readonly name: string; readonly unit: string | undefined } | undefined;
}

/** A byte connection with back-pressure. */
export interface Connection {
  /** As far as it is known. */
  readonly peer?: ConnectionPeer | undefined;
  onData: ((bytes: Uint8Array) => void) | undefined;
  /**
   * Set where bytes are wanted in a certain place, so that they need not be copied there: names the array that what arrives next is read into, and is asked again after each read.
   * A connection that can do it then gives `onData` a view that is valid during the call only: on that array, or, when none or an empty one was named, on one of its own.
   */
  readInto?: (() => Uint8Array | undefined) | undefined;
  /** Called once, with the error if there was one. */
  onClose: ((error?: Error) => void) | undefined;
  /**
   * Returns false when the caller should wait for `drained`. What is written in one turn may be gathered, and leave together at {@link flush} or when the turn is over.
   * @param sent called once the bytes may be changed; never called by connections for which they must not be
   */
  write(bytes: Uint8Array, sent?: () => void): boolean;
  /** Sends what was gathered. */
  flush?(): void;
  drained(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Sends what was written, however long the other side takes to read it. */
  close(): void;
  /** Closes at once, without what was not sent yet: the other side may never read it. Also after {@link close}. */
  abort?(): void;
}

/** Outgoing and incoming byte connections. A host of `unix:PATH` is a Unix domain socket; its port has no meaning. */
export interface Net {
  connect(host: string, port: number): Promise<Connection>;
  /** @param refused told of connections that never got as far as `accept`, such as those without the certificate that TLS asks for */
  listen(host: string, port: number, accept: (connection: Connection) => void, refused?: (address: string, why: Error) => void): Promise<{ readonly port: number; close(): Promise<void> }>;
}
