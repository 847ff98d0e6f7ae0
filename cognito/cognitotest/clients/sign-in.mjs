// Signs in to the stand-in with amazon-cognito-identity-js and with Amplify, as
// their documentation says, and fails when anything is not as with Cognito.
//
// ENDPOINT is where the stand-in listens and NOW its clock, in seconds since
// 1970. The clock stands still, so that the codes of three steps are good all the
// time: each sign-in needs a code that was not used yet.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserPool,
} from 'amazon-cognito-identity-js';
import { Amplify } from 'aws-amplify';
import {
  confirmSignIn,
  fetchAuthSession,
  fetchMFAPreference,
  fetchUserAttributes,
  setUpTOTP,
  signIn,
  signOut,
  updateMFAPreference,
  verifyTOTPSetup,
} from 'aws-amplify/auth';

const endpoint = process.env.ENDPOINT;
const now = Number(process.env.NOW);
const password = 'Correct-Horse-1';
const optional = { userPoolId: 'us-east-1_Optional', userPoolClientId: 'optional' };
const required = { userPoolId: 'us-east-1_Required', userPoolClientId: 'required' };

// code is what an authenticator app shows some steps from now (RFC 6238).
function code(secret, steps) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30) + steps));
  const sum = createHmac('sha1', key).update(counter).digest();
  const number = sum.readUInt32BE(sum[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

// wrongCode is a code that is good at no step near now.
function wrongCode(secret) {
  const near = [-1, 0, 1].map((steps) => code(secret, steps));
  return ['000000', '111111', '222222', '333333'].find((c) => !near.includes(c));
}

async function check(name, flow) {
  await flow();
  console.log(`ok ${name}`);
}

// legacy sends a password with amazon-cognito-identity-js and gives the name of
// the callback that answered.
function legacy(username, flowType) {
  const pool = new CognitoUserPool({
    UserPoolId: required.userPoolId,
    ClientId: required.userPoolClientId,
    endpoint,
  });
  const user = new CognitoUser({ Username: username, Pool: pool });
  user.setAuthenticationFlowType(flowType);
  const answered = new Promise((resolve, reject) => {
    user.authenticateUser(new AuthenticationDetails({ Username: username, Password: password }), {
      onSuccess: () => resolve('onSuccess'),
      onFailure: reject,
      mfaSetup: () => resolve('mfaSetup'),
      totpRequired: () => resolve('totpRequired'),
    });
  });
  return { user, answered };
}

function enrollLegacy(username, flowType) {
  return async () => {
    const first = legacy(username, flowType);
    assert.equal(await first.answered, 'mfaSetup');
    const secret = await new Promise((resolve, reject) => {
      first.user.associateSoftwareToken({ associateSecretCode: resolve, onFailure: reject });
    });
    const verify = (userCode) => new Promise((resolve, reject) => {
      first.user.verifySoftwareToken(userCode, 'phone', { onSuccess: resolve, onFailure: reject });
    });
    await assert.rejects(verify(wrongCode(secret)), { code: 'EnableSoftwareTokenMFAException' });
    await verify(code(secret, -1));
    assert.ok(first.user.getSignInUserSession().isValid());

    const second = legacy(username, flowType);
    assert.equal(await second.answered, 'totpRequired');
    const send = (userCode) => new Promise((resolve, reject) => {
      second.user.sendMFACode(userCode, { onSuccess: resolve, onFailure: reject }, 'SOFTWARE_TOKEN_MFA');
    });
    await assert.rejects(send(wrongCode(secret)), { code: 'CodeMismatchException' });
    await assert.rejects(send(code(secret, -1)), { code: 'ExpiredCodeException' });
    const session = await send(code(secret, 0));
    assert.equal(session.getAccessToken().payload.username, username);

    const data = await new Promise((resolve, reject) => {
      second.user.getUserData((err, got) => (err ? reject(err) : resolve(got)));
    });
    assert.deepEqual(data.UserMFASettingList, ['SOFTWARE_TOKEN_MFA']);
    await new Promise((resolve, reject) => {
      second.user.refreshSession(session.getRefreshToken(), (err, got) => (err ? reject(err) : resolve(got)));
    });
    await new Promise((resolve, reject) => {
      second.user.globalSignOut({ onSuccess: resolve, onFailure: reject });
    });
  };
}

function configure(pool) {
  Amplify.configure({ Auth: { Cognito: { ...pool, userPoolEndpoint: endpoint } } });
}

// amplify sends a password with Amplify and gives the next step.
async function amplify(username, authFlowType) {
  const { nextStep } = await signIn({ username, password, options: { authFlowType } });
  return nextStep;
}

function enrollAmplify(username, authFlowType) {
  return async () => {
    configure(required);
    const setup = await amplify(username, authFlowType);
    assert.equal(setup.signInStep, 'CONTINUE_SIGN_IN_WITH_TOTP_SETUP');
    const secret = setup.totpSetupDetails.sharedSecret;
    await assert.rejects(confirmSignIn({ challengeResponse: wrongCode(secret) }), { name: 'EnableSoftwareTokenMFAException' });
    let next = await confirmSignIn({ challengeResponse: code(secret, -1) });
    assert.equal(next.nextStep.signInStep, 'DONE');
    const { tokens } = await fetchAuthSession();
    assert.equal(tokens.accessToken.payload.username, username);
    assert.equal(tokens.idToken.payload.email, `${username}@example.com`);
    assert.deepEqual(await fetchMFAPreference(), { enabled: ['TOTP'], preferred: 'TOTP' });
    assert.equal((await fetchUserAttributes()).email, `${username}@example.com`);
    await signOut();

    assert.equal((await amplify(username, authFlowType)).signInStep, 'CONFIRM_SIGN_IN_WITH_TOTP_CODE');
    await assert.rejects(confirmSignIn({ challengeResponse: wrongCode(secret) }), { name: 'CodeMismatchException' });
    next = await confirmSignIn({ challengeResponse: code(secret, 0) });
    assert.equal(next.nextStep.signInStep, 'DONE');
    const before = (await fetchAuthSession()).tokens.accessToken.payload;
    const after = (await fetchAuthSession({ forceRefresh: true })).tokens.accessToken.payload;
    assert.equal(after.origin_jti, before.origin_jti);
    assert.notEqual(after.jti, before.jti);
    await signOut({ global: true });
  };
}

await check('amazon-cognito-identity-js, SRP', enrollLegacy('ada', 'USER_SRP_AUTH'));
await check('amazon-cognito-identity-js, password', enrollLegacy('grace', 'USER_PASSWORD_AUTH'));
await check('Amplify, SRP', enrollAmplify('linus', 'USER_SRP_AUTH'));
await check('Amplify, password', enrollAmplify('barbara', 'USER_PASSWORD_AUTH'));

await check('Amplify, signed in already', async () => {
  configure(optional);
  assert.equal((await amplify('ada', 'USER_SRP_AUTH')).signInStep, 'DONE');
  assert.deepEqual(await fetchMFAPreference(), { enabled: undefined, preferred: undefined });
  const { sharedSecret } = await setUpTOTP();
  await assert.rejects(verifyTOTPSetup({ code: wrongCode(sharedSecret) }), { name: 'EnableSoftwareTokenMFAException' });
  await verifyTOTPSetup({ code: code(sharedSecret, -1), options: { friendlyDeviceName: 'phone' } });
  await updateMFAPreference({ totp: 'PREFERRED' });
  assert.deepEqual(await fetchMFAPreference(), { enabled: ['TOTP'], preferred: 'TOTP' });
  await signOut();
  assert.equal((await amplify('ada', 'USER_SRP_AUTH')).signInStep, 'CONFIRM_SIGN_IN_WITH_TOTP_CODE');
  assert.equal((await confirmSignIn({ challengeResponse: code(sharedSecret, 0) })).nextStep.signInStep, 'DONE');
  await updateMFAPreference({ totp: 'DISABLED' });
  assert.deepEqual(await fetchMFAPreference(), { enabled: undefined, preferred: undefined });
  await signOut();
});

await check('Amplify, several factors', async () => {
  configure(optional);
  const choice = await amplify('grace', 'USER_SRP_AUTH');
  assert.equal(choice.signInStep, 'CONTINUE_SIGN_IN_WITH_MFA_SELECTION');
  assert.deepEqual(choice.allowedMFATypes, ['SMS', 'TOTP']);
  const { nextStep } = await confirmSignIn({ challengeResponse: 'TOTP' });
  assert.equal(nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_TOTP_CODE');
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  assert.equal((await confirmSignIn({ challengeResponse: code(secret, 0) })).nextStep.signInStep, 'DONE');
  await signOut();
});

await check('Amplify, a new password first', async () => {
  configure(required);
  const step = await amplify('hedy', 'USER_SRP_AUTH');
  assert.equal(step.signInStep, 'CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED');
  const { nextStep } = await confirmSignIn({ challengeResponse: 'Other-Horse-2' });
  assert.equal(nextStep.signInStep, 'CONTINUE_SIGN_IN_WITH_TOTP_SETUP');
});

await check('Amplify, a wrong password', async () => {
  configure(optional);
  await assert.rejects(signIn({ username: 'linus', password: 'wrong' }), { name: 'NotAuthorizedException' });
});
