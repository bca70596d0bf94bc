// May alice do this to a table? One Authorize call; the contract in proto/ is read at run time.
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const includeDirs = [path.join(__dirname, "proto")];
const definition = loader.loadSync("pdp/v1/decision.proto", { includeDirs, enums: String });
const { DecisionService } = grpc.loadPackageDefinition(definition).pdp.v1;

const address = process.env.PDP_ADDRESS || "127.0.0.1:4770";
const decisions = new DecisionService(address, grpc.credentials.createInsecure()); // beyond this machine: createSsl
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${process.env.PDP_TOKEN}`);

const request = {
  subject: { type: "user", id: "alice" },
  action: { name: process.argv[2] || "read" },
  resource: { type: "table", id: "customers" },
};
decisions.Authorize(request, metadata, { deadline: Date.now() + 5000 }, (error, answer) => {
  decisions.close();
  const obligations = answer?.obligations || [];
  // Whatever is not a clear allow is a no: an error, another effect, an obligation that this program does not meet.
  const allowed = !error && answer.effect === "EFFECT_ALLOW" && obligations.length === 0;
  const reasons = (answer?.reasons || []).map((reason) => reason.reason);
  console.log(error ? `${error.message}` : `${answer.effect}: ${reasons.join("; ")}`);
  process.exitCode = allowed ? 0 : 10;
});
