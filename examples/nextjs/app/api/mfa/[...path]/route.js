// The page's calls, with the access token that stays here. Web-standard Request and
// Response alone, so that it also runs without Next.
import * as session from '../../../../lib/session.js';

// What the page may call. Nothing else of this host's network is reached.
const operations = new Set([
  'POST v1/mfa/totp', 'GET v1/mfa/totp/qr', 'POST v1/mfa/totp/verify', 'PUT v1/mfa/totp/preference', 'GET v1/mfa', 'POST v1/auth/challenge',
]);
const up = ['Accept', 'Content-Type', 'X-Forwarded-For', 'X-Request-Id'];
const down = ['Content-Type', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'];

async function relay(request, { params }) {
  // The cookie alone would let other sites act in the person's name (CSRF).
  if (request.headers.get('Sec-Fetch-Site') !== 'same-origin') return new Response(null, { status: 403 });
  const path = (await params).path.join('/');
  if (!operations.has(`${request.method} ${path}`)) return new Response(null, { status: 404 });

  const body = request.method === 'GET' ? undefined : await request.text();
  const headers = pick(request.headers, up);
  const token = session.accessToken(request);
  if (token && !inSignIn(body)) headers.set('Authorization', `Bearer ${token}`);
  let reply;
  try {
    reply = await fetch(`${process.env.MFA_SERVICE_URL}/${path}`, { method: request.method, headers, body, signal: request.signal, cache: 'no-store', redirect: 'error' });
  } catch {
    return new Response(null, { status: 502 }); // the client calls it unreadable
  }

  const answer = pick(reply.headers, down);
  answer.set('Cache-Control', 'no-store');
  const text = await reply.arrayBuffer();
  const result = reply.ok && reply.headers.get('Content-Type')?.startsWith('application/json') ? JSON.parse(new TextDecoder().decode(text)) : undefined;
  if (result?.outcome !== 'signed_in') return new Response(text, { status: reply.status, headers: answer });
  // The sign-in is complete. The page hears of it and does not see the tokens.
  answer.set('Set-Cookie', session.begin(result.tokens));
  const { tokenType, expiresIn } = result.tokens;
  return new Response(JSON.stringify({ ...result, tokens: { tokenType, expiresIn } }), { status: reply.status, headers: answer });
}

function pick(headers, names) {
  return new Headers(names.filter((name) => headers.has(name)).map((name) => [name, headers.get(name)]));
}

/** In mid-sign-in the session in the body is the one credential. */
function inSignIn(body) {
  try {
    return Boolean(JSON.parse(body).session);
  } catch {
    return false;
  }
}

export { relay as GET, relay as POST, relay as PUT };
