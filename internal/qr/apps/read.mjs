// Reads a list of otpauth URIs (JSON on stdin) with three libraries, and prints
// what each makes of each: {library, secret, issuer, account} or {library, error}.
import { parseURI } from '@otplib/uri';
import * as otpauth from 'otpauth';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const urlOtpauth = createRequire(import.meta.url)('url-otpauth');

const libraries = {
  otpauth(uri) {
    const key = otpauth.URI.parse(uri);
    return { secret: key.secret.base32, issuer: key.issuer, account: key.label, digits: key.digits, period: key.period };
  },
  'url-otpauth'(uri) {
    const key = urlOtpauth.parse(uri);
    return { secret: key.key, issuer: key.issuer, account: key.account, digits: key.digits, period: 30 };
  },
  otplib(uri) {
    const key = parseURI(uri);
    const label = key.label.split(':');
    return { secret: key.params.secret, issuer: key.params.issuer, account: label.slice(1).join(':'), digits: key.params.digits ?? 6, period: key.params.period ?? 30 };
  },
};

const uris = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(uris.map((uri) => Object.entries(libraries).map(([library, read]) => {
  try {
    return { library, ...read(uri) };
  } catch (error) {
    return { library, error: String(error) };
  }
}))));
