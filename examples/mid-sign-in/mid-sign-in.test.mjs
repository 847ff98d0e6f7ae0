import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from 'mfa-enrollment-client';
import { code, cognito, MemoryStorage, service } from '../testing/demo.mjs';

// Amplify looks for these when it is loaded.
globalThis.sessionStorage = new MemoryStorage();
globalThis.localStorage = new MemoryStorage();
globalThis.window = { sessionStorage, localStorage };
const { AuthenticationDetails, CognitoUser, CognitoUserPool } = (await import('amazon-cognito-identity-js')).default;
const { Amplify } = await import('aws-amplify');
const { confirmSignIn, fetchAuthSession, fetchMFAPreference, getCurrentUser, signIn, signOut } = await import('aws-amplify/auth');
const { Hub } = await import('aws-amplify/utils');
const amplify = await import('./amplify.js');
const identity = await import('./identity-js.js');

const pool = 'us-east-1_Required';
const clientId = 'demo-required-web'; // an app client without a secret
const password = 'Correct-Horse-1';
const client = createClient({ baseUrl: service });

/** Sets an app up as <mfa-enrollment> does: a wrong code first, then the right one. */
async function setUp(challenge, username) {
  const enrollment = await client.startTotp({ session: challenge.session, accountName: `${username}@example.com` });
  const verify = async (digits) => client.verifyTotp({ session: enrollment.session, code: digits, username: challenge.parameters.USER_ID_FOR_SRP, clientId });
  await assert.rejects(verify(await code(enrollment.secret, 3600)), { code: 'code_mismatch' });
  const result = await verify(await code(enrollment.secret));
  assert.equal(result.outcome, 'signed_in');
  return { secret: enrollment.secret, tokens: result.tokens };
}

test('amazon-cognito-identity-js', async () => {
  const sendPassword = () => {
    const user = new CognitoUser({ Username: 'ada', Pool: new CognitoUserPool({ UserPoolId: pool, ClientId: clientId, endpoint: cognito }) });
    return new Promise((resolve, reject) => {
      user.authenticateUser(new AuthenticationDetails({ Username: 'ada', Password: password }), {
        onSuccess: () => reject(new Error('signed in without a second factor')),
        onFailure: reject,
        mfaSetup: (_, parameters) => resolve({ step: 'mfaSetup', user, parameters }),
        totpRequired: () => resolve({ step: 'totpRequired', user }),
      });
    });
  };
  const { step, user, parameters } = await sendPassword();
  assert.equal(step, 'mfaSetup');

  const { secret, tokens } = await setUp(identity.challengeOf(user, parameters), 'ada');
  identity.keep(user, tokens);

  // Signed in for the library: it finds the tokens, uses and refreshes them.
  assert.ok(user.getSignInUserSession().isValid());
  const again = new CognitoUserPool({ UserPoolId: pool, ClientId: clientId, endpoint: cognito }).getCurrentUser();
  const session = await new Promise((resolve, reject) => again.getSession((error, got) => (error ? reject(error) : resolve(got))));
  assert.equal(session.getAccessToken().getJwtToken(), tokens.accessToken);
  const data = await new Promise((resolve, reject) => user.getUserData((error, got) => (error ? reject(error) : resolve(got))));
  assert.deepEqual(data.UserMFASettingList, ['SOFTWARE_TOKEN_MFA']);
  await new Promise((resolve, reject) => user.refreshSession(session.getRefreshToken(), (error, got) => (error ? reject(error) : resolve(got))));

  // From now on the library signs in alone.
  const next = await sendPassword();
  assert.equal(next.step, 'totpRequired');
  const digits = await code(secret, 30);
  await new Promise((resolve, reject) => next.user.sendMFACode(digits, { onSuccess: resolve, onFailure: reject }, 'SOFTWARE_TOKEN_MFA'));
  next.user.signOut();
});

for (const [username, authFlowType] of [['grace', 'USER_SRP_AUTH'], ['linus', 'USER_PASSWORD_AUTH']]) {
  test(`Amplify, ${authFlowType}`, async () => {
    Amplify.configure({ Auth: { Cognito: { userPoolId: pool, userPoolClientId: clientId, userPoolEndpoint: cognito } } });
    const events = [];
    const stop = Hub.listen('auth', ({ payload }) => events.push(payload.event));
    const { nextStep } = await signIn({ username, password, options: { authFlowType } });
    assert.equal(nextStep.signInStep, 'CONTINUE_SIGN_IN_WITH_TOTP_SETUP');

    const { secret, tokens } = await setUp(amplify.challenge(), username);
    await amplify.keep(tokens);

    // Signed in for Amplify: it finds the tokens, uses and refreshes them.
    assert.deepEqual(events, ['signedIn']);
    assert.throws(() => amplify.challenge());
    assert.equal((await getCurrentUser()).username, username);
    assert.equal((await fetchAuthSession()).tokens.accessToken.toString(), tokens.accessToken);
    assert.deepEqual(await fetchMFAPreference(), { enabled: ['TOTP'], preferred: 'TOTP' });
    assert.notEqual((await fetchAuthSession({ forceRefresh: true })).tokens.accessToken.toString(), tokens.accessToken);
    await signOut();
    stop();

    // From now on Amplify signs in alone.
    assert.equal((await signIn({ username, password, options: { authFlowType } })).nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_TOTP_CODE');
    assert.equal((await confirmSignIn({ challengeResponse: await code(secret, 30) })).nextStep.signInStep, 'DONE');
    await signOut();
  });
}
