import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { JSDOM } from 'jsdom';
import { StrictMode } from 'react';

import type { components } from './api.js';

type Enrollment = components['schemas']['Enrollment'];
type Problem = components['schemas']['Problem'];

// React and the testing library look for a browser when they are loaded.
const { window } = new JSDOM('<!doctype html>', { url: 'http://127.0.0.1/' });
Object.assign(globalThis, { window, document: window.document });
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true });
const { cleanup, fireEvent, render, screen } = await import('@testing-library/react');
const { TotpEnrollment } = await import('./TotpEnrollment.js');

const mfa = { totp: { enabled: true, preferred: true }, methods: [], next: 'none' };

/** A service of one person: it keeps a pending enrollment, as the real one does. */
class Service {
  readonly requests: string[] = [];
  readonly planned: Partial<Problem>[] = [];
  private started = 0;
  private pending?: Enrollment;

  readonly fetch = async (input: string, init: RequestInit): Promise<Response> => {
    const request = `${init.method} ${input}`;
    this.requests.push(request);
    const problem = this.planned.shift();
    if (problem) return Response.json(problem, { status: problem.status ?? 500 });
    if (request === 'POST /v1/mfa/totp/verify') return Response.json({ outcome: 'enabled', mfa, codeReusableAt: '2026-05-04T12:01:00Z', codeReusableIn: 17 });
    if (request !== 'POST /v1/mfa/totp') return Response.json(mfa);
    const resumed = this.pending !== undefined;
    this.pending ??= this.start();
    return Response.json(this.pending, { status: resumed ? 200 : 201 });
  };

  private start(): Enrollment {
    const secret = `SECRET${++this.started}`.padEnd(52, 'A');
    return {
      secret, otpauthUri: `otpauth://totp/Demo:ada?secret=${secret}`, qrCode: `data:image/png;base64,${secret}`,
      issuer: 'Demo', accountName: 'ada', algorithm: 'SHA1', digits: 6, period: 30, expiresAt: '2026-05-04T12:15:00Z', expiresIn: 900,
    };
  }
}

let service: Service;
beforeEach(() => {
  service = new Service();
  Object.assign(globalThis, { fetch: service.fetch });
});
afterEach(cleanup);

const show = () => render(<StrictMode><TotpEnrollment accessToken="token" /></StrictMode>);
const field = () => screen.findByLabelText(/Code that the app shows/);

test('StrictMode mounts twice and shows one QR code', async () => {
  show();
  const pictures = await screen.findAllByAltText(/QR code/);
  assert.deepEqual(pictures.map((picture) => picture.getAttribute('src')?.includes('SECRET1')), [true]);
  assert.deepEqual(service.requests, ['POST /v1/mfa/totp', 'POST /v1/mfa/totp']);
});

test('six digits finish it by themselves, once', async () => {
  show();
  fireEvent.change(await field(), { target: { value: '123 456' } });
  await screen.findByText(/All set/);
  assert.equal(service.requests.filter((request) => request.endsWith('/verify')).length, 1);
});

test('a wrong code is explained, and the QR code stays', async () => {
  show();
  const input = await field();
  service.planned.push({ status: 422, code: 'code_mismatch', detail: 'The clock of the phone is about 2 minutes slow.' });
  fireEvent.change(input, { target: { value: '123456' } });
  await screen.findByText(/2 minutes slow/);
  assert.ok(screen.getByAltText(/QR code/).getAttribute('src')?.includes('SECRET1'));
  fireEvent.change(await field(), { target: { value: '654321' } });
  await screen.findByText(/All set/);
});

test('a right code that was not switched on needs no other code', async () => {
  show();
  const input = await field();
  service.planned.push({ status: 503, code: 'verified_not_enabled', detail: 'The code was right.', retryAfter: 1 });
  fireEvent.change(input, { target: { value: '123456' } });
  await screen.findByText(/All set/);
  assert.equal(service.requests.at(-1), 'PUT /v1/mfa/totp/preference');
});

test('what cannot be corrected is said, with a way to start again', async () => {
  show();
  const input = await field();
  service.planned.push({ status: 409, code: 'enrollment_replaced', detail: 'Start again, and scan the new one.' });
  fireEvent.change(input, { target: { value: '123456' } });
  fireEvent.click(await screen.findByText('Try again'));
  await screen.findByAltText(/QR code/);
});
