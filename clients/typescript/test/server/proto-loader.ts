/**
 * Asks as a program does that has nothing but the contract, which @grpc/proto-loader reads at run time: alice, or whom the
 * arguments name, wants to export a table tagged pii. The library makes an empty Struct of `{ tags: ["pii"] }`, and says
 * nothing. Prints the effect, or the code and the reason of the error.
 */
import { fileURLToPath } from "node:url";

import { credentials, loadPackageDefinition, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const includeDirs = [fileURLToPath(new URL("../../../../../proto", import.meta.url))];
const definition = loadSync("pdp/v1/decision.proto", { includeDirs, enums: String });
const { DecisionService } = (loadPackageDefinition(definition) as any).pdp.v1;
const [type = "user", id = "alice"] = process.argv.slice(2);

const request = {
  subject: { type, id },
  action: { name: "export" },
  resource: { type: "table", id: "orders", properties: { tags: ["pii"] } },
};
const metadata = new Metadata();
metadata.set("authorization", `Bearer ${process.env.PDP_TOKEN}`);
const decisions = new DecisionService(process.env.PDP_ADDRESS, credentials.createInsecure());
decisions.Authorize(request, metadata, (error: ServiceError | null, answer: { effect: string }) => {
  decisions.close();
  const details = error?.metadata.get("grpc-status-details-bin").toString() ?? "";
  console.log(error ? `${status[error.code]} ${/[A-Z]+(_[A-Z]+)+/.exec(details)?.[0]}` : answer.effect);
});
