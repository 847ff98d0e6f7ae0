package events

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mfa-enrollment/internal/enroll"
)

var documented = sync.OnceValues(func() (*jsonschema.Schema, error) {
	text, err := os.ReadFile("../../docs/events.schema.json")
	if err != nil {
		return nil, err
	}
	content, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schema, content); err != nil {
		return nil, err
	}
	return c.Compile(schema)
})

// holdsToSchema holds a document against docs/events.schema.json.
func holdsToSchema(t testing.TB, body []byte) {
	t.Helper()
	s, err := documented()
	if err != nil {
		t.Fatal(err)
	}
	content, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(content); err != nil {
		t.Errorf("%v\n%s", err, body)
	}
}

func TestEveryEventHoldsToTheSchema(t *testing.T) {
	for _, what := range enroll.EventTypes() {
		for _, e := range []enroll.Event{
			{Type: what, Person: person(0), Flow: enroll.FlowToken},
			{Type: what, Person: person(2), Flow: enroll.FlowSession, Address: "2001:db8::1", DeviceName: strings.Repeat("ü", 64)},
			{Type: what, Person: enroll.Person{ClientID: "c", Username: strings.Repeat("x", 128)}, Flow: enroll.FlowSession},
		} {
			e.At = time.Now()
			body, err := write("evt_"+strings.Repeat("A", 26), e)
			if err != nil {
				t.Fatal(err)
			}
			holdsToSchema(t, body)
		}
	}
}

// The schema must not take everything.
func TestTheSchemaRefusesWhatNoEventIs(t *testing.T) {
	s, err := documented()
	if err != nil {
		t.Fatal(err)
	}
	good, err := write("evt_"+strings.Repeat("A", 26), happening(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string][2]string{
		"a type that is none":           {"app.enrolled", "app.stolen"},
		"a verified person without sub": {`"subject":"00000000-0000-4000-8000-000000000000",`, ``},
		"a member more":                 {`"flow"`, `"secret":"JBSWY3DP","flow"`},
		"a version that is none":        {`"1.0"`, `"0.3"`},
		"a claim beside a subject":      {`"flow"`, `"username":"ada","flow"`},
		"a person who is not verified":  {`"verified":true`, `"verified":false`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		content, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if bad == string(good) || s.Validate(content) == nil {
			t.Errorf("%s is taken: %s", what, bad)
		}
	}
}

// Nothing secret can be put into an event by mistake: it has no member of type
// Secret, and its texts are these alone.
func TestAnEventHasNoRoomForASecret(t *testing.T) {
	var texts []string
	var look func(reflect.Type)
	look = func(s reflect.Type) {
		for i := range s.NumField() {
			switch f := s.Field(i); {
			case f.Type == reflect.TypeFor[enroll.Secret](), f.Type.Kind() == reflect.Map, f.Type.Kind() == reflect.Slice, f.Type.Kind() == reflect.Interface:
				t.Errorf("%s is a %s", f.Name, f.Type)
			case f.Type == reflect.TypeFor[time.Time]():
			case f.Type.Kind() == reflect.Struct:
				look(f.Type)
			default:
				texts = append(texts, f.Name)
			}
		}
	}
	look(reflect.TypeFor[enroll.Event]())
	if got, want := strings.Join(texts, " "), "Type PoolID Subject ClientID Username Flow Address DeviceName"; got != want {
		t.Errorf("the texts of an event are %s, want %s", got, want)
	}
}
