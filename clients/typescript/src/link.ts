import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { BlockList, connect, isIP } from "node:net";

import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import { PlacetError } from "./errors.js";

/** How a server is reached, and as whom. What is left out comes from the environment. */
export interface LinkOptions {
  /** `host:port`, or `unix:/path`; PDP_ADDRESS. Without `ca` it is on this machine. */
  readonly address?: string | undefined;
  /** The token, or what returns the token of now: it is called for each call. PDP_TOKEN. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** A file that holds the token and that something renews: it is read for each call. PDP_TOKEN_FILE. */
  readonly tokenFile?: string | undefined;
  /** The PEM file of the server's authority, for TLS; PDP_CA. */
  readonly ca?: string | undefined;
  /** The client's own PEM files, for a server that asks for them; PDP_CERTIFICATE, PDP_KEY. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Milliseconds between two pings, which notice a dead connection. A server takes one each 10 s. */
  readonly keepaliveMs?: number | undefined;
}

/** What returns the token of now. */
export type Token = () => Promise<string>;

/** A connection that opens at its first call, and again where it broke. */
export interface Link {
  readonly address: string;
  readonly transport: Transport;
  readonly token: Token;
  /** Whether a next call takes the connection that is there. */
  readonly isConnected: boolean;
  close(): void;
}

const KEEPALIVE_MS = 30_000;
const CONNECTED = ["open", "idle", "verifying"];
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Opens nothing yet. `noticed` hears each error of a call. Throws `PlacetError` where the options cannot be used. */
export function linked(options: LinkOptions, noticed: (error: unknown) => void): Link {
  const { keepaliveMs = KEEPALIVE_MS } = options;
  const address = options.address || process.env.PDP_ADDRESS || "127.0.0.1:4770";
  const secure = certificates(options);
  if (!secure && !isLocal(address)) {
    throw unusable(`${address} is not on this machine, and a token must not travel in plaintext: give ca, for TLS`);
  }
  const path = address.startsWith("unix:") ? address.slice("unix:".length) : undefined;
  const baseUrl = `${secure ? "https" : "http"}://${path === undefined ? address : "localhost"}`;
  const pings = {
    pingIntervalMs: keepaliveMs,
    pingTimeoutMs: Math.min(20_000, (keepaliveMs * 2) / 3),
    pingIdleConnection: true,
  };
  const sessions = new Http2SessionManager(baseUrl, pings, {
    ...secure,
    ...(path !== undefined && { createConnection: () => connect(path) }),
  });
  const token = tokenOf(options);
  const interceptors = [watched(noticed), authorized(token)];
  return {
    address,
    transport: createGrpcTransport({ baseUrl, sessionManager: sessions, interceptors }),
    token,
    get isConnected() {
      return CONNECTED.includes(sessions.state());
    },
    close: () => sessions.abort(),
  };
}

function watched(noticed: (error: unknown) => void): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: heard(response.message, noticed) } : response;
    } catch (error) {
      noticed(error);
      throw error;
    }
  };
}

async function* heard<Message>(messages: AsyncIterable<Message>, noticed: (error: unknown) => void) {
  try {
    yield* messages;
  } catch (error) {
    noticed(error);
    throw error;
  }
}

function authorized(token: Token): Interceptor {
  return (next) => async (request) => {
    const text = await token();
    if (text) request.header.set("authorization", `Bearer ${text}`);
    return next(request);
  };
}

function tokenOf({ token, tokenFile }: LinkOptions): Token {
  if (token !== undefined && tokenFile !== undefined) throw unusable("give token or tokenFile, not both");
  const given = token ?? (tokenFile === undefined ? process.env.PDP_TOKEN || undefined : undefined);
  const file = tokenFile ?? process.env.PDP_TOKEN_FILE;
  return async () => {
    if (typeof given === "function") return checked(await given());
    if (given !== undefined || !file) return checked(given ?? "");
    const read = checked((await readFile(file, "utf8").catch(() => "")).trim());
    if (!read) throw unavailable(`the token file ${file} holds no token that can be read`);
    return read;
  };
}

/** A token that can be sent. The error does not quote it. */
function checked(token: unknown): string {
  if (typeof token === "string" && /^[\x20-\x7e]*$/.test(token)) return token;
  throw unavailable("a token has only printable ASCII characters; was something else copied with it?");
}

function certificates({ ca, certificate, key }: LinkOptions): { ca: Buffer; cert?: Buffer; key?: Buffer } | undefined {
  const files = [ca || process.env.PDP_CA, certificate || process.env.PDP_CERTIFICATE, key || process.env.PDP_KEY];
  const [authority, own, secret] = files.map((file) => (file ? readFileSync(file) : undefined));
  if (!own !== !secret) throw unusable("a certificate and its key go together: give both or neither");
  if (!authority) {
    if (own) throw unusable("a certificate goes with TLS: give ca, too, the file of the server's authority");
    return undefined;
  }
  return { ca: authority, ...(own && secret && { cert: own, key: secret }) };
}

function isLocal(address: string): boolean {
  if (address.startsWith("unix:")) return true;
  const host = /^(.*):\d+$/.exec(address)?.[1]?.replace(/^\[(.*)\]$/, "$1") ?? "";
  return host === "localhost" || (isIP(host) > 0 && LOOPBACK.check(host, isIP(host) === 6 ? "ipv6" : "ipv4"));
}

function unusable(sentence: string): PlacetError {
  return new PlacetError("INVALID_ARGUMENT", "INVALID_OPTION", sentence);
}

function unavailable(sentence: string): PlacetError {
  return new PlacetError("UNAUTHENTICATED", "TOKEN_UNAVAILABLE", sentence);
}
