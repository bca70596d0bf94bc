import { type BadField, invalidRequest } from "./errors.js";

/** Bad fields that one error names, as many as a server's. */
const MAX_NAMED = 20;
/** Text that begins as a list, an object or a quoted text does. */
const BEGINS_LIKE_JSON = /^\s*(?:[[{"]|'.*'\s*$)/s;
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;
/** With the flag `u`, a pair of surrogates is one character, which this does not match. */
const LONE_SURROGATE = /[\uD800-\uDFFF]/u;

/** How a value is written: with the names of an object sorted, as RFC 8785 has them, or in the order they have. */
export type Order = "canonical" | "as given";

/**
 * A native value as JSON text. The text is in the form of RFC 8785 where its order is `canonical`.
 *
 * Throws `PlacetError` with the path of each value, at most 20, that JSON would change or leave out: `undefined`, NaN,
 * Infinity, whole numbers and bigints beyond 2^53-1, half a surrogate pair, U+0000, functions, symbols, and every
 * object but a list or a plain object of plain members (so Date, Map, Set, byte arrays and instances of classes).
 */
export function jsonText(value: unknown, path: string, order: Order = "canonical"): string {
  const walk = new Walk(order);
  const text = walk.value(value, path);
  if (walk.bad.length > 0) throw invalidRequest(walk.bad.slice(0, MAX_NAMED));
  return text;
}

/** The members of `value` that are text which begins like JSON: a policy would see neither list nor object there. */
export function textLikeJson(value: object, path: string, meant: readonly string[]): BadField[] {
  return Object.entries(value)
    .filter(([name, member]) => typeof member === "string" && BEGINS_LIKE_JSON.test(member) && !meant.includes(name))
    .map(([name]) => ({
      field: joined(path, name),
      description: "is text that begins like JSON; give the list or object itself, or name it in `texts`",
    }));
}

/** A path and a member of it: `context.tags`, or `context["two words"]`. */
export function joined(path: string, name: string): string {
  if (!IDENTIFIER.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path ? `${path}.${name}` : name;
}

class Walk {
  readonly bad: BadField[] = [];
  readonly #above = new Set<object>();

  constructor(private readonly order: Order) {}

  value(value: unknown, path: string): string {
    switch (typeof value) {
      case "boolean":
        return String(value);
      case "string":
        return this.#text(value, path);
      case "number":
        return this.#number(value, path);
      case "bigint":
        return this.#bigint(value, path);
      case "object":
        return value === null ? "null" : this.#object(value, path);
      default:
        return this.#refuse(
          path,
          `is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}, which JSON lacks`,
        );
    }
  }

  #refuse(field: string, description: string): string {
    this.bad.push({ field, description });
    return "null";
  }

  #text(value: string, path: string): string {
    if (LONE_SURROGATE.test(value)) return this.#refuse(path, "holds half of a surrogate pair");
    return value.includes("\0") ? this.#refuse(path, "contains U+0000; remove it") : JSON.stringify(value);
  }

  #number(value: number, path: string): string {
    if (!Number.isFinite(value)) return this.#refuse(path, `is ${value}, which is not a finite number; send a string`);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) return this.#tooLarge(path);
    return JSON.stringify(value);
  }

  #bigint(value: bigint, path: string): string {
    return Number.isSafeInteger(Number(value)) ? String(value) : this.#tooLarge(path);
  }

  #tooLarge(path: string): string {
    return this.#refuse(path, "is a whole number beyond 2^53-1, which JSON readers change silently; send a string");
  }

  #object(value: object, path: string): string {
    if (this.#above.has(value)) return this.#refuse(path, "holds itself");
    if (this.bad.length >= MAX_NAMED) return "null";
    this.#above.add(value);
    const text = Array.isArray(value) ? this.#list(value, path) : this.#members(value, path);
    this.#above.delete(value);
    return text;
  }

  #list(value: readonly unknown[], path: string): string {
    if (Object.getPrototypeOf(value) !== Array.prototype || Reflect.ownKeys(value).length !== value.length + 1) {
      return this.#refuse(path, "is a list with holes, with members of its own, or of a class of its own");
    }
    return `[${value.map((item, index) => this.value(item, `${path}[${index}]`)).join(",")}]`;
  }

  #members(value: object, path: string): string {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      return this.#refuse(path, `is a ${className(value)}, which is not a plain object; say what matters of it`);
    }
    const names = Reflect.ownKeys(value);
    if (this.order === "canonical") names.sort(); // of JavaScript: by UTF-16 code units, as RFC 8785 has it
    return `{${names.map((name) => this.#member(value, name, path)).join(",")}}`;
  }

  #member(of: object, name: string | symbol, path: string): string {
    if (typeof name === "symbol") return this.#refuse(path, `has a member named by a symbol, ${String(name)}`);
    const member = Object.getOwnPropertyDescriptor(of, name);
    const inner = joined(path, name);
    const key = this.#text(name, inner);
    if (!member?.enumerable || !("value" in member)) {
      return this.#refuse(inner, "is hidden or computed; give a plain member");
    }
    return `${key}:${this.value(member.value, inner)}`;
  }
}

function className(value: object): string {
  const made: unknown = (value as { constructor?: unknown }).constructor;
  return typeof made === "function" && made.name ? made.name : "object of a class";
}
