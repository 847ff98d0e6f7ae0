import { startTotp } from './made/kubb/clients/startTotp.js';
import { verifyTotp } from './made/kubb/clients/verifyTotp.js';

export async function enroll(show: (qrCode: string) => void, code: string): Promise<string | boolean | undefined> {
  show((await startTotp()).qrCode);
  const result = await verifyTotp({ code });
  if (result.outcome === 'enabled') return result.mfa.totp.enabled;
  return result.outcome === 'signed_in' ? result.tokens.accessToken : undefined;
}
