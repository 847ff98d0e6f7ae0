package redistest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// nodeTimeout is after what time a cluster, or Sentinel, takes a node for dead.
const nodeTimeout = time.Second

// Cluster is a Redis cluster of three masters with a replica each.
type Cluster struct {
	Nodes []*Server
	addrs []string
}

// StartCluster runs one until the test ends, and returns when it is whole.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	need(t, "redis-server")
	need(t, "redis-cli")
	c := &Cluster{}
	create := []string{"--cluster", "create"}
	for range 6 {
		s, port := StartOnPort(t, func(port string) []string {
			return []string{
				"--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", FreePort(t),
				"--cluster-node-timeout", millis(nodeTimeout), "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0",
			}
		})
		c.Nodes = append(c.Nodes, s)
		c.addrs = append(c.addrs, "127.0.0.1:"+port)
		create = append(create, "127.0.0.1:"+port+"@"+s.arg("--cluster-port"))
	}
	//nolint:gosec // The program is found by its name, as a person would.
	cli := exec.Command("redis-cli", append(create, "--cluster-replicas", "1", "--cluster-yes")...)
	if out, err := cli.CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	until(t, "the cluster is whole", func() bool {
		for _, n := range c.Nodes {
			info := n.Admin.ClusterInfo(context.Background()).Val()
			nodes := n.Admin.ClusterNodes(context.Background()).Val()
			if !strings.Contains(info, "cluster_state:ok") || strings.Count(nodes, " slave ")+strings.Count(nodes, ",slave ") != 3 {
				return false
			}
			link := n.Admin.Info(context.Background(), "replication").Val()
			if strings.Contains(link, "role:slave") && !strings.Contains(link, "master_link_status:up") {
				return false
			}
		}
		return true
	})
	return c
}

// URL names the cluster by two of its nodes.
func (c *Cluster) URL(options string) enroll.Secret {
	return enroll.Secret("redis://" + c.addrs[0] + "?addr=" + c.addrs[1] + "&" + options)
}

// Master is the node that serves a key.
func (c *Cluster) Master(t testing.TB, key string) *Server {
	t.Helper()
	at := slices.Index(c.addrs, c.Nodes[0].owner(key))
	if at < 0 {
		t.Fatal("nobody serves the key")
	}
	return c.Nodes[at]
}

// TakenOver reports whether all other nodes know that another one than this
// serves a key.
func (c *Cluster) TakenOver(key string, from *Server) bool {
	for _, n := range c.Nodes {
		if n == from {
			continue
		}
		if by := n.owner(key); by == "" || by == c.addrs[slices.Index(c.Nodes, from)] {
			return false
		}
	}
	return true
}

// owner is the address of the node that serves a key, as this one sees it; empty
// where none does.
func (s *Server) owner(key string) string {
	ctx := context.Background()
	slot := int(s.Admin.ClusterKeySlot(ctx, key).Val())
	for _, n := range s.Admin.ClusterSlots(ctx).Val() { //nolint:staticcheck // Valkey has both, and this is the shorter.
		if n.Start <= slot && slot <= n.End {
			return n.Nodes[0].Addr
		}
	}
	return ""
}

// Sentinels is a master with a replica, and three Sentinels that watch them.
type Sentinels struct {
	Master, Replica *Server
	Watching        []*Server // the Sentinels
	addrs           []string
}

// StartSentinels runs them until the test ends, and returns when every Sentinel
// knows of all.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	need(t, "redis-server")
	need(t, "redis-sentinel")
	onPort := func(more ...string) func(port string) []string {
		return func(port string) []string {
			return append([]string{"--port", port, "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"}, more...)
		}
	}
	s := &Sentinels{}
	var port string
	s.Master, port = StartOnPort(t, onPort())
	s.Replica, _ = StartOnPort(t, onPort("--replicaof", "127.0.0.1 "+port))
	for range 3 {
		w, at := StartOnPort(t, func(at string) []string { return sentinel(t, at, port) })
		s.Watching = append(s.Watching, w)
		s.addrs = append(s.addrs, "127.0.0.1:"+at)
	}
	until(t, "the Sentinels know of each other", func() bool {
		for _, w := range s.Watching {
			known := w.Admin.Info(context.Background(), "sentinel").Val()
			if !strings.Contains(known, "status=ok") || !strings.Contains(known, "slaves=1,sentinels=3") {
				return false
			}
		}
		return strings.Contains(s.Replica.Admin.Info(context.Background(), "replication").Val(), "master_link_status:up")
	})
	return s
}

// URL names the master as the Sentinels do.
func (s *Sentinels) URL(options string) enroll.Secret {
	return enroll.Secret("redis://" + s.addrs[0] + "?master_name=mfa&addr=" + s.addrs[1] + "&addr=" + s.addrs[2] + "&" + options)
}

// TakenOver reports whether the replica has become the master.
func (s *Sentinels) TakenOver() bool {
	return strings.Contains(s.Replica.Admin.Info(context.Background(), "replication").Val(), "role:master")
}

// sentinel is the arguments of a Sentinel. It takes the master to watch from a
// file alone, and writes to it.
func sentinel(t testing.TB, port, master string) []string {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := "bind 127.0.0.1\nsentinel monitor mfa 127.0.0.1 " + master + " 2\n" +
		"sentinel down-after-milliseconds mfa " + millis(nodeTimeout) + "\nsentinel failover-timeout mfa 3000\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{conf, "--port", port, "--sentinel"}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// until waits for other processes; its patience is for what never comes.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never happened that %s", what)
		}
	}
}
