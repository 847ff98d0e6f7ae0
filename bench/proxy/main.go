// Command proxy passes every request on to Cognito and does nothing else: the
// least that standing between a front end and Cognito can cost in Go's standard
// library.
//
// ADDR says where it listens, COGNITO_ENDPOINT where it sends what it gets.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	cognito, err := url.Parse(os.Getenv("COGNITO_ENDPOINT"))
	if err != nil {
		log.Fatal(err)
	}
	// Of the default transport's two idle connections a host, busy callers would
	// keep closing and opening more. That cost is not a proxy's.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 100
	log.Fatal(http.ListenAndServe(os.Getenv("ADDR"), &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(cognito) },
		Transport: transport,
	}))
}
