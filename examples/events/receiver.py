"""A receiver of events (docs/events.md) in Python's standard library: it verifies
the signature, refuses what is old or was had before, and mails people what
happened, each at most five times an hour."""
import base64, collections, hashlib, hmac, http.server, json, os, smtplib, sys, time
from email.message import EmailMessage

KEY = base64.b64decode(os.environ["EVENTS_SECRET"].removeprefix("whsec_"))
TEXTS = {
    "app.enrolled": "An authenticator app was set up for your account.",
    "app.replaced": "Another authenticator app replaced the one of your account. The old one no longer works.",
    "app.switched_on": "Your account asks for a code of your authenticator app again.",
    "app.switched_off": "Your account does NOT ask for a code any more: the password alone signs in.",
}
had, mailed = collections.OrderedDict(), collections.defaultdict(list)


def verified(headers, body):
    sent, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    right = base64.b64encode(hmac.new(KEY, f"{sent}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    given = [s.removeprefix("v1,") for s in headers.get("webhook-signature", "").split(" ")]
    return any(hmac.compare_digest(right, s) for s in given) and abs(time.time() - int(stamp)) <= 300


def address_of(data):
    """Yours to write: AdminGetUser(data["poolId"], data["subject"]), with credentials of your own."""
    return json.loads(os.environ.get("DIRECTORY", "{}")).get(data["subject"])


def mail(event):
    data, what = event["data"], TEXTS.get(event["type"].removeprefix("mfa-enrollment."))
    if not what or not data["verified"]:  # What is not verified anybody may claim.
        return
    recent = mailed[data["subject"]] = [t for t in mailed[data["subject"]] if t > time.time() - 3600]
    if len(recent) >= 5 or not (to := address_of(data)):
        return
    recent.append(time.time())
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = os.environ.get("MAIL_FROM", "security@example.com"), to, "Your account's sign-in has changed"
    m.set_content(f"{what}\n\nWhen: {event['time']}\nFrom: {data.get('address', 'unknown')}\nDevice: {data.get('deviceName', 'without a name')}\n\n"
                  "If this was not you, call the help desk now.\n")
    with smtplib.SMTP(os.environ.get("SMTP_HOST", "127.0.0.1"), int(os.environ.get("SMTP_PORT", "25"))) as server:
        server.send_message(m)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            ok = verified(self.headers, body)
        except ValueError:  # a timestamp that is no number
            ok = False
        sent = self.headers.get("webhook-id")
        self.send_response(401 if not ok else 200 if sent in had else 204)  # What was had before is no failure.
        self.end_headers()
        if ok and sent not in had:
            had[sent] = None
            if len(had) > 100_000:
                had.popitem(last=False)
            try:
                mail(json.loads(body))
            except OSError as e:
                print("no mail:", type(e).__name__, file=sys.stderr)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8090"))), Receiver)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
