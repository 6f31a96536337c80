// A licence in a wallet of another maker, over HTTP: a resident registers and is proven, an officer
// issues a licence, the resident offers it, and the existing libraries of
// platform/licences/tests/clients/wallet.mjs (@openid4vc, @sd-jwt) fetch it by OpenID4VCI, verify
// it with its status list, and show it by OpenID4VP to whoever asked. This file only carries their
// requests to the city. Persons are synthetic (area 130199).
//
//     BASE_URL=http://HOST:PORT ACCOUNTS=DATA/demo-accounts.json node wallet_client.mjs

import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { person } from "../../../web/tests/parties.mjs";

const base = process.env.BASE_URL;
const accounts = JSON.parse(readFileSync(process.env.ACCOUNTS, "utf8"));
const sources = new URL("../../../platform/licences/tests/clients/", import.meta.url);

function must(holds, what) {
  if (holds) return;
  console.error(`FAILED: ${what}`);
  process.exit(1);
}

/** The libraries, installed once in a folder of the user's cache. */
function wallet() {
  const folder = join(homedir(), ".cache/jicheng-tests/licences-wallet");
  mkdirSync(folder, { recursive: true });
  const wanted = readFileSync(new URL("package.json", sources), "utf8");
  const noted = join(folder, "installed.json");
  copyFileSync(new URL("wallet.mjs", sources), join(folder, "wallet.mjs"));
  if (!existsSync(noted) || readFileSync(noted, "utf8") !== wanted) {
    writeFileSync(join(folder, "package.json"), wanted);
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder, stdio: "inherit" });
    writeFileSync(noted, wanted);
  }
  return join(folder, "wallet.mjs");
}

/** One request of our API; answers its JSON. */
async function call(token, method, path, body) {
  const headers = { "content-type": "application/json", "x-csrf": "1" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  must(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

async function signIn(account, password) {
  const known = accounts[account] ?? accounts.accounts?.[account] ?? [].concat(accounts.accounts ?? accounts).find?.((a) => (a.name ?? a.account) === account);
  const secret = password ?? (typeof known === "string" ? known : known?.password);
  return (await call(null, "POST", "/api/v1/session", { account, password: secret })).token;
}

/** A new resident, proven to level 2 by the demonstration's prover. */
async function resident(operator) {
  const serial = 100 + Math.floor(Math.random() * 800);
  const who = person(serial, "19870706");
  const password = `Wallet-${Date.now()}-park`;
  const made = await call(null, "POST", "/api/v1/registrations", { display: who.name, password, consent: true });
  const token = await signIn(made.account, password);
  const phone = `139${String(Date.now()).slice(-8)}`;
  const { challenge } = await call(token, "POST", "/api/v1/me/phone", { phone });
  let code;
  for (let i = 0; i < 50 && !code; i++) {
    const { items } = await call(operator, "GET", "/api/v1/operator/messages");
    code = /验证码是 (\d{6})/.exec(items.find((m) => m.to === phone)?.text ?? "")?.[1];
    if (!code) await new Promise((wait) => setTimeout(wait, 100));
  }
  must(code, "no message with a code");
  await call(token, "POST", "/api/v1/me/phone/proof", { challenge, code });
  await call(token, "POST", "/api/v1/me/identity", { document: "citizen_number", number: who.number, name: who.name });
  return { token, who };
}

const operator = await signIn("operator");
const officer = await signIn("approver");
const { token, who } = await resident(operator);
const kind = "food_business_permit";
const fields = { premises: "走查路 1 号", business: "catering", items: "热食类制售" };
const holder = { document: "citizen_number", ...who };
const issued = await call(officer, "POST", "/api/v1/licences", { licences: [{ kind, source: `wallet/${Date.now()}`, holder, fields }] });
const identifier = issued.items[0].identifier;
const offer = await call(token, "POST", `/api/v1/me/licences/${encodeURIComponent(identifier)}/offer`);
const why = { verifier: "走查宾馆", purpose: "办理入住登记" };
const asked = await call(officer, "POST", "/api/v1/licences/requests", { kind, fields: [], why });

const program = spawn("node", [wallet()], { stdio: ["pipe", "pipe", "inherit"] });
const tell = (message) => program.stdin.write(`${JSON.stringify(message)}\n`);
const claims = { holder_name: who.name, ...fields };
tell({ offer: offer.url, code: offer.code, claims, request: asked.url, insecure: base.startsWith("http:") });

let done = false;
for await (const text of createInterface({ input: program.stdout })) {
  const message = JSON.parse(text);
  if (message.ok) console.log("ok", message.ok);
  must(!message.failed, message.failed);
  done ||= message.done === true;
  if (!message.call) continue;
  const { method, url, headers, body } = message.call;
  if (method === "DO") {
    const change = { to: url, reason: "走查：状态表" };
    await call(officer, "POST", `/api/v1/licences/${encodeURIComponent(identifier)}/change`, change);
    tell({ status: 200, body: "{}", type: "application/json" });
    continue;
  }
  must(url.startsWith(base), `the wallet was sent elsewhere: ${url}`);
  const answer = await fetch(url, { method, headers, body: body ?? undefined });
  const type = (answer.headers.get("content-type") ?? "").split(";")[0];
  tell({ status: answer.status, body: await answer.text(), type });
  if (url.endsWith("/openid4vp/response")) {
    const found = await call(officer, "GET", `/api/v1/licences/requests/${asked.state}`);
    must(found.answered && found.verification?.verdict === "valid", `the verifier is not told: ${JSON.stringify(found)}`);
    console.log("ok the verifier is told");
  }
}
must(done, "the wallet did not come to its end");
