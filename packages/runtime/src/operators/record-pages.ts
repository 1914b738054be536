const PAGE_SHIFT = 12;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
const NO_RECORDS: unknown[] = [];

/** Records by position, `undefined` where there is none: grows by pages, so that growth copies nothing, and pages without records cost nothing. */
export class RecordPages {
  private readonly pages: unknown[][];
  /** Whether there ever was a record. */
  used: boolean;

  constructor() {
    this.pages = [];
    this.used = false;
  }

  get(position: number): unknown {
    const page = position >>> PAGE_SHIFT;
    return page < this.pages.length ? this.pages[page]![position & PAGE_MASK] : undefined;
  }

  set(position: number, record: unknown): void {
    const page = position >>> PAGE_SHIFT;
    if (record === undefined && (page >= this.pages.length || this.pages[page] === NO_RECORDS)) return;
    this.used = true;
    while (page >= this.pages.length) this.pages.push(NO_RECORDS);
    if (this.pages[page] === NO_RECORDS) this.pages[page] = new Array<unknown>(PAGE_MASK + 1).fill(undefined);
    this.pages[page]![position & PAGE_MASK] = record;
  }
}
