import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Client } from "placet";

/** What a server of this realm says of itself. */
export const INFO = {
  realm: "test",
  features: ["properties_json", "context_json", "expected_digest"],
  caller: { identity: "user:alice" },
  jwks: '{"keys": []}',
  limits: { messageBytes: 4n * 1024n * 1024n },
};

/** A server that speaks gRPC and answers as a test says, on a socket in a folder of its own. Its client's tokens differ. */
export async function served(
  routes: (router: ConnectRouter) => void,
  run: (client: Client) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "placet-"));
  const server = createServer(connectNodeAdapter({ routes }));
  await new Promise<void>((ready) => server.listen(join(folder, "socket"), ready));
  let token = 0;
  const address = `unix:${join(folder, "socket")}`;
  const client = new Client({ address, token: () => `t${token++}`, timeoutMs: 3_000 });
  try {
    await run(client);
  } finally {
    client.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
}
