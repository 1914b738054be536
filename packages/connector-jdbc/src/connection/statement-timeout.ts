const MOST_SHOWN = 200;

/** A statement that took longer than `statementTimeoutMs`: the server ended it, or has not answered at all. */
export class StatementTimeout extends Error {
  constructor(statement: string, limitMs: number, cause?: unknown) {
    const shown = statement.length <= MOST_SHOWN ? statement : `${statement.slice(0, MOST_SHOWN)}…`;
    super(`no answer within ${limitMs} ms to: ${shown}`, { cause });
    this.name = "StatementTimeout";
  }
}

/** The server is given the first word: what it says is better than silence. */
const GRACE_MS = 5000;

/**
 * Waits for the answer to a statement, but not for ever: a peer that is gone without a word, or hangs, does not even refuse.
 * @param limitMs 0 waits for ever
 * @param giveUp drops the connection; what becomes of the answer then does not matter
 * @throws {@link StatementTimeout}, or what the answer fails with
 */
export function answerWithin<R>(limitMs: number, statement: string, answer: Promise<R>, giveUp: () => void): Promise<R> {
  if (limitMs === 0) return answer;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new StatementTimeout(statement, limitMs));
      giveUp();
    }, limitMs + GRACE_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
