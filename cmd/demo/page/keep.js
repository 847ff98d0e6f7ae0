// What survives a reload: how far the sign-in has come. Never the TOTP secret
// or the QR code: the service gives the same pending enrollment again.
//
// This is the demo's choice. sessionStorage belongs to this tab and goes with
// it, but every script on the page can read it, and a real front end has better
// places for a token: see "Where the tokens live" in docs/frontends.md. The
// page's Content-Security-Policy lets no script in but its own.

const name = 'demo-sign-in';

/** Keeps the screen and the sign-in for this tab; forgets them when signed out. */
export function keep({ screen, who }) {
  if (who.accessToken || who.session) {
    sessionStorage.setItem(name, JSON.stringify({ screen, who }));
  } else {
    sessionStorage.removeItem(name);
  }
}

/** The screen and the sign-in from before a reload, or nothing. */
export function kept() {
  return JSON.parse(sessionStorage.getItem(name) ?? '{}');
}
