// An OpenID provider (npm oidc-provider) with two clients that get tokens for themselves: `ada`, and `ops`, who has the
// role of an operator. Tokens last ten minutes, those for the resource urn:todo-service:brief six seconds. It listens on
// a free port of loopback. The folder of npm's packages is its argument.
//
// One JSON object per line on standard input, one answer each:
//   {"do": "issuer"}   {"issuer": "http://127.0.0.1:…"}
//   {"do": "rotate"}   {}: from now on it signs with a new key and lists no other
//   {"do": "counts"}   {"jwks": 1, "discovery": 1}: how often each was fetched

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

console.info = console.error; // the provider's notices do not belong into the answers
const { Provider } = await import(pathToFileURL(`${process.argv[2]}/oidc-provider/lib/index.js`));

const counts = { jwks: 0, discovery: 0 };
let answerRequest;

const client = (id) => ({
  client_id: id,
  client_secret: "secret",
  grant_types: ["client_credentials"],
  response_types: [],
  redirect_uris: [],
  id_token_signed_response_alg: "ES256", // the default needs an RSA key
});

function newKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "ES256" };
}

function startProvider() {
  const provider = new Provider(issuer, {
    jwks: { keys: [newKey()] },
    clients: [client("ada"), client("ops")],
    extraTokenClaims: (_, token) => (token.clientId === "ops" ? { roles: ["todo-operator"] } : {}),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "todo",
          audience: "todo-service",
          accessTokenTTL: resource.endsWith(":brief") ? 6 : 600, // seconds
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
  answerRequest = provider.callback();
}

const server = createServer((request, response) => {
  if (request.url === "/jwks") ++counts.jwks;
  if (request.url === "/.well-known/openid-configuration") ++counts.discovery;
  answerRequest(request, response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
startProvider();

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  if (question.do === "rotate") startProvider();
  const answers = { issuer: { issuer }, rotate: {}, counts };
  process.stdout.write(`${JSON.stringify(answers[question.do])}\n`);
}
process.exit(0);
