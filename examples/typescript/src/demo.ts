// What the tests need around the client: a running demo, the sign-in against
// its stand-in for Cognito, and an authenticator app.

import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Demo {
  /** The service. */
  readonly service: string;
  /** The stand-in for Cognito. */
  readonly cognito: string;
  stop(): void;
}

/** Uses the demo at DEMO_URL and COGNITO_URL, or builds and starts one on free ports. */
export async function startDemo(): Promise<Demo> {
  const { DEMO_URL, COGNITO_URL } = process.env;
  if (DEMO_URL && COGNITO_URL) return { service: DEMO_URL, cognito: COGNITO_URL, stop: () => {} };

  const folder = mkdtempSync(join(tmpdir(), 'mfa-demo-'));
  const program = join(folder, 'demo');
  execFileSync('go', ['build', '-o', program, './cmd/demo'], { cwd: join(import.meta.dirname, '../../..'), stdio: 'inherit' });
  const free = '127.0.0.1:0';
  const child = spawn(program, { env: { ...process.env, ADDR: free, ADMIN_ADDR: free, COGNITO_ADDR: free }, stdio: ['ignore', 'pipe', 'ignore'] });
  const stop = () => { child.kill(); rmSync(folder, { recursive: true }); };

  // It says where it listens: three lines that end in an address.
  const addresses: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (address) addresses.push(address);
    const [service, , cognito] = addresses;
    if (service && cognito) return { service, cognito, stop };
  }
  stop();
  throw new Error('the demo did not start');
}

interface InitiateAuthReply {
  readonly AuthenticationResult?: { readonly AccessToken: string };
  readonly Session?: string;
  readonly ChallengeParameters?: Readonly<Record<string, string>>;
}

/** InitiateAuth against the stand-in. A real front end uses its Cognito library here. */
export async function initiateAuth(cognito: string, clientId: string, username: string, clientSecret?: string): Promise<InitiateAuthReply> {
  const parameters: Record<string, string> = { USERNAME: username, PASSWORD: 'Correct-Horse-1' };
  if (clientSecret) parameters.SECRET_HASH = createHmac('sha256', clientSecret).update(username + clientId).digest('base64');
  const reply = await fetch(cognito, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'AWSCognitoIdentityProviderService.InitiateAuth' },
    body: JSON.stringify({ AuthFlow: 'USER_PASSWORD_AUTH', ClientId: clientId, AuthParameters: parameters }),
  });
  if (!reply.ok) throw new Error(`InitiateAuth: ${reply.status}`);
  return (await reply.json()) as InitiateAuthReply;
}

/** The code of an otpauth:// URI at a moment in milliseconds (RFC 6238), as an authenticator app shows it. */
export function codeOf(otpauthUri: string, at: number): string {
  const secret = new URL(otpauthUri).searchParams.get('secret') ?? '';
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 0x0f) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
