import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mfaClient, type MfaClient, type Problem } from './client.js';
import { codeOf, initiateAuth, startDemo, type Demo } from './demo.js';
import { enrollBySession, enrollByToken } from './enroll.js';

let demo: Demo;
let client: MfaClient;

before(async () => {
  demo = await startDemo();
  client = mfaClient(demo.service);
});
after(() => demo?.stop());

test('somebody who is signed in sets an app up, after one wrong code', async () => {
  const { AuthenticationResult } = await initiateAuth(demo.cognito, 'demo-optional', 'ada');
  assert.ok(AuthenticationResult);
  const problems: (Problem | undefined)[] = [];

  const status = await enrollByToken(client, AuthenticationResult.AccessToken, async ({ otpauthUri, accountName, qrCode }, problem) => {
    assert.equal(accountName, 'ada@example.com');
    assert.match(qrCode, /^data:image\/png;base64,/);
    problems.push(problem);
    // The first code is from a phone whose clock is five minutes fast.
    return codeOf(otpauthUri, Date.now() + (problem ? 0 : 5 * 60_000));
  });

  assert.deepEqual(status, { totp: { enabled: true, preferred: true }, methods: ['SOFTWARE_TOKEN_MFA'], preferred: 'SOFTWARE_TOKEN_MFA', next: 'none' });
  assert.deepEqual(problems.map((problem) => problem?.code), [undefined, 'code_mismatch']);
  assert.match(problems[1]?.detail ?? '', /about 5 minutes fast/);
});

test('somebody who must have an app sets it up in mid-sign-in and is signed in', async () => {
  const clientId = 'demo-required';
  const { Session, ChallengeParameters } = await initiateAuth(demo.cognito, clientId, 'grace', 'demo-secret');
  assert.ok(Session && ChallengeParameters?.USER_ID_FOR_SRP);
  const who = { session: Session, username: ChallengeParameters.USER_ID_FOR_SRP, clientId, accountName: 'grace@example.com' };

  const reply = await enrollBySession(client, who, async ({ otpauthUri, accountName }) => {
    assert.equal(accountName, 'grace@example.com');
    return codeOf(otpauthUri, Date.now());
  });

  assert.ok(reply.outcome === 'signed_in');
  const { data } = await client.GET('/v1/mfa', { headers: { Authorization: `Bearer ${reply.tokens.accessToken}` } });
  assert.equal(data?.totp.enabled, true);
});
