// An OpenID provider (npm oidc-provider) where people sign in by their name, for the page as the public client `todo-page`.
// It listens on a free port of loopback. Its arguments: the folder of npm's packages, and the seconds that access tokens
// last.
//
// One JSON object per line on standard input, one answer each:
//   {"do": "issuer"}                            {"issuer": "http://127.0.0.1:…"}
//   {"do": "serve", "origin": "http://…"}       {}: the page's address
//   {"do": "counts"}                            {"authorization_code": 1, "refresh_token": 2, "revoked": 1}

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

console.info = console.warn = console.error; // the provider's notices do not belong into the answers
const [, , packages, lifetime] = process.argv;
const { Provider } = await import(pathToFileURL(`${packages}/oidc-provider/lib/index.js`));

const scope = "openid profile offline_access";
const counts = { authorization_code: 0, refresh_token: 0, revoked: 0 };
let provider;
let answerRequest = (_, response) => response.writeHead(503).end();

// The page is a client of the house: nobody is asked for consent.
async function grantTo(accountId) {
  const grant = new provider.Grant({ clientId: "todo-page", accountId });
  grant.addOIDCScope(scope);
  grant.addResourceScope("urn:todo-service", scope);
  await grant.save();
  return grant;
}

function startProvider(origin) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const client = {
    client_id: "todo-page",
    application_type: "web",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: [`${origin}/signed-in`],
    post_logout_redirect_uris: [`${origin}/`],
    id_token_signed_response_alg: "ES256", // the default needs an RSA key
  };
  provider = new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "ES256" }] },
    clients: [client],
    cookies: { keys: ["of these tests only"] },
    claims: { openid: ["sub"], profile: ["name"] },
    scopes: scope.split(" "),
    clientBasedCORS: () => true,
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: id }) }),
    extraTokenClaims: (_, token) => (token.accountId?.startsWith("olga") ? { roles: ["todo-operator"] } : {}),
    issueRefreshToken: () => true,
    loadExistingGrant: (context) => grantTo(context.oidc.session.accountId),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope,
          audience: "todo-service",
          accessTokenTTL: Number(lifetime),
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
  provider.on("grant.success", (context) => { counts[context.oidc.params.grant_type] += 1; });
  provider.on("grant.revoked", () => { counts.revoked += 1; });
  provider.on("server_error", (_, error) => console.error(error));
  answerRequest = provider.callback();
}

const form = `<!doctype html><html lang="en"><title>Sign in</title><link rel="icon" href="data:,"><form method="post">
<label>User <input name="user" required></label><button>Let me in</button></form>`;

async function interact(request, response) {
  const { prompt, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "consent") {
    const grantId = (await grantTo(session.accountId)).jti;
    await provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
    return;
  }
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/html" }).end(form);
    return;
  }
  let body = "";
  for await (const part of request) body += part;
  const accountId = new URLSearchParams(body).get("user");
  await provider.interactionFinished(request, response, { login: { accountId } }, { mergeWithLastSubmission: false });
}

const server = createServer((request, response) => {
  if (request.url.startsWith("/interaction/")) interact(request, response);
  else answerRequest(request, response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
// Not by its number: so that its cookies are not those of the page.
const issuer = `http://localhost:${server.address().port}`;

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  if (question.do === "serve") startProvider(question.origin);
  const answers = { issuer: { issuer }, serve: {}, counts };
  process.stdout.write(`${JSON.stringify(answers[question.do])}\n`);
}
process.exit(0);
