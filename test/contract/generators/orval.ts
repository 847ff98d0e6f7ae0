import { startTotp, verifyTotp } from './made/orval.js';

export async function enroll(show: (qrCode: string) => void, code: string): Promise<string | boolean | undefined> {
  const started = await startTotp();
  if (started.status === 200 || started.status === 201) show(started.data.qrCode);
  const reply = await verifyTotp({ code });
  if (reply.status !== 200) return undefined;
  if (reply.data.outcome === 'enabled') return reply.data.mfa.totp.enabled;
  return reply.data.outcome === 'signed_in' ? reply.data.tokens.accessToken : undefined;
}
