import type { TypeInformation } from "../types/type-information.js";

/** Names a side output and carries its element type. Two tags with equal ids are the same side output. */
export class OutputTag<T> {
  readonly id: string;
  readonly type: TypeInformation<T> | undefined;
  /** Only for the compiler: makes `OutputTag<A>` and `OutputTag<B>` different types. */
  declare readonly element: (value: T) => T;

  constructor(id: string, type?: TypeInformation<T>) {
    this.id = id;
    this.type = type;
  }
}
