package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/quota/crowd"
)

func TestEverybodyFinishesThroughTheService(t *testing.T) {
	for _, flow := range []string{"token", "session"} {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			o, err := parse(strings.Fields("-people 60 -over 1s -quota 50 -scan 500ms -react 500ms -through service -flow "+flow), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			reports, err := rehearse(t.Context(), o, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			r := reports[0]
			if n := len(r.finished()); n != 60 {
				t.Errorf("%d of 60 finished, %d were lost with a QR code", n, len(r.where(crowd.Life.IsLost)))
			}
			if least := int(60 * o.callsEach()); r.calls < least || r.calls-r.refused > 2*least {
				t.Errorf("%d calls, %d refused, where %d would do", r.calls, r.refused, least)
			}
		})
	}
}

func TestTheReportAndThePictureShowBothWays(t *testing.T) {
	t.Parallel()
	picture := filepath.Join(t.TempDir(), "rollout.svg")
	var out, progress bytes.Buffer
	if status := run(t.Context(), []string{"-people", "5", "-over", "100ms", "-scan", "100ms", "-react", "100ms", "-others-rps", "1", "-chart", picture}, &out, &progress); status != 0 {
		t.Fatalf("status %d: %s", status, progress.String())
	}
	for _, want := range []string{"5 people by token over 100ms", throughService, directly, "people who finished", "refused", "lost with a QR code"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	svg, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "polyline" {
			lines++
		}
	}
	if lines != 2 {
		t.Errorf("%d lines in the picture", lines)
	}
}

func TestAMistakeOnTheCommandLineIsTold(t *testing.T) {
	for name, args := range map[string]string{
		"a flow that is none":      "-flow sideways",
		"a way that is none":       "-through nowhere",
		"no quota":                 "-quota 0",
		"others who leave nothing": "-others-rps 25",
		"an argument":              "now",
		"a flag that is none":      "-fast",
		"a time that is none":      "-over soon",
	} {
		t.Run(name, func(t *testing.T) {
			var out, told bytes.Buffer
			if status := run(t.Context(), strings.Fields(args), &out, &told); status != 2 || told.Len() == 0 || out.Len() > 0 {
				t.Errorf("status %d, printed %q and %q", status, out.String(), told.String())
			}
		})
	}
}

func TestAReportCountsPeopleOnce(t *testing.T) {
	s := time.Second
	r := report{calls: 10, refused: 1, done: []int{5, 5, 5, 5, 5, 5, 5, 5, 5, 50, 75, 100}, lives: []crowd.Life{
		{Arrived: 1 * s, Started: 2 * s, Code: 10 * s, Finished: 11 * s},
		{Arrived: 1 * s, Started: 4 * s, Code: 20 * s, Finished: 22 * s},
		{Arrived: 1 * s},                                  // gave up
		{Arrived: 1 * s, Started: 5 * s},                  // lost
		{Arrived: 1 * s, Started: 5 * s, Abandoned: true}, // never meant to
	}}
	var out bytes.Buffer
	if err := write(&out, options{people: 5, flow: "token", quota: 25, Behavior: crowd.Behavior{Over: s, Scan: s}}, []report{r}); err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(" {2,}").ReplaceAllString(out.String(), "  ")
	for _, want := range []string{
		"people who finished  2",
		"gave up without a QR code  1",
		"lost with a QR code in their hands  1",
		"for each who finished  5.00",
		"refused  1 (10.0 %)",
		"the first ten seconds  20 %",
		"the next ten  100 %",
		"the third ten  -",
		"the rest of the time in which people started  -",
		"waited for the QR code, half, 95 %, longest  4s, 4s, 4s",
		"from the code to the end, half, 95 %, longest  2s, 2s, 2s",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
}
