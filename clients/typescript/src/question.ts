import { createHash } from "node:crypto";

import { type BadField, invalidRequest } from "./errors.js";
import type { Subject } from "./gen/pdp/v1/request_pb.js";
import { joined, jsonText, textLikeJson } from "./json-text.js";

/** A subject or a resource: `<type>:<id>`, or an object where it has attributes. */
export type Entity = string | { readonly type: string; readonly id: string; readonly properties?: object };

/** An operation: its name, or an object where it has attributes. */
export type Action = string | { readonly name: string; readonly properties?: object };

/** May `subject` do `action` to `resource`? */
export interface Question {
  readonly subject: Entity;
  readonly action: Action;
  readonly resource: Entity;
  /** Those that the subject acts for, outermost last. */
  readonly onBehalfOf?: readonly Entity[];
  /** Attributes of a resource that is given as `<type>:<id>`. */
  readonly properties?: object;
  /** Everything else that the decision may depend on. */
  readonly context?: object;
  /** Members of `properties` and `context` that are text even where they begin like JSON, such as `[draft] plan`. */
  readonly texts?: readonly string[];
}

/** The names of a `Question`: any other member of one was meant to say something, so it is refused. */
export const QUESTION = ["subject", "action", "resource", "onBehalfOf", "properties", "context", "texts"] as const;

/** A subject or resource, with its properties as canonical JSON. */
export interface Part {
  readonly type: string;
  readonly id: string;
  readonly properties: string;
}

/** A question, checked, with its free attributes as canonical JSON. */
export interface Asked {
  readonly subject: Part;
  readonly onBehalfOf: readonly Part[];
  readonly action: { readonly name: string; readonly properties: string };
  readonly resource: Part;
  readonly context: string;
}

/** A question as it is sent. Throws `PlacetError` with the paths of what cannot be. */
export function asked(question: Question): Asked {
  requireMembers(question, "", QUESTION);
  const { resource, properties, context = {}, onBehalfOf = [], texts = [] } = question;
  if (!Array.isArray(onBehalfOf)) throw bad("onBehalfOf", "takes a list of <type>:<id>");
  if (properties !== undefined && typeof resource !== "string") throw bad("properties", "are given in the resource");
  const whole: Asked = {
    subject: part(question.subject, "subject"),
    onBehalfOf: Array.from(onBehalfOf, (principal: Entity, index) => part(principal, `onBehalfOf[${index}]`)),
    action: operation(question.action),
    resource: part(resource, "resource", properties),
    context: free(context, "context"),
  };
  const given = { "resource.properties": properties ?? {}, context };
  const like = Object.entries(given).flatMap(([path, members]) => textLikeJson(members, path, texts));
  if (like.length > 0) throw invalidRequest(like);
  return whole;
}

/** What a template makes of a value that is missing: `record:${undefined}` is about another record than was meant. */
const MISSING = /(?:^|:)(?:undefined|null|NaN|\[object Object\])$/;

/** The canonical form (RFC 8785) of what was asked: its members' names are in order here. */
export function canonical({ subject, onBehalfOf, action, resource, context }: Asked): string {
  return (
    `{"action":{"name":${JSON.stringify(action.name)},"properties":${action.properties}},"context":${context},` +
    `"on_behalf_of":[${onBehalfOf.map(written).join(",")}],` +
    `"resource":${written(resource)},"subject":${written(subject)}}`
  );
}

/** The request digest of canonical text in a realm. */
export function digest(text: string, realm: string): string {
  return createHash("sha256").update(`placet/v1\n${realm}\n${text}`).digest("base64url");
}

/** What was asked, decided for the chain that the server answered with. It has to begin with the one that was sent. */
export function forChain(question: Asked, chain: readonly Subject[]): Asked {
  const answered = chain.map(({ type, id, properties }) =>
    part({ type, id, properties: properties ?? {} }, "onBehalfOf"),
  );
  return { ...question, onBehalfOf: [...question.onBehalfOf, ...answered.slice(question.onBehalfOf.length)] };
}

/**
 * Refuses what is not a plain object, members that nobody reads, and those that are hidden, computed or undefined: each
 * of them was meant to say something, which would be lost.
 */
export function requireMembers(value: unknown, path: string, known: readonly string[]): asserts value is object {
  if (typeof value !== "object" || value === null) throw bad(path, "is not a plain object");
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) throw bad(path, "is not a plain object");
  const refused = Reflect.ownKeys(value).flatMap((name) => {
    const member = Object.getOwnPropertyDescriptor(value, name);
    const field = joined(path, String(name));
    if (typeof name === "symbol" || !known.includes(name)) {
      return [{ field, description: `is none of ${known.join(", ")}` }];
    }
    if (!member?.enumerable || !("value" in member)) return [{ field, description: "is hidden or computed" }];
    return member.value === undefined ? [{ field, description: "is undefined; leave it out" }] : [];
  });
  if (refused.length > 0) throw invalidRequest(refused);
}

function part(entity: Entity, path: string, properties: object = {}): Part {
  if (typeof entity !== "string") {
    if (typeof entity !== "object" || entity === null) throw bad(path, "is not <type>:<id>");
    requireMembers(entity, path, ["type", "id", "properties"]);
    return {
      type: text(entity.type, `${path}.type`),
      id: text(entity.id, `${path}.id`),
      properties: free(entity.properties ?? {}, `${path}.properties`),
    };
  }
  const colon = entity.indexOf(":");
  if (colon < 0) throw bad(path, `is ${JSON.stringify(entity)}, which is not <type>:<id>`);
  const [type, id] = [entity.slice(0, colon), entity.slice(colon + 1)];
  if (MISSING.test(id)) {
    throw bad(
      path,
      `is ${JSON.stringify(entity)}, as a template makes it of no value; if it is meant, give {type, id}`,
    );
  }
  return part({ type, id, properties }, path);
}

function operation(action: Action): Asked["action"] {
  if (typeof action !== "object" || action === null) return operation({ name: action });
  requireMembers(action, "action", ["name", "properties"]);
  return { name: text(action.name, "action.name"), properties: free(action.properties ?? {}, "action.properties") };
}

function free(members: object, path: string): string {
  if (typeof members !== "object" || members === null || Array.isArray(members))
    throw bad(path, "is not a plain object");
  return jsonText(members, path);
}

function text(value: unknown, path: string): string {
  if (typeof value !== "string") throw bad(path, "is not text");
  jsonText(value, path);
  return value;
}

function written({ type, id, properties }: Part): string {
  return `{"id":${JSON.stringify(id)},"properties":${properties},"type":${JSON.stringify(type)}}`;
}

function bad(field: string, description: string): Error {
  return invalidRequest([{ field, description } satisfies BadField]);
}
