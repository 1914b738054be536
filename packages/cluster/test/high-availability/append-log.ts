import assert from "node:assert/strict";
import { isMillraceError, type Coordination, type Election } from "@millrace/core";

interface Append {
  readonly id: string;
  readonly token: number;
  readonly begun: number;
  ended: number | undefined;
}

/**
 * A workload for coordinations, and its judge: whoever leads appends entries to one list in the store.
 *
 * Judged: a token is granted once, and each process sees growing ones; the list holds every append that was confirmed, each once, in an order
 * that agrees with real time, and tokens in it never go back. The last is fencing: no write of an old leader after the first of a newer one.
 */
export class AppendLog {
  readonly grants: { readonly contender: string; readonly token: number }[] = [];
  readonly appends: Append[] = [];
  #event = 0;
  #nextId = 0;
  #onConfirmed: () => void = () => undefined;

  /** Confirmed appends. */
  get confirmed(): number {
    return this.appends.filter((append) => append.ended !== undefined).length;
  }

  /** Waits for that many more confirmed appends. */
  async more(count: number): Promise<void> {
    const wanted = this.confirmed + count;
    while (this.confirmed < wanted) await new Promise<void>((resolve) => (this.#onConfirmed = resolve));
  }

  /** Stands for election, and appends for as long as it leads. `pause` is called between two appends. */
  contend(coordination: Coordination, contender: string, pause: () => Promise<void>): Election {
    let leading: number | undefined;
    return coordination.elect(contender, {
      granted: (token) => {
        assert.equal(leading, undefined, `${contender} was granted ${token} while it led under ${leading}`);
        this.grants.push({ contender, token });
        leading = token;
        void this.#lead(coordination, token, () => leading === token, pause);
      },
      revoked: () => {
        assert.notEqual(leading, undefined, `${contender} was revoked and did not lead`);
        leading = undefined;
      },
      failed: (error) => {
        throw error;
      },
    });
  }

  async #lead(coordination: Coordination, token: number, leads: () => boolean, pause: () => Promise<void>): Promise<void> {
    while (leads()) {
      const append: Append = { id: `e${this.#nextId++}`, token, begun: this.#event++, ended: undefined };
      this.appends.push(append);
      try {
        const stored = await coordination.store.get("log");
        const list = stored === undefined ? [] : (JSON.parse(stored.value) as string[]);
        list.push(`${append.id}@${token}`);
        await coordination.store.commit(token, [{ type: "put", key: "log", value: JSON.stringify(list), expect: stored?.version ?? "absent" }]);
        append.ended = this.#event++;
        this.#onConfirmed();
      } catch (error) {
        assert.ok(isMillraceError(error) && ["LEADERSHIP_LOST", "HA_CONFLICT", "HA_UNAVAILABLE"].includes(error.code), String((error as Error).stack));
        // One that closed its election is not told that it no longer leads.
        if (error.code === "LEADERSHIP_LOST") return;
      }
      await pause();
    }
  }

  /** Compares the list as it stands with what was done. */
  judge(stored: string | undefined): void {
    const tokens = this.grants.map((grant) => grant.token);
    assert.equal(new Set(tokens).size, tokens.length, `a token was granted twice: ${tokens.join(", ")}`);
    for (const contender of new Set(this.grants.map((grant) => grant.contender))) {
      const own = this.grants.filter((grant) => grant.contender === contender).map((grant) => grant.token);
      assert.deepEqual(own, [...own].sort((a, b) => a - b), `tokens of ${contender} go back`);
    }
    const list = (JSON.parse(stored ?? "[]") as string[]).map((entry) => entry.split("@") as [string, string]);
    const position = new Map(list.map(([id], index) => [id, index]));
    assert.equal(position.size, list.length, "an append is there twice");
    for (let i = 1; i < list.length; i++) assert.ok(Number(list[i - 1]![1]) <= Number(list[i]![1]), `an old leader wrote after a newer one: ${JSON.stringify(list.slice(i - 1, i + 1))}`);
    const confirmed = this.appends.filter((append) => append.ended !== undefined).sort((a, b) => a.ended! - b.ended!);
    for (const append of confirmed) assert.ok(position.has(append.id), `${append.id}, confirmed under token ${append.token}, is lost`);
    let furthest = -1;
    let next = 0;
    // In order of their beginnings, each must lie behind everything that had ended by then.
    for (const append of [...confirmed].sort((a, b) => a.begun - b.begun)) {
      while (next < confirmed.length && confirmed[next]!.ended! < append.begun) furthest = Math.max(furthest, position.get(confirmed[next++]!.id)!);
      assert.ok(position.get(append.id)! > furthest, `${append.id} lies before an append that ended earlier`);
    }
  }
}
