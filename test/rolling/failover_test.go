package rolling

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/internal/redislink/redistest"
	"mfa-enrollment/test/long"
	"mfa-enrollment/test/world"
)

// A master of a Redis cluster dies in the middle of 200 enrollments. Until
// another node takes over, each replica goes on by itself. A page that asks the
// other replica then shows another QR code, and the replies tell people to scan
// that one: everybody finishes.
func TestNobodyIsLostWhenAMasterOfTheClusterDies(t *testing.T) {
	long.Only(t, "takes half a minute")
	const people, perSecond, killAt = 200, 20, 60
	cluster := redistest.StartCluster(t)
	settings := map[string]string{"COGNITO_WRITE_RPS": "1000", "REDIS_URL": cluster.URL("").Reveal(), "SEAL_KEYS": world.SealKeys}
	w := world.NewWith(t, world.Crowd(people), settings)
	replicas := []*world.World{w, w.Replica(settings)}

	var differing, anew, lost atomic.Int64
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	var killed time.Time
	for i := range people {
		<-tick.C
		if i == killAt {
			cluster.Master(t, "mfa-enrollment:{1}:").Kill()
			killed = time.Now()
		}
		all.Go(func() {
			p := &one{World: w, replicas: replicas, turn: i, token: w.Token(world.Optional, world.OptionalClient, world.Person(i))}
			if err := p.enroll(); err != nil {
				lost.Add(1)
				t.Errorf("%s: %v", world.Person(i), err)
			}
			differing.Add(int64(p.differing))
			anew.Add(int64(p.anew))
		})
	}
	all.Wait()

	token := w.Token(world.Optional, world.OptionalClient, "ada")
	w.Await("sharing", func() bool {
		first, second := replicas[0].Begin(token, nil), replicas[1].Begin(token, nil)
		return first.Status/100 == 2 && first.JSON(t)["secret"] == second.JSON(t)["secret"]
	})
	t.Logf("%d enrollments, %d lost, %d showed differing QR codes, %d began anew; sharing again at most %v after the kill",
		people, lost.Load(), differing.Load(), anew.Load(), time.Since(killed).Round(10*time.Millisecond))
}

// one is a person whose every request meets the other replica.
type one struct {
	*world.World
	replicas        []*world.World
	turn            int
	token           string
	differing, anew int
}

func (p *one) next() *world.World {
	p.turn++
	return p.replicas[p.turn%len(p.replicas)]
}

// enroll scans what the page shows, reloads it once, and does as the replies say.
func (p *one) enroll() error {
	var last world.Reply
	for range 10 {
		scanned, err := p.start()
		if err != nil {
			return err
		}
		shown, err := p.start() // a reload
		if err != nil {
			return err
		}
		if shown != scanned {
			p.differing++
		}
		time.Sleep(time.Second)
		for _, secret := range []string{scanned, shown} { // what the phone has, and then what the page shows
			last = p.next().Verify(p.token, world.Object{"code": p.CodeAt(secret, 0)})
			if last.Status == 200 {
				return nil
			}
		}
		p.anew++
	}
	return fmt.Errorf("verify: %d %s", last.Status, last.Body)
}

// start shows a QR code, however often it is told to come back.
func (p *one) start() (secret string, err error) {
	var r world.Reply
	for range 20 {
		if r = p.next().Begin(p.token, nil); r.Status/100 == 2 {
			return r.JSON(p.T)["secret"].(string), nil
		}
		time.Sleep(time.Second)
	}
	return "", fmt.Errorf("start: %d %s", r.Status, r.Body)
}
