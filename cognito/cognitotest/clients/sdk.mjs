// Goes through the flows of the AWS SDK for JavaScript v3 against the stand-in,
// and verifies its tokens with jose and aws-jwt-verify.
//
// ENDPOINT is where the stand-in listens, ADMIN its admin address.

import assert from 'node:assert/strict';
import http from 'node:http';
import {
  AdminCreateUserCommand,
  AdminDeleteSoftwareTokenCommand,
  AdminSetUserPasswordCommand,
  AssociateSoftwareTokenCommand,
  CognitoIdentityProviderClient,
  ConfirmDeviceCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SetUserPoolMfaConfigCommand,
  UpdateUserPoolCommand,
  VerifySoftwareTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { createLocalJWKSet, jwtVerify } from 'jose';

const endpoint = process.env.ENDPOINT;
const idp = new CognitoIdentityProviderClient({
  region: 'us-east-1', endpoint, credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
});
const Password = 'Correct-Horse-1';

async function check(name, flow) {
  await flow();
  console.log(`ok ${name}`);
}

async function code(pool, steps = 0) {
  const query = new URLSearchParams({ pool, username: 'ada', steps });
  return (await (await fetch(`${process.env.ADMIN}/totp?${query}`)).json()).Code;
}

async function make(MfaConfiguration, settings = {}) {
  const { UserPool } = await idp.send(new CreateUserPoolCommand({ PoolName: 'team', ...settings }));
  const UserPoolId = UserPool.Id;
  await idp.send(new SetUserPoolMfaConfigCommand({ UserPoolId, MfaConfiguration, SoftwareTokenMfaConfiguration: { Enabled: true } }));
  const { UserPoolClient } = await idp.send(new CreateUserPoolClientCommand({
    UserPoolId, ClientName: 'app', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_USER_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
  }));
  await idp.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ada', MessageAction: 'SUPPRESS' }));
  await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: 'ada', Password, Permanent: true }));
  return { pool: UserPoolId, ClientId: UserPoolClient.ClientId };
}

const signIn = (ClientId) => idp.send(new InitiateAuthCommand({
  ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: Password },
}));
const answer = (ClientId, ChallengeName, Session, responses) => idp.send(new RespondToAuthChallengeCommand({
  ClientId, ChallengeName, Session, ChallengeResponses: { USERNAME: 'ada', ...responses },
}));

// get fetches one of AWS's addresses from the stand-in, which tells the hosts
// apart by their name.
function get(uri) {
  const { host, pathname } = new URL(uri);
  return new Promise((resolve, reject) => {
    http.get(endpoint + pathname, { headers: { Host: host } }, (res) => {
      let body = '';
      res.on('data', (chunk) => { body += chunk; });
      res.on('end', () => (res.statusCode === 200 ? resolve(body) : reject(new Error(`${uri}: ${res.statusCode}`))));
    }).on('error', reject);
  });
}
const jwksCache = () => new SimpleJwksCache({ fetcher: { fetch: async (uri) => Buffer.from(await get(uri)) } });

const required = await make('ON');
let tokens;

await check('SDK: enrolling during the sign-in, a wrong code first', async () => {
  const step = await signIn(required.ClientId);
  assert.equal(step.ChallengeName, 'MFA_SETUP');
  const { Session } = await idp.send(new AssociateSoftwareTokenCommand({ Session: step.Session }));
  const right = await code(required.pool);
  const wrong = ['000000', '111111', '222222', '333333'].find((c) => c !== right);
  await assert.rejects(idp.send(new VerifySoftwareTokenCommand({ Session, UserCode: wrong })), { name: 'EnableSoftwareTokenMFAException' });
  const verified = await idp.send(new VerifySoftwareTokenCommand({ Session, UserCode: right }));
  tokens = (await answer(required.ClientId, 'MFA_SETUP', verified.Session)).AuthenticationResult;
  assert.ok(tokens.AccessToken);
});

await check('SDK: a new phone after AdminDeleteSoftwareToken', async () => {
  assert.equal((await signIn(required.ClientId)).ChallengeName, 'SOFTWARE_TOKEN_MFA');
  await idp.send(new AdminDeleteSoftwareTokenCommand({ UserPoolId: required.pool, Username: 'ada' }));
  assert.equal((await signIn(required.ClientId)).ChallengeName, 'MFA_SETUP');
});

await check('SDK: USER_AUTH', async () => {
  const { pool, ClientId } = await make('OPTIONAL');
  const step = await idp.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: 'ada' } }));
  assert.equal(step.ChallengeName, 'SELECT_CHALLENGE');
  assert.deepEqual(step.AvailableChallenges, ['PASSWORD', 'PASSWORD_SRP']);
  const done = await answer(ClientId, 'SELECT_CHALLENGE', step.Session, { ANSWER: 'PASSWORD', PASSWORD: Password });
  assert.ok(done.AuthenticationResult.AccessToken, pool);
});

await check('SDK: a pool that remembers devices', async () => {
  const { ClientId } = await make('OPTIONAL', { DeviceConfiguration: { ChallengeRequiredOnNewDevice: false, DeviceOnlyRememberedOnUserPrompt: true } });
  const { AccessToken, RefreshToken, NewDeviceMetadata } = (await signIn(ClientId)).AuthenticationResult;
  const refresh = (DEVICE_KEY) => idp.send(new InitiateAuthCommand({
    ClientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: RefreshToken, ...(DEVICE_KEY && { DEVICE_KEY }) },
  }));
  const confirmed = await idp.send(new ConfirmDeviceCommand({
    AccessToken, DeviceKey: NewDeviceMetadata.DeviceKey, DeviceSecretVerifierConfig: { PasswordVerifier: 'dg==', Salt: 'cw==' },
  }));
  assert.equal(confirmed.UserConfirmationNecessary, true);
  await assert.rejects(refresh(), { name: 'NotAuthorizedException' });
  assert.ok((await refresh(NewDeviceMetadata.DeviceKey)).AuthenticationResult.AccessToken);
});

const issuer = (host, pool) => `https://${host}.us-east-1.amazonaws.com/${pool}`;

await check('jose: both tokens', async () => {
  const original = issuer('cognito-idp', required.pool);
  const keys = createLocalJWKSet(JSON.parse(await get(`${original}/.well-known/jwks.json`)));
  const { payload } = await jwtVerify(tokens.AccessToken, keys, { issuer: original, algorithms: ['RS256'] });
  assert.equal(payload.client_id, required.ClientId);
  await jwtVerify(tokens.IdToken, keys, { issuer: original, audience: required.ClientId });
  await assert.rejects(jwtVerify(tokens.AccessToken, keys, { issuer: issuer('issuer-cognito-idp', required.pool) }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' });
});

await check('aws-jwt-verify: both tokens, and none for the other use', async () => {
  for (const tokenUse of ['access', 'id']) {
    const verifier = CognitoJwtVerifier.create({ userPoolId: required.pool, tokenUse, clientId: required.ClientId }, { jwksCache: jwksCache() });
    const [own, other] = tokenUse === 'access' ? [tokens.AccessToken, tokens.IdToken] : [tokens.IdToken, tokens.AccessToken];
    assert.equal((await verifier.verify(own)).token_use, tokenUse);
    await assert.rejects(verifier.verify(other));
  }
});

await check('aws-jwt-verify: the updated issuer, once the pool is switched', async () => {
  await assert.rejects(get(`${issuer('issuer-cognito-idp', required.pool)}/.well-known/jwks.json`), /403/);
  await idp.send(new UpdateUserPoolCommand({ UserPoolId: required.pool, IssuerConfiguration: { Type: 'UPDATED' } }));
  const { AuthenticationResult } = await idp.send(new InitiateAuthCommand({
    ClientId: required.ClientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: tokens.RefreshToken },
  }));
  const verifier = CognitoJwtVerifier.create({ userPoolId: required.pool, tokenUse: 'access', clientId: required.ClientId }, { jwksCache: jwksCache() });
  assert.equal((await verifier.verify(AuthenticationResult.AccessToken)).iss, issuer('issuer-cognito-idp', required.pool));
  assert.equal((await verifier.verify(tokens.AccessToken)).iss, issuer('cognito-idp', required.pool));
});
