package app_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/test/world"
)

// Two hundred connections ask as fast as they can while the service stops:
// every request that it took was answered in full.
func TestStopLosesNoRequestThatWasTaken(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	before := strings.Count(w.Log.String(), `"msg":"request"`)

	transport := &http.Transport{MaxIdleConnsPerHost: 200, DialContext: (&net.Dialer{Timeout: time.Minute}).DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	var answered, refused atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			for {
				body, err := ask(client, w.URL, token)
				if err != nil {
					refused.Add(1)
					return
				}
				if !strings.Contains(body, secret) {
					t.Errorf("half a reply: %q", body)
					return
				}
				answered.Add(1)
			}
		})
	}
	for answered.Load() < 2000 {
		time.Sleep(time.Millisecond)
	}
	w.Stop()
	all.Wait()
	taken := strings.Count(w.Log.String(), `"msg":"request"`) - before
	if int64(taken) != answered.Load() {
		t.Errorf("%d requests were taken and %d answered", taken, answered.Load())
	}
	if refused.Load() != 200 {
		t.Errorf("%d of 200 connections were told to go", refused.Load())
	}
}

// ask starts an enrollment once, without trying again, and reads all of the reply.
func ask(client *http.Client, url, token string) (string, error) {
	request, err := http.NewRequest(http.MethodPost, url+"/v1/mfa/totp", http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
