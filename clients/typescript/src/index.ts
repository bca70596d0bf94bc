export { Client, type ClientOptions } from "./client.js";
export { Decision, Denied } from "./decision.js";
export { type BadField, PlacetError } from "./errors.js";
export { ApprovalPending, guard, type GuardOptions, type Told } from "./guard.js";
export { type Claims, type Expected, SpentGrants, verifyGrant } from "./grant.js";
export { mask, type Masked, type Scope } from "./mask.js";
export type { Asking } from "./message.js";
export { type Action, type Asked, asked, canonical, digest, type Entity, type Question } from "./question.js";
export type { WaitOptions } from "./waiting.js";
