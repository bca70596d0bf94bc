import { randomUUID } from "node:crypto";
import { types } from "node:util";

import type { Client } from "./client.js";
import { permit, report } from "./enforcement.js";
import { invalidRequest, type PlacetError } from "./errors.js";
import type { Approval } from "./gen/pdp/v1/approval_pb.js";
import { jsonText } from "./json-text.js";
import { type Action, type Asked, asked, type Entity, QUESTION, type Question, requireMembers } from "./question.js";

/** A value, or what gives it for the argument of a call. */
export type Told<Argument, Value> = Value | ((argument: Argument) => Value);

/** What a call is asked about. Functions get a copy of the argument; they are called again right before the run. */
export interface GuardOptions<Argument extends object> {
  readonly client: Client;
  readonly action: Told<Argument, Action>;
  readonly resource: Told<Argument, Entity>;
  /** The caller itself, unless given. */
  readonly subject?: Told<Argument, Entity>;
  readonly onBehalfOf?: Told<Argument, readonly Entity[]>;
  readonly properties?: Told<Argument, object>;
  /** The argument, unless given. */
  readonly context?: Told<Argument, object>;
  readonly texts?: readonly string[];
  readonly justification?: Told<Argument, string>;
  /** Names the call, for example by a tool-call id: the same call can go on later, once. */
  readonly requestId?: Told<Argument, string>;
  /** Milliseconds that people have for their reviews. Without it `ApprovalPending` comes at once. */
  readonly waitMs?: number;
  /** Hears of the approval for which a call begins to wait. */
  readonly waiting?: (approval: Approval) => void;
}

const OPTIONS = ["client", ...QUESTION, "justification", "requestId", "waitMs", "waiting"];

/**
 * A function that runs only as Placet allows it, call by call: `guard({client, action, resource}, f)`.
 *
 * 1. It takes one plain object, which is the context of the question unless `context` says what matters instead. What
 *    JSON cannot carry is refused with its path.
 * 2. It asks, waits for people, asks again with their approval, and checks that what is about to run is what was asked
 *    about and that the grant is for exactly that. Then `f` runs, once, with the argument decoded anew from the JSON
 *    that was asked about: a bigint comes as a number, and what anybody changes in the object meanwhile does not count.
 * 3. How it ended is reported where an approval was used. A promise is awaited first; an iterator or a stream, which
 *    would run after its call, is closed and refused.
 *
 * Throws `Denied`, `ApprovalPending` or another `PlacetError` before `f` begins.
 */
export function guard<Argument extends object, Result>(
  options: GuardOptions<Argument>,
  f: (argument: Argument) => Result | Promise<Result>,
): (argument: Argument) => Promise<Result> {
  requireMembers(options, "", OPTIONS);
  if (types.isGeneratorFunction(f))
    throw refused("function", "is a generator, which runs after its call; guard what uses it");
  return async (argument) => {
    const call = new Call(options, argument);
    const permitted = await permit(options.client, (caller) => call.question(caller), call.enforcing);
    let outcome: { readonly error: unknown } | undefined;
    try {
      return await ended(await f(call.argument()));
    } catch (error) {
      outcome = { error };
      throw error;
    } finally {
      await report(options.client, permitted, outcome);
    }
  };
}

/** One call: its argument as JSON, from which everything else is made. */
class Call<Argument extends object> {
  readonly enforcing;
  readonly #text: string;

  constructor(
    private readonly options: GuardOptions<Argument>,
    argument: Argument,
  ) {
    const path = "context" in options ? "argument" : "context";
    const isObject = typeof argument === "object" && argument !== null && !Array.isArray(argument);
    if (!isObject) throw refused(path, "is not a plain object; a guarded function takes one");
    this.#text = jsonText(argument, path);
    const { waitMs = 0, waiting } = options;
    if (!(waitMs >= 0)) throw refused("waitMs", "is not a number of milliseconds");
    const asking = {
      requestId: this.#told(options.requestId) || randomUUID(),
      justification: this.#told(options.justification) ?? "",
    };
    this.enforcing = { asking, waitMs, waiting };
  }

  /** The argument as it was at the call, made anew each time. */
  argument(): Argument {
    return JSON.parse(this.#text) as Argument;
  }

  /** The question about what would run now. */
  question(caller: string): Asked {
    const given = QUESTION.filter((name) => name in this.options);
    const told = Object.fromEntries(given.map((name) => [name, this.#told(this.options[name])])) as Partial<Question>;
    return asked({ subject: caller, context: this.argument(), ...told } as Question);
  }

  #told<Value>(value: Told<Argument, Value>): Value {
    return typeof value === "function" ? (value as (argument: Argument) => Value)(this.argument()) : value;
  }
}

/** The result of a run that has ended. */
async function ended<Result>(result: Result): Promise<Result> {
  const later = result as Partial<Later> | null | undefined;
  if (typeof later !== "object" || later === null) return result;
  const isLater =
    Symbol.asyncIterator in later || typeof later.next === "function" || typeof later.getReader === "function";
  if (!isLater) return result;
  try {
    await (later.destroy ?? later.cancel ?? later.return)?.call(later);
  } catch {
    // it has its error already
  }
  throw refused("result", "is an iterator or a stream, which runs after its call; guard what uses it");
}

function refused(field: string, description: string): PlacetError {
  return invalidRequest([{ field, description }]);
}

interface Later {
  next: unknown;
  getReader: unknown;
  destroy(): unknown;
  cancel(): unknown;
  return(): unknown;
}
