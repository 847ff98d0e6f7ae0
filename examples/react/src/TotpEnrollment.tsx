import { useState } from 'react';

import { useTotpEnrollment } from './useTotpEnrollment.js';

interface Props {
  readonly accessToken: string;
  readonly baseUrl?: string;
}

/** The set-up screen: QR code, link, key, and the field for the first code. */
export function TotpEnrollment({ accessToken, baseUrl }: Props) {
  const { state, verify, restart } = useTotpEnrollment(accessToken, baseUrl);
  const [code, setCode] = useState('');
  const [deviceName, setDeviceName] = useState('');

  switch (state.step) {
    case 'loading':
      return <p role="status">{state.problem?.detail ?? 'Getting a QR code…'}</p>;
    case 'failed':
      return <div role="alert"><p>{state.problem.detail}</p><button onClick={restart}>Try again</button></div>;
    case 'done':
      return <p role="status">All set. From now on you sign in with a code from your app as well.</p>;
  }

  const { enrollment, problem } = state;
  const send = (digits: string) => { setCode(''); void verify(digits, deviceName); };
  const enter = (text: string) => {
    const digits = text.replace(/\D/g, '').slice(0, 6);
    if (digits.length === 6) send(digits); else setCode(digits);
  };

  return (
    <form onSubmit={(event) => { event.preventDefault(); if (code.length === 6) send(code); }}>
      <a href={enrollment.otpauthUri}>Open in your authenticator app</a>
      <img src={enrollment.qrCode} alt="QR code to scan with your authenticator app" style={{ imageRendering: 'pixelated' }} />
      <p>Or enter this key: <code>{enrollment.secret.match(/.{1,4}/g)?.join(' ')}</code></p>
      <label>Name of the device (optional) <input value={deviceName} maxLength={128} onChange={(event) => setDeviceName(event.target.value)} /></label>
      <label>
        Code that the app shows
        <input value={code} onChange={(event) => enter(event.target.value)} inputMode="numeric" autoComplete="one-time-code" aria-invalid={!!problem} aria-describedby="code-problem" />
      </label>
      <p id="code-problem" role="alert">{problem?.detail}</p>
      <button>Finish</button>
    </form>
  );
}
