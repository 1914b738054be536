import assert from "node:assert/strict";
import { isMillraceError, type MillraceError } from "@millrace/core";

/** That work fails with this code, somewhere in the chain of causes. @returns the error that has it */
export async function expectFailure(work: Promise<unknown>, code: string): Promise<MillraceError> {
  const thrown = await work.then(() => assert.fail("it did not fail"), (error: Error) => error);
  const errors: Error[] = [];
  for (let cause: Error | undefined = thrown; cause !== undefined; cause = cause.cause as Error | undefined) errors.push(cause);
  const found = errors.filter(isMillraceError).find((error) => error.code === code);
  assert.ok(found !== undefined, errors.map(String).join("\n"));
  return found;
}
