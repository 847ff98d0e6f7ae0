package events

import (
	"time"

	"github.com/go-json-experiment/json"

	"mfa-enrollment/internal/enroll"
)

// What is the same in every document.
const (
	typePrefix  = "mfa-enrollment." // begins the type
	source      = "urn:mfa-enrollment"
	schema      = "urn:mfa-enrollment:event:1" // docs/events.schema.json
	contentType = "application/cloudevents+json; charset=utf-8"
)

// document is an event as a receiver gets it: CloudEvents 1.0 in the JSON format,
// structured mode. docs/events.schema.json describes it.
type document struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	DataSchema      string    `json:"dataschema"`
	Data            data      `json:"data"`
}

type data struct {
	Verified   bool   `json:"verified"`
	PoolID     string `json:"poolId,omitempty"`
	Subject    string `json:"subject,omitempty"`
	ClientID   string `json:"clientId,omitempty"`
	Username   string `json:"username,omitempty"`
	Flow       string `json:"flow"`
	Address    string `json:"address,omitempty"`
	DeviceName string `json:"deviceName,omitempty"`
}

// write makes the document of an event.
func write(id string, e enroll.Event) ([]byte, error) {
	p := e.Person
	d := document{
		SpecVersion: "1.0", ID: id, Source: source, Type: typePrefix + string(e.Type), Time: e.At.UTC(),
		DataContentType: "application/json", DataSchema: schema,
		Data: data{
			Verified: p.Verified(), PoolID: p.PoolID, Subject: p.Subject, ClientID: p.ClientID, Username: p.Username,
			Flow: string(e.Flow), Address: e.Address, DeviceName: e.DeviceName,
		},
	}
	if p.Verified() {
		d.Subject = p.PoolID + "/" + p.Subject
	}
	return json.Marshal(d)
}
