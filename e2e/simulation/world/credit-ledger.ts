import { BUFFER_DEBLOAT_ENABLED, CHANNEL_CREDITS, MIN_SEGMENT_SIZE, type Configuration, type MessagePortLike } from "@millrace/core";

/** Adds up credits, buffers and their announced sizes on the wire, and complains when a channel carries more than its receiver allowed, or is told what it should not. */
export class CreditLedger {
  readonly #violate: (what: string) => void;
  /** Buffers that crossed a wire between slots. */
  buffers = 0;
  /** Times a sender was told that its buffers should be smaller, or larger again. */
  bufferSizes = 0;

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  /** A receiver tells the size that a channel's buffers should have. */
  announced(who: string, channel: number, bytes: number, config: Configuration): void {
    this.bufferSizes++;
    if (!config.get(BUFFER_DEBLOAT_ENABLED)) this.#violate(`${who}: channel ${channel} was told a buffer size although buffers are not debloated`);
    if (!Number.isInteger(bytes) || bytes < config.get(MIN_SEGMENT_SIZE)) this.#violate(`${who}: channel ${channel} was told a buffer size of ${bytes}`);
  }

  overpaid(who: string, channel: number, credits: number): void {
    this.#violate(`${who}: channel ${channel} was given more credits than its receiver has room for (${credits})`);
  }

  overdrawn(who: string, channel: number, credits: number): void {
    this.#violate(`${who}: channel ${channel} was sent a buffer without a credit (${credits} left)`);
  }
}

interface WireMessage {
  readonly kind: string;
  readonly channel?: number;
  readonly credits?: readonly number[];
  readonly sizes?: readonly number[];
  readonly backlog?: number;
}

/** What the runtime lends to a channel whose buffers wait, at most: as many credits as it says that buffers wait. */
const MOST_LENT = 8;

/** The same port; every buffer it sends must be covered by a credit that came in before, beyond those that every channel has at first, and none may come for nothing. */
export function watchCredits(port: MessagePortLike, ledger: CreditLedger, who: string, config: Configuration): MessagePortLike {
  const initial = config.get(CHANNEL_CREDITS);
  const left = new Map<number, number>();
  const waited = new Map<number, number>();
  const creditsOf = (channel: number): number => left.get(channel) ?? initial;
  return {
    get onWake() {
      return port.onWake;
    },
    set onWake(wake) {
      port.onWake = wake;
    },
    post: (message, transfer) => {
      const { kind, channel, backlog = 0, sizes = [] } = message as WireMessage;
      if (kind === "buffer") {
        waited.set(channel!, (waited.get(channel!) ?? 0) + backlog);
        const credits = creditsOf(channel!) - 1;
        left.set(channel!, credits);
        ledger.buffers++;
        if (credits < 0) ledger.overdrawn(who, channel!, credits);
      }
      for (let i = 0; i < sizes.length; i += 2) ledger.announced(who, sizes[i]!, sizes[i + 1]!, config);
      port.post(message, transfer);
    },
    receive: () => {
      const message = port.receive();
      const credits = (message as WireMessage | undefined)?.kind === "credits" ? (message as WireMessage).credits! : [];
      for (let i = 0; i < credits.length; i += 2) {
        const channel = credits[i]!;
        const sum = creditsOf(channel) + credits[i + 1]!;
        left.set(channel, sum);
        if (sum > initial + Math.min(MOST_LENT, waited.get(channel) ?? 0)) ledger.overpaid(who, channel, sum);
      }
      return message;
    },
    close: () => port.close(),
  };
}
