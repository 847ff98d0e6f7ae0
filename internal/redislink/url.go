package redislink

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"mfa-enrollment/internal/enroll"
)

// How long Redis may take where its URL does not say otherwise: it stands close
// by, and a person waits.
const (
	dialPatience = 300 * time.Millisecond
	callPatience = 300 * time.Millisecond // reading, writing, waiting for a connection
)

// poolSize is how many connections a replica makes at most, to each node of a
// cluster, where the URL does not say otherwise. go-redis would make ten for each
// processor: on one processor ten operations of 200 ms each are 50 a second, and
// a rush needs some 300.
const poolSize = 100

// reloadInterval is how often a cluster's slot map is read again. go-redis's own
// 60 s leave a replica alone that long after a failover.
const reloadInterval = 5 * time.Second

// What is wrong with a URL. The texts are constants, since the parsers quote
// what they were given, and that may be part of a password.
var (
	errURL = errors.New("it is not understood: want redis:// or rediss:// (TLS), or unix:// with a path, " +
		"user and password percent-encoded, and only options that go-redis knows, with sizes of 0 to 10,000")
	errReplicas = errors.New("it must not ask for reads from replicas: they lag behind, and an enrollment must be found at once")
)

// Valid tells what is wrong with a URL, in constant words, or nil.
func Valid(url enroll.Secret) error {
	client, _, err := connect(url, nil)
	if err != nil {
		return err
	}
	return client.Close()
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// connect makes the client that a URL asks for, without dialing, and tells how
// long one operation may take with it.
//
// go-redis has three parsers and nothing in a URL that tells which is meant:
//   - master_name=… means Sentinel (redis.ParseFailoverURL);
//   - addr=… or, for a single address, cluster=true means a cluster
//     (redis.ParseClusterURL, which alone has addr; cluster is ours);
//   - anything else is one server (redis.ParseURL).
func connect(secret enroll.Secret, dial dialer) (redis.UniversalClient, time.Duration, error) {
	u, err := url.Parse(secret.Reveal())
	if err != nil || u.Fragment != "" { // A password with a # in it.
		return nil, 0, errURL
	}
	q := u.Query()
	cluster := q.Get("cluster") == "true"
	q.Del("cluster")
	u.RawQuery = q.Encode()
	switch {
	case q.Get("master_name") != "":
		return connectSentinel(u.String(), dial)
	case cluster || q.Has("addr"):
		return connectCluster(u.String(), dial)
	default:
		return connectOne(u.String(), dial)
	}
}

func connectOne(address string, dial dialer) (redis.UniversalClient, time.Duration, error) {
	o, err := redis.ParseURL(address)
	if err != nil || !sane(o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns) {
		return nil, 0, errURL
	}
	patience := bounded(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
	once(&o.MaxRetries)
	pool(&o.PoolSize)
	o.Dialer = dial
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.PipelinePoolSize = -1
	o.MaintNotificationsConfig = noNotifications()
	return redis.NewClient(o), patience, nil
}

func connectSentinel(address string, dial dialer) (redis.UniversalClient, time.Duration, error) {
	o, err := redis.ParseFailoverURL(address)
	if err != nil || !sane(o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns) {
		return nil, 0, errURL
	}
	if o.ReplicaOnly || o.RouteByLatency || o.RouteRandomly {
		return nil, 0, errReplicas
	}
	patience := bounded(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
	once(&o.MaxRetries)
	pool(&o.PoolSize)
	o.Dialer = dial
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.PipelinePoolSize = -1
	return redis.NewFailoverClient(o), patience, nil
}

func connectCluster(address string, dial dialer) (redis.UniversalClient, time.Duration, error) {
	o, err := redis.ParseClusterURL(address)
	if err != nil || !sane(o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns) {
		return nil, 0, errURL
	}
	if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
		return nil, 0, errReplicas
	}
	patience := bounded(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
	pool(&o.PoolSize)
	o.ClusterStateReloadInterval = reloadInterval
	o.Dialer = dial
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.PipelinePoolSize = -1
	o.MaintNotificationsConfig = noNotifications()
	return redis.NewClusterClient(o), patience, nil
}

// sane tells whether go-redis can make pools of these sizes. It panics for some
// that it cannot make, and a cluster's only with the first request.
func sane(sizes ...int) bool {
	return slices.Min(sizes) >= 0 && slices.Max(sizes) <= 10_000
}

// bounded sets what the URL leaves open, or without end, and tells how long one
// operation may take altogether, retries and redirects included.
func bounded(dial, read, write, pool *time.Duration) time.Duration {
	for _, d := range []*time.Duration{read, write, pool} {
		if *d <= 0 {
			*d = callPatience
		}
	}
	if *dial <= 0 {
		*dial = dialPatience
	}
	return *dial + *write + *read
}

// once retries once where the URL says nothing: a connection that Redis closed
// is noticed by using it.
func once(retries *int) {
	if *retries == 0 {
		*retries = 1
	}
}

func pool(size *int) {
	if *size == 0 {
		*size = poolSize
	}
}

// noNotifications switches off what a client asks Redis Enterprise for at every
// connection, which an ACL user would need one more right for.
func noNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
