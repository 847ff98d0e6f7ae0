// The service's operations, one function each, as openapi.yaml has them. This
// file needs nothing else of this page.

/** A problem document (RFC 9457). Branch on code, show detail; hint is for developers. */
export class Problem extends Error {
  constructor(document) {
    super(document.detail);
    this.name = 'Problem';
    this.code = document.code;
    this.detail = document.detail;
    this.hint = document.hint;
    this.requestId = document.requestId; // for the operator, who finds it in the log
    this.retryAfter = document.retryAfter;
    this.clockSkewSeconds = document.clockSkewSeconds;
  }
}

// What the service cannot say itself.
const unreachable = { code: 'unreachable', detail: 'The service cannot be reached. Check your connection, then try again.' };
const unreadable = { code: 'unreadable', detail: 'The reply makes no sense. Try again in a moment.' };

/** Starts an enrollment, or gets the one that is pending. */
export async function startTotp(who, { renew = false } = {}, signal) {
  return call('POST', '/v1/mfa/totp', who, { ...session(who), renew }, signal);
}

/** Finishes an enrollment. In mid-sign-in it completes the sign-in as well. */
export async function verifyTotp(who, { code, deviceName, session: next }, signal) {
  const request = { code };
  if (deviceName) request.deviceName = deviceName;
  if (!who.accessToken) Object.assign(request, { session: next, username: who.username, clientId: who.clientId });
  return call('POST', '/v1/mfa/totp/verify', who, request, signal);
}

/** Which second factors are on. */
export async function getMfa(who, signal) {
  return call('GET', '/v1/mfa', who, undefined, signal);
}

/** Switches the authenticator app on or off. */
export async function setTotpPreference(who, enabled, signal) {
  return call('PUT', '/v1/mfa/totp/preference', who, { enabled, preferred: enabled }, signal);
}

/** Answers a challenge of a sign-in: { challenge, code } or { challenge, answer }. */
export async function answerChallenge(who, answer, signal) {
  const request = { clientId: who.clientId, username: who.username, session: who.session, ...answer };
  return call('POST', '/v1/auth/challenge', {}, request, signal);
}

const session = (who) => (who.accessToken ? {} : { session: who.session });

async function call(method, path, { accessToken }, body, signal) {
  const headers = { Accept: 'application/json' };
  if (accessToken) headers.Authorization = `Bearer ${accessToken}`;
  if (body) headers['Content-Type'] = 'application/json';
  let reply;
  try {
    reply = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal, cache: 'no-store' });
  } catch (error) {
    throw error.name === 'AbortError' ? error : new Problem(unreachable);
  }
  const document = await reply.json().catch(() => unreadable);
  signal?.throwIfAborted();
  if (!reply.ok || document === unreadable) throw new Problem(document);
  return document;
}
