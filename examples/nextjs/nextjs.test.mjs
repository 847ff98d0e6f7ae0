import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from 'mfa-enrollment-client';
import { code, cognito, helper, service, token } from '../testing/demo.mjs';
import * as route from './app/api/mfa/[...path]/route.js';
import * as session from './lib/session.js';

process.env.MFA_SERVICE_URL = service;
const address = '203.0.113.7';

/** A page at app.example, its browser and Next's router. */
function page(cookie) {
  const seen = []; // all that the browser got to see
  const fetch = async (url, init) => {
    const { pathname } = new URL(url);
    const headers = { ...init.headers, 'Sec-Fetch-Site': 'same-origin', 'X-Forwarded-For': address, ...(cookie && { Cookie: `theme=dark; ${cookie}` }) };
    const reply = await route[init.method](new Request(url, { ...init, headers }), { params: Promise.resolve({ path: pathname.split('/').slice(3) }) });
    const set = reply.headers.get('Set-Cookie');
    if (set) cookie = set.split(';')[0];
    seen.push(JSON.stringify([...reply.headers]), await reply.clone().text());
    return reply;
  };
  return { client: createClient({ baseUrl: 'https://app.example/api/mfa', fetch }), seen };
}

test('somebody who is signed in sets an app up, and the token stays on the server', async () => {
  const accessToken = await token('ada');
  const { client, seen } = page(session.begin({ accessToken }).split(';')[0]);
  const { secret } = await client.startTotp();
  assert.equal((await client.getTotpQr()).type, 'image/png');
  await assert.rejects(client.verifyTotp({ code: await code(secret, 3600) }), { code: 'code_mismatch' });
  assert.equal((await client.verifyTotp({ code: await code(secret) })).outcome, 'enabled');
  assert.equal((await client.getMfa()).totp.enabled, true);
  assert.ok(!seen.join().includes(accessToken));
  // The service's limits count the person's address, and not this host's.
  assert.match(await (await fetch(`${helper}/log`)).text(), new RegExp(`"clientIp":"${address}"`));
});

test('a sign-in that ends in the set-up leaves its tokens on the server', async () => {
  const clientId = 'demo-required-web';
  const reply = await fetch(cognito, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'AWSCognitoIdentityProviderService.InitiateAuth' },
    body: JSON.stringify({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId: clientId, AuthParameters: { USERNAME: 'grace', PASSWORD: 'Correct-Horse-1' } }),
  });
  const challenge = await reply.json();
  const { client, seen } = page();
  const enrollment = await client.startTotp({ session: challenge.Session, accountName: 'grace@example.com' });
  const result = await client.verifyTotp({ session: enrollment.session, code: await code(enrollment.secret), username: challenge.ChallengeParameters.USER_ID_FOR_SRP, clientId });
  assert.equal(result.outcome, 'signed_in');
  assert.ok(!/eyJ[\w-]+\.[\w-]+\./.test(seen.join()), 'the browser got a token');
  assert.match(seen.join(), /__Host-session=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict/);
  assert.equal((await client.getMfa()).totp.enabled, true);
});

test('nobody who is not signed in, and nothing but the operations, gets through', async () => {
  await assert.rejects(page().client.getMfa(), { code: 'missing_credential' });
  await assert.rejects(page('__Host-session=guess').client.getMfa(), { code: 'missing_credential' });
  const signedIn = session.begin({ accessToken: await token('linus') }).split(';')[0];
  for (const [site, path, status] of [
    ['cross-site', ['v1', 'mfa'], 403], ['same-site', ['v1', 'mfa'], 403], [undefined, ['v1', 'mfa'], 403],
    ['same-origin', ['openapi.yaml'], 404], ['same-origin', ['v1', 'mfa', '..', '..', 'metrics'], 404],
  ]) {
    const headers = { Cookie: signedIn, ...(site && { 'Sec-Fetch-Site': site }) };
    const reply = await route.GET(new Request('https://app.example/', { headers }), { params: Promise.resolve({ path }) });
    assert.equal(reply.status, status, `${site} ${path}`);
  }
});
