package redislink

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
)

func TestWhatAURLMeans(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		check     func(c redis.UniversalClient) bool
	}{
		{"one server", "redis://user:pa%40ss@redis.internal:6380/2", func(c redis.UniversalClient) bool {
			one, ok := c.(*redis.Client)
			if !ok {
				return false
			}
			o := one.Options()
			return o.Addr == "redis.internal:6380" && o.Username == "user" && o.Password == "pa@ss" && o.DB == 2 && o.TLSConfig == nil
		}},
		{"one server by TLS, whose name is checked", "rediss://redis.internal", func(c redis.UniversalClient) bool {
			o := c.(*redis.Client).Options()
			return o.TLSConfig != nil && o.TLSConfig.ServerName == "redis.internal" && !o.TLSConfig.InsecureSkipVerify
		}},
		{"a socket", "unix:///run/redis.sock?db=3", func(c redis.UniversalClient) bool {
			o := c.(*redis.Client).Options()
			return o.Network == "unix" && o.Addr == "/run/redis.sock" && o.DB == 3
		}},
		{"Sentinel, by the master's name", "redis://sentinel:26379?master_name=mfa&addr=sentinel2:26379&username=u&password=p", func(c redis.UniversalClient) bool {
			o := c.(*redis.Client).Options()
			return o.Addr == "FailoverClient" && o.Username == "u" && o.Password == "p"
		}},
		{"a cluster, by its second address", "redis://user:pass@one:6379?addr=two:6379", func(c redis.UniversalClient) bool {
			cluster, ok := c.(*redis.ClusterClient)
			return ok && strings.Join(cluster.Options().Addrs, " ") == "one:6379 two:6379"
		}},
		{"a cluster of one configuration endpoint, by name", "rediss://:pass@config.internal:6379?cluster=true", func(c redis.UniversalClient) bool {
			cluster, ok := c.(*redis.ClusterClient)
			return ok && cluster.Options().TLSConfig != nil && cluster.Options().Password == "pass"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := connect(enroll.Secret(tt.url), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if !tt.check(c) {
				t.Errorf("it is understood as %T", c)
			}
		})
	}
}

func TestNoOperationIsWithoutEnd(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		want          time.Duration
	}{
		{"the URL says nothing", "", 900 * time.Millisecond},
		{"the URL asks for no end", "dial_timeout=0&read_timeout=-1&write_timeout=0", 900 * time.Millisecond},
		{"the URL says how long", "dial_timeout=1&read_timeout=2s&write_timeout=500ms", 3500 * time.Millisecond},
	} {
		for _, kind := range []string{"", "&master_name=mfa", "&cluster=true"} {
			t.Run(tt.name+kind, func(t *testing.T) {
				c, patience, err := connect(enroll.Secret("redis://127.0.0.1:1?"+tt.options+kind), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				if patience != tt.want {
					t.Errorf("an operation may take %v, want %v", patience, tt.want)
				}
			})
		}
	}
}

func TestAURLThatIsNotUnderstoodIsNotTold(t *testing.T) {
	const password = "hunter2"
	for _, tt := range []struct {
		name, url string
		want      error
	}{
		{"nothing", "", errURL},
		{"no scheme", "user:hunter2@127.0.0.1:6379", errURL},
		{"another scheme", "http://user:hunter2@127.0.0.1:6379", errURL},
		{"a password that is not encoded", "redis://user:hunter2%zz@127.0.0.1:6379", errURL},
		{"a password with a slash", "redis://user:/hunter2@127.0.0.1:6379", errURL},
		{"a password with a question mark", "redis://user:?hunter2@127.0.0.1:6379", errURL},
		{"a password with a fragment", "redis://user:#hunter2@127.0.0.1:6379", errURL},
		{"a database that is no number", "redis://user:hunter2@127.0.0.1:6379/hunter2", errURL},
		{"an option that go-redis does not know", "redis://user:hunter2@127.0.0.1:6379?hunter2=hunter2", errURL},
		{"a number that is none", "redis://user:hunter2@127.0.0.1:6379?pool_size=hunter2", errURL},
		{"a pool that is too large", "redis://user:hunter2@127.0.0.1:6379?pool_size=99999999999", errURL},
		{"a pool that is less than nothing", "redis://user:hunter2@127.0.0.1:6379?pool_size=-5", errURL},
		{"Sentinel: too many idle connections", "redis://:hunter2@127.0.0.1:6379?master_name=m&min_idle_conns=99999999999", errURL},
		{"cluster: a pool that is too large", "redis://:hunter2@127.0.0.1:6379?cluster=true&pool_size=99999999999", errURL},
		{"a password with a control character", "redis://user:hunter2\x7f@127.0.0.1:6379", errURL},
		{"Sentinel: an address that is none", "redis://user:hunter2@127.0.0.1:6379?master_name=m&addr=hunter2", errURL},
		{"cluster: an address that is none", "redis://user:hunter2@127.0.0.1:6379?addr=hunter2", errURL},
		{"Sentinel: reads from replicas", "redis://:hunter2@127.0.0.1:6379?master_name=m&replica_only=true", errReplicas},
		{"Sentinel: reads from wherever it is fast", "redis://:hunter2@127.0.0.1:6379?master_name=m&route_by_latency=true", errReplicas},
		{"cluster: reads from replicas", "redis://:hunter2@127.0.0.1:6379?cluster=true&read_only=true", errReplicas},
		{"cluster: reads from anywhere", "redis://:hunter2@127.0.0.1:6379?cluster=true&route_randomly=true", errReplicas},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(enroll.Secret(tt.url), Options{})
			if err == nil {
				s.Close()
				t.Fatal("it is understood")
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("the error is %q, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func FuzzURL(f *testing.F) {
	f.Add("redis://user:pass@127.0.0.1:6379/1?read_timeout=1s")
	f.Add("rediss://127.0.0.1?master_name=m&addr=127.0.0.1:2")
	f.Add("redis://127.0.0.1?cluster=true&pool_size=3")
	f.Fuzz(func(t *testing.T, u string) {
		c, patience, err := connect(enroll.Secret(u), nil)
		if err != nil {
			if !errors.Is(err, errURL) && !errors.Is(err, errReplicas) {
				t.Errorf("an error of a parser: %v", err)
			}
			return
		}
		_ = c.Close()
		if patience <= 0 {
			t.Errorf("an operation may take %v", patience)
		}
	})
}
