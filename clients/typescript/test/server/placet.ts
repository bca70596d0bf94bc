import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Client, type ClientOptions } from "placet";

const ROOT = fileURLToPath(new URL("../../../../..", import.meta.url));
const run = promisify(execFile);

/** What `pdp WORDS` prints, against the server of `pdp dev` that runs these tests. */
export async function pdp(...words: string[]): Promise<string> {
  const { stdout } = await run("python", ["-m", "pdp", ...words], { cwd: ROOT });
  return stdout.trim();
}

/** A client of a demo person, whose token ends after a quarter of an hour. */
export async function as(name: string, options: ClientOptions = {}): Promise<Client> {
  return new Client({ token: await pdp("token", "--as", name), ...options });
}
