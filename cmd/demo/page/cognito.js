// The first step of a sign-in, which is between the front end and Cognito
// alone: InitiateAuth. Here that is the stand-in, and the flow is the simplest
// there is. A real front end uses its Cognito library and USER_SRP_AUTH.

/** What Cognito refused, in words for people. */
export class SignInError extends Error {}

/** Signs in against the stand-in: { accessToken }, or the { challenge } that comes next. */
export function cognito(demo) {
  return async function initiateAuth({ clientId, username, password }) {
    const reply = await fetch(demo.cognito, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': 'AWSCognitoIdentityProviderService.InitiateAuth',
      },
      body: JSON.stringify({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId: clientId, AuthParameters: { USERNAME: username, PASSWORD: password } }),
    });
    const body = await reply.json();
    if (!reply.ok) throw new SignInError(body.__type === 'NotAuthorizedException' ? 'That is not the right password.' : 'Signing in did not work. Try again.');
    if (body.AuthenticationResult) return { accessToken: body.AuthenticationResult.AccessToken };
    return { challenge: { name: body.ChallengeName, session: body.Session, parameters: body.ChallengeParameters } };
  };
}
