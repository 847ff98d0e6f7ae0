"""Reads a list of otpauth URIs (JSON on stdin) with pyotp, as read.mjs does."""
import json
import sys

import pyotp


def read(uri):
    try:
        key = pyotp.parse_uri(uri)
        return {"library": "pyotp", "secret": key.secret, "issuer": key.issuer, "account": key.name, "digits": key.digits, "period": key.interval}
    except Exception as error:  # pylint: disable=broad-except # Told, and judged by the test.
        return {"library": "pyotp", "error": repr(error)}


print(json.dumps([[read(uri)] for uri in json.load(sys.stdin)]))
