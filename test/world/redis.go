package world

import (
	"encoding/base64"
	"testing"

	"mfa-enrollment/internal/redislink/redistest"
)

// RedisServer is a real Redis on a socket of its own, which tests kill and start
// again.
type RedisServer struct {
	*redistest.Server
	T *testing.T
}

// StartRedis runs one until the test ends.
func StartRedis(t *testing.T) *RedisServer {
	t.Helper()
	return &RedisServer{redistest.Start(t), t}
}

// SealKeys is a key that replicas share.
var SealKeys = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))

// Settings name the server, with patience for a slow machine.
func (s *RedisServer) Settings() map[string]string {
	return map[string]string{
		"REDIS_URL": s.URL("").Reveal(),
		"SEAL_KEYS": SealKeys,
	}
}
