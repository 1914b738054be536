/** Stands in for the helper that esbuild and tsx put around functions to keep their names. */
function keepName<T>(value: T): T {
  return value;
}

/**
 * Re-evaluates the source text of `factory` under a text of its own, so that V8 gathers type feedback for this operator alone.
 *
 * V8 shares feedback between functions of identical source text: ten keyed reduces of one class would see ten kinds of records and ten user functions
 * in the same call sites and inline none of them. The copy made here sees one of each.
 *
 * `factory` must be self-contained: its free names are its parameters, JavaScript globals, and nothing else (no imports, no module variables).
 * Where evaluating text is forbidden (`--disallow-code-generation-from-strings`, a content security policy) `factory` itself is returned: slower, equal.
 * @param id becomes part of the text; what shares an id, shares feedback.
 */
export function specialize<F extends (...dependencies: never[]) => unknown>(factory: F, id: string): F {
  // The id only has to make the text different; anything that could end the comment is escaped.
  const label = id.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0)}`);
  try {
    const evaluate = new Function("__name", `"use strict";\n// ${label}\nreturn (${factory.toString()});`);
    return evaluate(keepName) as F;
  } catch (error) {
    if (error instanceof EvalError) return factory;
    throw error;
  }
}
