import { startTotp, verifyTotp } from './made/hey-api/index.js';

export async function enroll(show: (qrCode: string) => void, code: string): Promise<string | boolean | undefined> {
  const { data: enrollment } = await startTotp();
  if (enrollment) show(enrollment.qrCode);
  const { data } = await verifyTotp({ body: { code } });
  if (data?.outcome === 'enabled') return data.mfa.totp.enabled;
  return data?.outcome === 'signed_in' ? data.tokens.accessToken : undefined;
}
