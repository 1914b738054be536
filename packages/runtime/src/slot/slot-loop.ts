import type { Clock } from "@millrace/core";
import { Deque } from "../exchange/deque.js";
import type { Task } from "../task/task.js";
import { setCurrentTaskLabel } from "./task-label.js";

/** How long the loop keeps the thread before messages and I/O get their turn. */
const PASS_MS = 4;
/** The most rounds in one pass, whatever the clock says: a simulated one may stand still. */
const MOST_ROUNDS = 64;

/** What the loop does besides running tasks. */
export interface LoopHooks {
  /** Takes in what has arrived: commands, buffers, credits. */
  receive(): void;
  /** Sends what was gathered during the turns: credits. */
  flush(): void;
}

/** The slot's mailbox loop: runs the tasks that have work, in turn; does nothing at all while none has. */
export class SlotLoop {
  readonly #clock: Clock;
  readonly #hooks: LoopHooks;
  readonly #runnable = new Deque<Task>();
  /** Tasks that wait for input with records in their buffers. */
  #unflushed: Task[] = [];
  #scheduled = false;
  #running = false;
  /** Something arrived while the loop ran. */
  #poked = false;

  constructor(clock: Clock, hooks: LoopHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** The task has something to do. */
  wake(task: Task): void {
    if (task.scheduled) return;
    task.scheduled = true;
    this.#runnable.push(task);
    this.poke();
  }

  /**
   * The task waits for input and has buffers to flush: once nothing else has work, or at the end of the pass. While other tasks of the slot run, its next
   * input is about to come; what it would send at once are many small buffers.
   */
  flushWhenIdle(task: Task): void {
    if (task.unflushed) return;
    task.unflushed = true;
    this.#unflushed.push(task);
  }

  /** Something arrived: the loop must look. */
  poke(): void {
    this.#poked = true;
    if (this.#scheduled || this.#running) return;
    this.#scheduled = true;
    this.#clock.yieldThen(this.#pass);
  }

  readonly #pass = (): void => {
    this.#scheduled = false;
    this.#running = true;
    try {
      const until = this.#clock.monotonicMs() + PASS_MS;
      let rounds = 0;
      do {
        this.#poked = false;
        this.#hooks.receive();
        this.#round();
        if (this.#runnable.length === 0) this.#flushTasks();
        this.#hooks.flush();
      } while (this.#hasWork && ++rounds < MOST_ROUNDS && this.#clock.monotonicMs() < until);
      this.#flushTasks();
    } finally {
      this.#running = false;
      if (this.#hasWork) this.poke();
    }
  };

  #flushTasks(): void {
    if (this.#unflushed.length === 0) return;
    const tasks = this.#unflushed;
    this.#unflushed = [];
    for (const task of tasks) {
      task.unflushed = false;
      task.flushIdle();
    }
  }

  get #hasWork(): boolean {
    return this.#poked || this.#runnable.length > 0;
  }

  /** One turn for each task that is runnable now. */
  #round(): void {
    for (let left = this.#runnable.length; left > 0; left--) {
      const task = this.#runnable.shift()!;
      task.scheduled = false;
      setCurrentTaskLabel(task.label);
      const { entry } = task;
      let more: boolean;
      try {
        more = entry === undefined ? task.step() : entry(task);
      } finally {
        setCurrentTaskLabel(undefined);
      }
      if (more && !task.scheduled) {
        task.scheduled = true;
        this.#runnable.push(task);
      }
    }
  }
}
