import { TcpProxy, type Direction, type ProxyAddresses } from "../../services/proxy/tcp-proxy.js";

/** The connections to one party, which go through proxies: what becomes of them is decided here. */
export class Link {
  readonly name: string;
  readonly #proxies: readonly TcpProxy[];
  /** A fault has it now; others leave it alone. */
  isStruck = false;

  private constructor(name: string, proxies: readonly TcpProxy[]) {
    this.name = name;
    this.#proxies = proxies;
  }

  static async open(name: string, addresses: readonly ProxyAddresses[]): Promise<Link> {
    const proxies: TcpProxy[] = [];
    try {
      for (const each of addresses) proxies.push(await TcpProxy.listen(each));
    } catch (error) {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      throw error;
    }
    return new Link(name, proxies);
  }

  hold(direction: Direction): void {
    for (const proxy of this.#proxies) proxy.hold(direction);
  }

  delay(delayMs: number): void {
    for (const proxy of this.#proxies) proxy.delay(delayMs);
  }

  clear(): void {
    for (const proxy of this.#proxies) proxy.clear();
  }

  /** Tears its connections, some in the middle of a frame; returns how many. */
  tear(random: () => number): number {
    return this.#proxies.reduce((sum, proxy) => sum + proxy.tear(random), 0);
  }

  reset(): void {
    for (const proxy of this.#proxies) proxy.reset();
  }

  get connections(): number {
    return this.#proxies.reduce((sum, proxy) => sum + proxy.connections, 0);
  }

  get bytes(): number {
    return this.#proxies.reduce((sum, proxy) => sum + proxy.bytes, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}
