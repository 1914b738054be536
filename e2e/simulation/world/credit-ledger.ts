import { CHANNEL_CREDITS, type Configuration, type MessagePortLike } from "@millrace/core";

/** Adds up credits and buffers on the wire, and complains when a channel carries more than its receiver allowed. */
export class CreditLedger {
  readonly #violate: (what: string) => void;
  /** Buffers that crossed a wire between slots. */
  buffers = 0;

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
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
      const { kind, channel, backlog = 0 } = message as WireMessage;
      if (kind === "buffer") {
        waited.set(channel!, (waited.get(channel!) ?? 0) + backlog);
        const credits = creditsOf(channel!) - 1;
        left.set(channel!, credits);
        ledger.buffers++;
        if (credits < 0) ledger.overdrawn(who, channel!, credits);
      }
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
