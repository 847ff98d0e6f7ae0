import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from 'mfa-enrollment-client';
import { UserManager } from 'oidc-client-ts';
import { code, cognito, helper, later, service } from '../testing/demo.mjs';
import { settings, stepUp, token } from './oidc.js';

const redirectUri = 'https://app.example/signed-in';

test('sign-in, set-up, and another sign-in before the app is switched off', async (t) => {
  // A browser that goes where it is sent. Managed login is a page that knows ada.
  let went;
  const browser = { prepare: async () => ({ navigate: async ({ url }) => { went = new URL(url); return { url }; }, close() {} }) };
  const users = new UserManager({
    ...settings(`${cognito}/us-east-1_Optional`, 'demo-optional', redirectUri),
    metadataSeed: { authorization_endpoint: `${helper}/oauth2/authorize` }, // the stand-in has no pages
  }, browser);
  t.after(() => users.removeUser()); // and with the user the timer that renews
  const signIn = async (how) => {
    await users.signinRedirect(how);
    const back = (await fetch(went, { redirect: 'manual' })).headers.get('Location');
    return users.signinRedirectCallback(back);
  };

  const first = await signIn();
  const asked = Object.fromEntries(went.searchParams);
  assert.equal(asked.scope, 'openid aws.cognito.signin.user.admin');
  assert.equal(asked.code_challenge_method, 'S256');
  assert.equal(asked.prompt, undefined);
  assert.equal(first.scope ?? asked.scope, asked.scope);

  const client = createClient({ baseUrl: service, token: token(users) });
  const { secret, accountName } = await client.startTotp();
  assert.equal(accountName, 'ada@example.com');
  assert.equal((await client.verifyTotp({ code: await code(secret) })).outcome, 'enabled');

  // A refreshed token is newer than its sign-in, which is what counts.
  await later(16 * 60);
  assert.notEqual(await token(users)({ refresh: true }), first.access_token);
  const problem = await client.setTotpPreference({ enabled: false }).catch((error) => error);
  assert.equal(problem.code, 'step_up_required');

  const second = await signIn(stepUp(problem, { then: 'switch off' }));
  assert.equal(went.searchParams.get('prompt'), 'login');
  assert.equal(went.searchParams.get('max_age'), '900');
  assert.deepEqual(second.state, { then: 'switch off' });
  assert.equal((await client.setTotpPreference({ enabled: false })).totp.enabled, false);
});
