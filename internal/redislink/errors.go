package redislink

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"regexp"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// ErrReply is an answer that its reader does not understand, such as a script's
// from another release.
var ErrReply = errors.New("what Redis answered is not understood")

// kind is what an operation came to.
type kind int

const (
	answered kind = iota
	refusal       // Redis answers, and refuses this command
	crowded       // no connection was free in time: nothing is known of Redis
	lost          // Redis is out of reach, or cannot do anything at the moment
)

// classify tells what an operation came to and, in constant words, why: errors
// of the network quote addresses, and Redis's replies may quote the command.
func classify(err error) (k kind, reason string) {
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return answered, ""
	case errors.Is(err, ErrReply):
		return refusal, "reply not understood"
	case errors.Is(err, redis.ErrPoolTimeout):
		return crowded, ""
	}
	reply, ok := errors.AsType[redis.Error](err)
	if !ok {
		return lost, why(err)
	}
	switch code := errorCode.FindString(reply.Error()); code {
	case "":
		return refusal, "ERR"
	case "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY":
		return lost, code
	default:
		return refusal, code
	}
}

// errorCode is the word that a reply with an error begins with.
var errorCode = regexp.MustCompile(`^[A-Z]{2,20}\b`)

// remedy says what to do about a refusal.
func remedy(code string) string {
	switch code {
	case "OOM":
		return "Redis is out of memory: give it more, or let it evict (maxmemory-policy volatile-ttl)"
	case "NOPERM", "WRONGPASS", "NOAUTH":
		return "docs/pending.md lists the rights that the service needs"
	default:
		return "Redis's documentation explains the code"
	}
}

// why says why Redis was not reached.
func why(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not trusted"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "its host name cannot be resolved"
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return "no answer in time"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF):
		return "the connection was closed"
	default:
		return "the connection failed"
	}
}
