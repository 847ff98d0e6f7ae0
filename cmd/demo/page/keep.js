// What survives a reload: how far the sign-in has come. Never the TOTP secret
// or the QR code: the service gives the same pending enrollment again.
//
// This is the demo's choice. sessionStorage belongs to this tab and goes with
// it, but every script on the page can read it, and a real front end has better
// places for a token: see "Where the tokens live" in docs/frontends.md. The
// page's Content-Security-Policy lets no script in but its own.

const name = 'demo-sign-in';

/** Keeps the sign-in and the view for this tab; forgets them when signed out. */
export function keep(who) {
  if (who.accessToken || who.challenge) {
    sessionStorage.setItem(name, JSON.stringify(who));
  } else {
    sessionStorage.removeItem(name);
  }
}

/** The sign-in and the view from before a reload, or nothing. */
export function kept() {
  return JSON.parse(sessionStorage.getItem(name) ?? '{}');
}
