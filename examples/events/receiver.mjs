// A receiver of events (docs/events.md) in Node without a package: it verifies the
// signature, refuses what is old or was had before, and hands each event to mail(),
// at most five an hour for each person.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const key = Buffer.from(process.env.EVENTS_SECRET.replace(/^whsec_/, ''), 'base64');
const had = new Set();
const mailed = new Map();

function verified({ 'webhook-id': id, 'webhook-timestamp': stamp, 'webhook-signature': signatures = '' }, body) {
  const right = createHmac('sha256', key).update(`${id}.${stamp}.`).update(body).digest();
  const same = (given) => given.length === right.length && timingSafeEqual(given, right);
  return signatures.split(' ').some((s) => s.startsWith('v1,') && same(Buffer.from(s.slice(3), 'base64')))
    && Math.abs(Date.now() / 1000 - Number(stamp)) <= 300;
}

/** Yours to write: find the address with AdminGetUser (data.poolId, data.subject), and send. */
function mail(event) {
  console.log('mail', JSON.stringify({ person: event.subject, what: event.type, when: event.time, ...event.data }));
}

function notify(event) {
  if (!event.data.verified) return; // What is not verified anybody may claim.
  const recent = (mailed.get(event.subject) ?? []).filter((at) => at > Date.now() - 3_600_000);
  if (recent.length >= 5) return;
  mailed.set(event.subject, [...recent, Date.now()]);
  mail(event);
}

const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const id = request.headers['webhook-id'];
  if (!verified(request.headers, body)) return response.writeHead(401).end();
  response.writeHead(had.has(id) ? 200 : 204).end(); // What was had before is no failure.
  if (had.has(id)) return;
  had.add(id);
  if (had.size > 100_000) had.delete(had.values().next().value);
  notify(JSON.parse(body));
});
server.listen(Number(process.env.PORT ?? 8090), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
