package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

const (
	region   = "us-east-1"
	poolID   = region + "_Rollout"
	clientID = "rollout"
)

// standIn is a Cognito of its own for each way of the rollout.
type standIn struct {
	*cognitotest.Server
	url string
}

// newStandIn starts a Cognito with a quota and everybody in its pool. It ends
// with ctx.
func newStandIn(ctx context.Context, o options) (*standIn, error) {
	pool := cognitotest.Pool{ID: poolID, MFA: cognitotest.MFAOptional, Clients: []cognitotest.Client{{ID: clientID}}}
	if o.flow == "session" {
		pool.MFA = cognitotest.MFARequired
	}
	for i := range o.people {
		pool.Users = append(pool.Users, cognitotest.User{Username: username(i), Password: "Correct-Horse-1"})
	}
	quota := cognitotest.CognitoQuota()
	quota.UserResourceUpdate = o.quota
	server, err := cognitotest.New(cognitotest.Options{
		Pools: []cognitotest.Pool{pool}, Quota: quota, Latency: cognitotest.Latency{Min: 20 * time.Millisecond, Max: 60 * time.Millisecond},
	})
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = web.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = web.Close() })
	s := &standIn{Server: server, url: "http://" + listener.Addr().String()}
	if o.others > 0 {
		go s.takeBy(ctx, o.others)
	}
	return s, nil
}

func username(i int) string { return fmt.Sprintf("person-%d", i) }

// takeBy is somebody else in the AWS account.
func (s *standIn) takeBy(ctx context.Context, rps float64) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rps))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.Spend(1)
		case <-ctx.Done():
			return
		}
	}
}

// writes counts the calls that were made of the quota, and those refused.
func (s *standIn) writes() (calls, refused int) {
	for _, operation := range []string{"AssociateSoftwareToken", "VerifySoftwareToken", "SetUserMFAPreference"} {
		calls += s.Calls(operation)
		refused += s.Refused(operation)
	}
	return calls, refused
}
