package enroll

import (
	"fmt"
	"log/slog"
)

// Redacted is what a Secret shows of itself wherever it is printed, logged or
// marshalled.
const Redacted = "[redacted]"

// Secret is a value that nobody but its addressee may see: an access token, a
// session, a TOTP secret, an otpauth URI, a code, a client secret. It prints,
// logs and marshals as [redacted]; only the one place that must send it calls
// Reveal.
type Secret string

// Reveal returns the value itself, for the one place that must send it.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string { return Redacted }

// Format implements fmt.Formatter, so that no verb (%x, %q, %#v) gets past
// String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
