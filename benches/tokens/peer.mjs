// The peer: oidc-provider of npm (certified), with its in-memory adapter, ES256 ID tokens, rotated
// refresh tokens. Nothing of it is on disk, which is to its advantage.
//   node peer.mjs PORT COUNT FILE   prints the credentials in base64 and serves
import { writeFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';
import { exportJWK, generateKeyPair } from 'jose';

const [port, count, file] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' };
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'bench', client_secret: 'bench-secret', redirect_uris: ['https://bench.example/callback'],
    grant_types: ['authorization_code', 'refresh_token'], id_token_signed_response_alg: 'ES256',
  }],
  jwks: { keys: [key] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: { RefreshToken: 86400, AccessToken: 600, IdToken: 600, Grant: 86400 },
});
const client = await provider.Client.find('bench');
const tokens = [];
for (let i = 0; i < count; i++) {
  const grant = new provider.Grant({ accountId: `a${i}`, clientId: 'bench' });
  grant.addOIDCScope('openid offline_access');
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: `a${i}`, client, grantId, scope: 'openid offline_access', gty: 'authorization_code', authTime: Math.floor(Date.now() / 1000),
  });
  tokens.push(await token.save());
}
writeFileSync(file, `${tokens.join('\n')}\n`);
provider.listen(port, '127.0.0.1', () => console.log(Buffer.from('bench:bench-secret').toString('base64')));
