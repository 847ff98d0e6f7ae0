package main

import (
	"errors"
	"flag"
	"io"
	"time"

	"mfa-enrollment/internal/quota/crowd"
)

// options are what a rollout is made of.
type options struct {
	crowd.Behavior
	people   int
	times    float64
	flow     string
	ways     string
	replicas int
	redis    string
	quota    int
	others   float64
	seed     uint64
	chart    string

	oneOffice bool
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (options, error) {
	o := options{Behavior: crowd.Behavior{Spread: .5}}
	f := flag.NewFlagSet("rollout", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.people, "people", 0, "how many `people` enroll; 0: as many as -times wants")
	f.DurationVar(&o.Over, "over", 90*time.Second, "`time` over which they arrive")
	f.Float64Var(&o.times, "times", 4, "how many `times` the limit arrives")
	f.StringVar(&o.flow, "flow", "token", "token (signed in) or session (signing in)")
	f.StringVar(&o.ways, "through", "both", "service, directly, or both, one after the other")
	f.IntVar(&o.replicas, "replicas", 1, "`replicas` of the service; each request meets any of them")
	f.StringVar(&o.redis, "redis", "", "`URL` of a Redis that the replicas share")
	f.IntVar(&o.quota, "quota", 25, "Cognito's quota, and COGNITO_WRITE_RPS, in `calls` a second")
	f.Float64Var(&o.others, "others-rps", 0, "`calls` a second that others in the AWS account take of it")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of all chance")
	f.StringVar(&o.chart, "chart", "", "`file` for a picture (SVG)")
	f.DurationVar(&o.Scan, "scan", 20*time.Second, "`time` in which half of the people have scanned")
	f.Float64Var(&o.Mistype, "mistype", .15, "`share` whose first code is wrong")
	f.Float64Var(&o.DoubleClick, "double-click", .10, "`share` who click twice")
	f.Float64Var(&o.Reload, "reload", .10, "`share` who reload the page while they scan")
	f.Float64Var(&o.Abandon, "abandon", 0, "`share` who start and never finish")
	f.DurationVar(&o.React, "react", 5*time.Second, "`time` until people do something about an error")
	f.IntVar(&o.Clicks, "clicks", 5, "failures in a row after which people give up, where nobody told them when to come back")
	f.DurationVar(&o.Patience, "patience", 15*time.Minute, "`time` after which people give up in any case")
	f.BoolVar(&o.oneOffice, "one-office", false, "everybody comes from one address")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.check(f.NArg())
}

func (o *options) check(rest int) error {
	switch {
	case rest > 0:
		return errors.New("there are no arguments, only flags")
	case o.flow != "token" && o.flow != "session":
		return errors.New("-flow wants token or session")
	case o.ways != "both" && o.ways != "service" && o.ways != "directly":
		return errors.New("-through wants service, directly or both")
	case o.replicas < 1 || o.quota < 1 || o.Over <= 0 || o.Scan <= 0 || o.people < 0 || o.others < 0:
		return errors.New("-replicas, -quota, -over and -scan want more than nothing, -people and -others-rps not less")
	case o.others >= float64(o.quota):
		return errors.New("-others-rps wants to leave something of -quota")
	}
	if o.people == 0 {
		o.people = int(o.times * o.limit() * o.Over.Seconds())
	}
	return nil
}

// callsEach is how many calls of the quota an enrollment needs.
func (o *options) callsEach() float64 {
	if o.flow == "session" {
		return 2 // AssociateSoftwareToken, VerifySoftwareToken
	}
	return 3 // and SetUserMFAPreference
}

// limit is how many people a second what is left of the quota carries.
func (o *options) limit() float64 { return (float64(o.quota) - o.others) / o.callsEach() }

// The ways to Cognito.
const (
	throughService = "through the service"
	directly       = "directly"
)

func (o *options) waysToPlay() []string {
	switch o.ways {
	case "service":
		return []string{throughService}
	case "directly":
		return []string{directly}
	default:
		return []string{throughService, directly}
	}
}
