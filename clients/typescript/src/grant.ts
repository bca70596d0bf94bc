import { createPublicKey, type JsonWebKey, verify } from "node:crypto";

import { PlacetError } from "./errors.js";

/** What a grant says; `approval` is there if one was used. Times are in seconds. */
export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly digest: string;
  readonly jti: string;
  readonly approval?: string;
  readonly iat: number;
  readonly exp: number;
}

/** What a grant has to be for: the realm, who asked, the digest of what is about to run, and the time (in seconds). */
export interface Expected {
  readonly realm: string;
  readonly caller: string;
  readonly digest: string;
  readonly now?: number;
}

interface Header {
  readonly typ?: unknown;
  readonly alg?: unknown;
  readonly kid?: unknown;
}

type Key = JsonWebKey & { readonly kid?: unknown; readonly placet_use?: unknown };

/** Seconds for which a grant is valid, and by which this clock may be behind the server's: of the contract. */
const LIFETIME_SECONDS = 30;
const BEHIND_SECONDS = 5;
/** Bytes of a grant. It bounds what is parsed before a signature is checked. */
const MAX_BYTES = 8 * 1024;
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const TEXTS = ["iss", "aud", "digest", "jti"] as const;

/**
 * Checks a grant, offline, and returns its claims. `jwks` is that of GetServerInfo; no key comes from the grant.
 *
 * Throws `PlacetError` GRANT_INVALID, whose metadata name the `check` that it failed. That a grant is accepted once is
 * for `SpentGrants`.
 */
export function verifyGrant(
  grant: string,
  jwks: string | { readonly keys: readonly object[] },
  expected: Expected,
): Claims {
  if (grant.length > MAX_BYTES || !FORM.test(grant) || grant.endsWith("\n"))
    throw invalid("form", "is not a compact JWS");
  const [header = "", payload = "", signature = ""] = grant.split(".");
  const { x = "" } = publishedKey(members(header) as Header, typeof jwks === "string" ? JSON.parse(jwks) : jwks);
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const bytes = Buffer.from(signature, "base64url");
  const isWhole = bytes.toString("base64url") === signature; // else another text stands for the same signature
  if (!isWhole || !verify(null, Buffer.from(`${header}.${payload}`), key, bytes)) {
    throw invalid("signature", "is not signed by the server's grant key");
  }
  return forThis(members(payload), expected);
}

/** The grants that a program has accepted: each is for one run. */
export class SpentGrants {
  readonly #ends = new Map<string, number>();

  /** Remembers claims that `verifyGrant` gave. Throws `PlacetError` if they were spent before. */
  spend({ jti, exp }: Claims, now: number = Date.now() / 1000): void {
    for (const [id, end] of this.#ends) if (end <= now) this.#ends.delete(id);
    if (this.#ends.has(jti)) throw invalid("jti", `was used before, for ${jti}; another run takes another requestId`);
    this.#ends.set(jti, exp);
  }
}

/** An error that says why a grant does not allow a run. */
export function invalid(check: string, why: string): PlacetError {
  return new PlacetError("PERMISSION_DENIED", "GRANT_INVALID", `the grant ${why}`, { metadata: { check } });
}

function members(part: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // said below
  }
  throw invalid("form", "is not a compact JWS");
}

/** The one published key that the header names, which is for grants. */
function publishedKey(header: Header, jwks: { readonly keys: readonly Key[] }): Key {
  if (header.typ !== "placet-grant+jwt") throw invalid("typ", "has a `typ` that is not of a grant");
  if (header.alg !== "EdDSA" && header.alg !== "Ed25519") throw invalid("alg", "has an `alg` that is not EdDSA");
  if (Object.keys(header).sort().join() !== "alg,kid,typ") throw invalid("header", "has another header than a grant's");
  const named = jwks.keys.filter((key) => key.kid === header.kid);
  const [key] = named;
  const isForGrants = key?.kty === "OKP" && key.crv === "Ed25519" && key.placet_use === "grant";
  if (named.length !== 1 || !key || !isForGrants) throw invalid("kid", "names no published grant key");
  return key;
}

function forThis(
  claims: Record<string, unknown>,
  { realm, caller, digest, now = Date.now() / 1000 }: Expected,
): Claims {
  const texts: readonly string[] = "approval" in claims ? [...TEXTS, "approval"] : TEXTS;
  const strange = [
    ...texts.filter((name) => typeof claims[name] !== "string" || claims[name] === ""),
    ...["exp", "iat"].filter((name) => !Number.isSafeInteger(claims[name])),
    ...Object.keys(claims).filter((name) => ![...texts, "exp", "iat"].includes(name)),
  ];
  if (strange[0] !== undefined) throw invalid(strange[0], "does not have exactly the claims of a grant");
  const checked = claims as unknown as Claims;
  if (checked.exp - checked.iat !== LIFETIME_SECONDS) throw invalid("exp", `is not for ${LIFETIME_SECONDS} s`);
  if (checked.iss !== realm) throw invalid("iss", "is for another realm");
  if (checked.aud !== caller) throw invalid("aud", "is for another caller");
  if (checked.digest !== digest) throw invalid("digest", "is for another request than the one that is about to run");
  if (!(now < checked.exp)) throw invalid("exp", "is over; or this clock is ahead");
  if (now < checked.iat - BEHIND_SECONDS) throw invalid("iat", "is not valid yet: this clock is behind the server's");
  return checked;
}
