// Who is signed in: the tokens stay in this process, and the browser has a random
// name for them. Put your session library here; what the route needs is these two.
import { randomBytes } from 'node:crypto';

const name = '__Host-session';
const sessions = (globalThis.mfaRecipeSessions ??= new Map()); // Next loads a module more than once

/** The access token of whoever sends this request, if somebody is signed in. */
export function accessToken(request) {
  const pair = request.headers.get('Cookie')?.split('; ').find((c) => c.startsWith(`${name}=`));
  return sessions.get(pair?.slice(name.length + 1))?.accessToken;
}

/** Keeps the tokens of a sign-in, and gives the Set-Cookie that goes with them. */
export function begin(tokens) {
  const id = randomBytes(32).toString('base64url');
  sessions.set(id, tokens);
  return `${name}=${id}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}
