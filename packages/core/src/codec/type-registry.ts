import { MillraceError } from "../errors/millrace-error.js";
import { TimeWindow } from "../window/window.js";

/** How instances of a class travel: as a plain value the codec can carry, and back. */
export interface TypeCodec<T, P = unknown> {
  /** Must give an equal result for an equal value, and must not return an instance of the class itself. */
  encode(value: T): P;
  decode(plain: P): T;
}

export interface RegisteredType {
  readonly name: string;
  readonly prototype: object;
  readonly codec: TypeCodec<unknown>;
}

const byPrototype = new Map<object, RegisteredType>();
const byName = new Map<string, RegisteredType>();

/**
 * Allows instances of a class in records and state, under a stable name that is stored with every value.
 *
 * Call it at the top level of the job's module, so that every slot knows the type. Subclasses are types of their own.
 * Registering the same class under the same name again replaces its codec; a name or a class that is already taken
 * is `TYPE_ALREADY_REGISTERED`.
 */
export function registerType<T, P>(name: string, type: abstract new (...args: any[]) => T, codec: TypeCodec<T, P>): void {
  const prototype = type.prototype as object;
  const other = byName.get(name) ?? byPrototype.get(prototype);
  if (other !== undefined && (other.prototype !== prototype || other.name !== name)) {
    throw new MillraceError({
      code: "TYPE_ALREADY_REGISTERED",
      message:
        other.name === name
          ? `another class is already registered under the type name "${name}"`
          : `class ${type.name} is already registered under the type name "${other.name}"`,
      hint: "give every class one type name of its own",
    });
  }
  const registered: RegisteredType = { name, prototype, codec: codec as TypeCodec<unknown> };
  byPrototype.set(prototype, registered);
  byName.set(name, registered);
}

/** The registration of a value's exact class. */
export function registeredTypeOf(prototype: object): RegisteredType | undefined {
  return byPrototype.get(prototype);
}

export function registeredTypeNamed(name: string): RegisteredType | undefined {
  return byName.get(name);
}

export function registeredTypeNames(): Iterable<string> {
  return byName.keys();
}

registerType<TimeWindow, readonly [number, number]>("TimeWindow", TimeWindow, {
  encode: (window) => [window.startMs, window.endMs],
  decode: ([startMs, endMs]) => new TimeWindow(startMs, endMs),
});
