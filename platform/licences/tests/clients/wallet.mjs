// A wallet and a verifier made of existing libraries (@openid4vc of the OpenWallet Foundation,
// @sd-jwt) against our issuer and verifier. It speaks to us over standard input and output, one
// JSON a line: {"call": …} asks what a browser would fetch, {"ok": …} says what held. Everything
// that must hold is checked by those libraries; node:crypto signs and verifies for them.
//
//     node wallet.mjs   (the test `foreign` starts it, see there)

import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { createInterface } from "node:readline";
import { clientAuthenticationNone } from "@openid4vc/oauth2";
import { Openid4vciClient, setGlobalConfig } from "@openid4vc/openid4vci";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { getListFromStatusListJWT, getStatusListFromJWT } from "@sd-jwt/jwt-status-list";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const hear = async () => JSON.parse((await lines.next()).value);
const ok = (what) => say({ ok: what });
let queue = Promise.resolve();

/** One question to the city; questions never overlap. */
function ask(call) {
  const turn = queue.then(() => {
    say({ call });
    return hear();
  });
  queue = turn.catch(() => undefined);
  return turn;
}

function check(condition, what) {
  if (!condition) {
    say({ failed: what });
    process.exit(1);
  }
  ok(what);
}

async function refused(promise, what) {
  const outcome = await promise.then(() => false, () => true);
  check(outcome, what);
}

/** The fetch of the libraries. */
async function fetcher(input, init = {}) {
  const url = String(input?.url ?? input);
  const headers = Object.fromEntries(new Headers(init.headers).entries());
  const body = init.body === undefined ? null : String(init.body);
  const answer = await ask({ method: init.method ?? "GET", url, headers, body });
  const reply = new Response(answer.body, { status: answer.status, headers: { "content-type": answer.type } });
  Object.defineProperty(reply, "url", { value: url });
  return reply;
}

const b64 = (bytes) => Buffer.from(bytes).toString("base64url");
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = publicKey.export({ format: "jwk" });
const signWith = (data) => b64(sign("sha256", Buffer.from(data), { key: privateKey, dsaEncoding: "ieee-p1363" }));
function verifyWith(key, data, signature) {
  const pem = createPublicKey({ key, format: "jwk" });
  return verify("sha256", Buffer.from(data), { key: pem, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}

const callbacks = {
  fetch: fetcher,
  hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  generateRandom: (bytes) => randomBytes(bytes),
  clientAuthentication: clientAuthenticationNone({ clientId: "wallet" }),
  signJwt: async (signer, { header, payload }) => {
    const message = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(payload))}`;
    return { jwt: `${message}.${signWith(message)}`, signerJwk: jwk };
  },
  verifyJwt: async () => ({ verified: false }),
  decryptJwe: async () => ({ decrypted: false }),
  encryptJwe: async () => {
    throw new Error("nothing is encrypted here");
  },
};

const task = await hear();
// A demonstration on this machine has no certificate; the libraries otherwise insist on https.
if (task.insecure) setGlobalConfig({ allowInsecureUrls: true });

// --- Issuance, by @openid4vc/openid4vci ---------------------------------------------------------
const vci = new Openid4vciClient({ callbacks });
const credentialOffer = await vci.resolveCredentialOffer(task.offer);
const issuerMetadata = await vci.resolveIssuerMetadata(credentialOffer.credential_issuer);
const kind = credentialOffer.credential_configuration_ids[0];
check(issuerMetadata.credentialIssuer.credential_configurations_supported[kind].format === "dc+sd-jwt", "metadata of the issuer");
const { accessTokenResponse } = await vci.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode: task.code });
check(accessTokenResponse.access_token.length > 20, "pre-authorised code redeemed");
const { c_nonce: nonce } = await vci.requestNonce({ issuerMetadata });
const signer = { method: "jwk", alg: "ES256", publicJwk: jwk };
const { jwt } = await vci.createCredentialRequestJwtProof({ issuerMetadata, credentialConfigurationId: kind, signer, nonce, issuedAt: new Date() });
const issued = await vci.retrieveCredentials({ issuerMetadata, accessToken: accessTokenResponse.access_token, credentialConfigurationId: kind, proofs: { jwt: [jwt] } });
const document = issued.credentialResponse.credentials[0].credential;
check(typeof document === "string", "credential received");

// --- Verification, by @sd-jwt/sd-jwt-vc ---------------------------------------------------------
async function keysOf(issuer) {
  const answer = await fetcher(`${issuer}/.well-known/jwt-vc-issuer`);
  return (await answer.json()).jwks.keys;
}
const keys = await keysOf(credentialOffer.credential_issuer);
const verifyIssued = (data, signature) => {
  const { kid } = JSON.parse(Buffer.from(data.split(".")[0], "base64url"));
  const key = keys.find((one) => one.kid === kid && one.crv === "P-256");
  return key !== undefined && verifyWith(key, data, signature);
};
const lists = [];
const instance = new SDJwtVcInstance({
  hasher: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  hashAlg: "sha-256",
  saltGenerator: () => b64(randomBytes(16)),
  verifier: verifyIssued,
  kbSigner: signWith,
  kbSignAlg: "ES256",
  kbVerifier: (data, signature, payload) => verifyWith(payload.cnf.jwk, data, signature),
  statusListFetcher: async (uri) => {
    lists.push(uri);
    return (await fetcher(uri)).text();
  },
  statusVerifier: verifyIssued,
});
const whole = await instance.verify(document);
check(whole.payload.vct.endsWith(`/licences/types/${kind}`), "verified, with its status list");
check(lists.length === 1, "the status list was fetched");
const claims = await instance.getClaims(document);
check(Object.entries(task.claims).every(([name, value]) => claims[name] === value), "every claim disclosed");
check(JSON.stringify(claims.cnf.jwk.x) === JSON.stringify(jwk.x), "bound to the wallet's key");

const [token, ...rest] = document.split("~");
const [head, body, seal] = token.split(".");
const forged = b64(Buffer.from(body, "base64url").toString().replace('"grade":"A"', '"grade":"B"'));
await refused(instance.verify([`${head}.${forged}.${seal}`, ...rest].join("~")), "an altered claim refused");
const lie = b64(Buffer.from(rest[0], "base64url").toString().replace(/"[^"]*"\]$/, '"A1"]'));
await refused(
  instance.verify([token, lie, ...rest.slice(1)].join("~"), { requiredClaimKeys: Object.keys(claims) }),
  "an altered disclosure refused",
);

// --- Presentation, by @openid4vc/openid4vp ------------------------------------------------------
const vp = new Openid4vpClient({ callbacks });
const parsed = vp.parseOpenid4vpAuthorizationRequest({ authorizationRequest: task.request });
const resolved = await vp.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params });
const asked = resolved.authorizationRequestPayload;
check(resolved.client.prefix === "redirect_uri", "client of the request");
check(resolved.version === 100, "a request of OpenID4VP 1.0");
const query = resolved.dcql.query.credentials[0];
check(query.meta.vct_values[0] === whole.payload.vct, "the query asks for this type");
const frame = Object.fromEntries(query.claims.map((claim) => [claim.path[0], true]));
const shown = await instance.present(document, frame, {
  kb: { payload: { iat: Math.floor(Date.now() / 1000), aud: asked.client_id, nonce: asked.nonce } },
});
const bound = await instance.verify(shown, { keyBindingNonce: asked.nonce });
check(bound.kb.payload.aud === asked.client_id, "the presentation verifies");
const response = await vp.createOpenid4vpAuthorizationResponse({
  authorizationRequestPayload: asked,
  authorizationResponsePayload: { vp_token: { [query.id]: [shown] } },
});
const sent = await vp.submitOpenid4vpAuthorizationResponse({
  authorizationRequestPayload: asked,
  authorizationResponsePayload: response.authorizationResponsePayload,
});
check(sent.response.status === 200, "presentation taken");

// --- Suspended and revoked, as the status list says ---------------------------------------------
const place = getStatusListFromJWT(document);
for (const [state, value] of [["suspended", 2], ["withdrawn", 1]]) {
  await ask({ method: "DO", url: state, headers: {}, body: null });
  const list = getListFromStatusListJWT(await (await fetcher(place.uri)).text());
  check(list.getStatus(place.idx) === value, `${state} in the status list`);
  await refused(instance.verify(document), `${state}: no longer verified`);
}
say({ done: true });
process.exit(0);
