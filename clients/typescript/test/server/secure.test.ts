import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { Client, type ClientOptions, PlacetError } from "placet";

/** Whom the server takes a client for, or the code of the error. The servers are those of tests/languages/secure.py. */
async function identity(options: ClientOptions): Promise<string> {
  const client = new Client({ timeoutMs: 3_000, ...options });
  try {
    return (await client.facts()).caller!.identity;
  } catch (error) {
    return error instanceof PlacetError ? error.code : String(error);
  } finally {
    client.close();
  }
}

function file(name: string): string {
  return join(process.env.PDP_TLS_FOLDER!, name);
}

test("TLS is with the server's own authority, and with a certificate of it", async () => {
  const { PDP_TLS_ADDRESS: address, PDP_TLS_CLIENT_ADDRESS: demanding, PDP_TLS_TOKEN: token } = process.env;
  const [ca, other] = [file("authority.pem"), file("other.pem")];
  const [own, others] = ["client", "other-client"].map((name) => {
    return { certificate: file(`${name}.crt`), key: file(`${name}.key`) };
  });
  assert.equal(await identity({ address, token, ca }), "user:alice");
  assert.equal(await identity({ address, token, ca: other }), "UNAVAILABLE", "another authority");
  assert.equal(await identity({ address, token }), "UNAVAILABLE", "plaintext");
  assert.equal(await identity({ address: demanding, token: "", ca, ...own }), "bot:report-bot");
  assert.equal(await identity({ address: demanding, token, ca }), "UNAVAILABLE", "no certificate");
  assert.equal(await identity({ address: demanding, token: "", ca, ...others }), "UNAVAILABLE", "of another authority");
});
