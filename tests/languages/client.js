// A client as a Node program would have it: proto/ as it is, read at run time, and nothing else of Placet.
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const definition = loader.loadSync("pdp/v1/decision.proto", { includeDirs: [process.env.PROTO], enums: String });
const { DecisionService } = grpc.loadPackageDefinition(definition).pdp.v1;
const decisions = new DecisionService(process.env.PDP_ADDRESS, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${process.env.PDP_TOKEN}`);

const ask = (action) =>
  new Promise((resolve, reject) => {
    const request = {
      subject: { type: "user", id: "alice" },
      action: { name: action },
      resource: { type: "table", id: "customers" },
    };
    const deadline = Date.now() + 5000;
    decisions.Authorize(request, metadata, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

(async () => {
  for (const action of ["read", "fly"]) console.log(action, (await ask(action)).effect);
})();
