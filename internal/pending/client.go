package pending

import "github.com/redis/go-redis/v9"

// Client is the connection to Redis, for what else the replicas share. Health
// tells whether it is worth asking.
func (r *Redis) Client() redis.UniversalClient { return r.client }
