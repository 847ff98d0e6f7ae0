// The first step of a sign-in, which is between the front end and Cognito
// alone: InitiateAuth. Here that is the stand-in, and the flow is the simplest
// there is. A real front end uses its Cognito library and USER_SRP_AUTH.

/** What Cognito refused, in words for people. */
export class SignInError extends Error {}

/** Signs in against the stand-in: { AuthenticationResult } or a challenge. */
export function cognito(demo) {
  return async function initiateAuth({ clientId, username, password }, signal) {
    const parameters = { USERNAME: username, PASSWORD: password };
    const { clientSecret } = demo.pools.find((pool) => pool.clientId === clientId);
    if (clientSecret) parameters.SECRET_HASH = await secretHash(clientSecret, username + clientId);
    const reply = await fetch(demo.cognito, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': 'AWSCognitoIdentityProviderService.InitiateAuth',
      },
      body: JSON.stringify({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId: clientId, AuthParameters: parameters }),
      signal,
    });
    const body = await reply.json();
    if (reply.ok) return fromCognito(body);
    throw new SignInError(body.__type === 'NotAuthorizedException' ? 'That is not the right password.' : 'Signing in did not work. Try again.');
  };
}

/** Cognito's reply in the shape that the service's answerChallenge has. */
function fromCognito({ AuthenticationResult: result, ChallengeName: name, Session: session, ChallengeParameters: parameters }) {
  if (result) return { outcome: 'signed_in', tokens: { accessToken: result.AccessToken } };
  return { outcome: 'challenge', challenge: { name, session, parameters } };
}

/**
 * SECRET_HASH, the proof that a caller knows the app client's secret. A browser
 * must never hold that secret: the demo's is public, and only its made-up pool
 * knows it. A real front end uses a client without one, or signs in elsewhere.
 */
async function secretHash(secret, message) {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, encoder.encode(message));
  return btoa(String.fromCharCode(...new Uint8Array(mac)));
}
