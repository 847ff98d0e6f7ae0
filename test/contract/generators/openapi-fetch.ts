import createClient from 'openapi-fetch';
import type { paths } from './made/openapi-typescript.js';

const client = createClient<paths>({ baseUrl: 'https://mfa.example' });

export async function enroll(show: (qrCode: string) => void, code: string): Promise<string | boolean | undefined> {
  const { data: enrollment } = await client.POST('/v1/mfa/totp', { body: {} });
  if (enrollment) show(enrollment.qrCode);
  const { data } = await client.POST('/v1/mfa/totp/verify', { body: { code } });
  if (data?.outcome === 'enabled') return data.mfa.totp.enabled;
  return data?.outcome === 'signed_in' ? data.tokens.accessToken : undefined;
}
